"""Tasks that a person clears in the UI, one by one, through the real scheduler."""

import json
import re
import subprocess
import sys
from urllib.parse import quote

import pytest

from daybook.ledger.receipt import STEPS
from deployment.environment import with_this_shell
from deployment.supervisor import Deployment

from .conftest import rows

DAY = "2013-06-03"


@pytest.fixture(scope="module")
def run(deployment: Deployment) -> str:
    """A run that has published its day."""
    run = deployment.api.trigger("flights", conf={"day": DAY})
    assert deployment.api.wait_for_run("flights", run)["state"] == "success"
    return run


@pytest.mark.parametrize("step", STEPS)
def test_R4_a_single_task_that_is_cleared_is_done_again_and_changes_nothing_for_readers(
    deployment: Deployment, run: str, step: str
) -> None:
    seen = f"select * from flights.by_airline where day = '{DAY}' order by carrier"
    published = f"select run_id from daybook.published where day = '{DAY}'"
    before = rows(deployment, seen), rows(deployment, published, role="warehouse_owner")
    body = {"dry_run": False, "dag_run_id": run, "task_ids": [step], "only_failed": False}
    cleared = deployment.api._ask("POST", "/dags/flights/clearTaskInstances", body)
    assert [task["task_id"] for task in cleared["task_instances"]] == [step]
    assert deployment.api.wait_for_run("flights", run)["state"] == "success"
    (task,) = (task for task in deployment.api.task_instances("flights", run) if task["task_id"] == step)
    assert task["try_number"] == 2
    assert (rows(deployment, seen), rows(deployment, published, role="warehouse_owner")) == before


CORRECTED, MARKED = "2013-06-04", "2013-06-05"


def clear(deployment: Deployment, run: str, *steps: str) -> str:
    """Clear tasks of a run, as Airflow's UI does, wait for its end, and return its state."""
    body = {"dry_run": False, "dag_run_id": run, "task_ids": list(steps), "only_failed": False}
    deployment.api._ask("POST", "/dags/flights/clearTaskInstances", body)
    return str(deployment.api.wait_for_run("flights", run)["state"])


def planned(deployment: Deployment, day: str) -> str:
    """Return what `./daybook plan` says of a day: the action and the reason."""
    words = ["plan", "--pipeline", "flights", "--from", day, "--to", day, "--json"]
    environment = with_this_shell(deployment.environment) | {"DAYBOOK_DATA": deployment.data}
    command = [sys.executable, "-m", "commands", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    (one,) = json.loads(done.stdout)["planned"]
    return f"{one['action']}: {one['reason']}"


def published(deployment: Deployment, day: str) -> list[tuple[object, ...]]:
    """Return the day's number of flights as readers see it, and the hash that the ledger names for its facts."""
    query = "select facts_sha256, rows_read from daybook.published join daybook.ledger using (run_id, day)"
    return rows(deployment, f"{query} where day = '{day}'", role="warehouse_owner")


def failed(deployment: Deployment, run: str) -> dict[str, tuple[int, str]]:
    """Return the failed tasks of a run: the number of tries, and what the ledger says."""
    tries = {t["task_id"]: t["try_number"] for t in deployment.api.task_instances("flights", run, state="failed")}
    query = f"select step, error_kind || ': ' || error from daybook.step where run = '{run}' and state = 'failed'"
    return {step: (tries[step], str(said)) for step, said in rows(deployment, query, role="warehouse_owner")}


def test_R4_an_extract_that_was_cleared_alone_over_a_corrected_file_is_no_lie(deployment: Deployment) -> None:
    run = deployment.api.trigger("flights", conf={"day": CORRECTED, "force": True})
    assert deployment.api.wait_for_run("flights", run)["state"] == "success"
    before = published(deployment, CORRECTED)
    file = deployment.ftp.root / "flights" / f"flights_{CORRECTED}.csv"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))

    assert clear(deployment, run, "extract_files") == "success"
    assert planned(deployment, CORRECTED) == "run: input changed: load rests on an older extract_files"
    assert clear(deployment, run, "save", "deploy") == "failed"
    ((step, (tries, said)),) = failed(deployment, run).items()
    assert (step, tries) == ("save", 2), "one try, and none after it"
    assert said.startswith(
        f"BrokenChain: flights {CORRECTED}: `load` of this run rests on an older result of `extract_files`"
    )
    assert said.endswith("clear `load` and everything downstream of it")
    assert published(deployment, CORRECTED) == before

    assert clear(deployment, run, *STEPS[2:]) == "success"
    ((sha256, rows_read),) = published(deployment, CORRECTED)
    assert sha256 != before[0][0]
    assert rows_read == int(str(before[0][1])) - 1
    assert planned(deployment, CORRECTED) == "skip: nothing changed"


@pytest.mark.parametrize("step", ["load", "save", "deploy"])
def test_R4_a_task_that_is_marked_as_success_before_it_is_done_publishes_nothing(
    deployment: Deployment, step: str
) -> None:
    deployment.api.pause("flights")
    run = deployment.api.trigger("flights", conf={"day": MARKED})
    tasks = f"/dags/flights/dagRuns/{quote(run, safe='')}/taskInstances"
    deployment.api._ask("PATCH", f"{tasks}/{step}", {"new_state": "success"})
    deployment.api.unpause("flights")
    is_last = step == "deploy"
    assert deployment.api.wait_for_run("flights", run)["state"] == ("success" if is_last else "failed")
    broken = failed(deployment, run)
    assert list(broken) == ([] if is_last else [STEPS[STEPS.index(step) + 1]])
    for tries, said in broken.values():
        assert tries == 1
        assert re.search(
            r"^BrokenChain: .*`(\w+)` of this run has no receipt.*clear `\1` and everything downstream", said
        )
    assert published(deployment, MARKED) == []
    assert planned(deployment, MARKED).startswith("run: never done")
