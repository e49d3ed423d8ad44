"""What a person decides, through the real scheduler and command line: a held day is released, a day is rolled back."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from daybook_airflow.api import SETTLED_SECONDS
from daybook_airflow.decision import LEAVE, PUBLISH
from daybook_airflow.waiting import wait_until
from deployment.environment import with_this_shell
from deployment.supervisor import Deployment

from .conftest import airflow, rows

BEFORE = ("2013-11-04", "2013-11-05", "2013-11-06")
DAY = "2013-11-07"
FEW = 100


@pytest.fixture(scope="module")
def few_flights(deployment: Deployment) -> Iterator[Deployment]:
    """Three days published, and a fourth whose file holds few flights."""
    for day in BEFORE:
        assert ran(deployment, day=day) == "success"
    file = deployment.ftp.root / "flights" / f"flights_{DAY}.csv"
    whole = file.read_bytes()
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[: 1 + FEW]))
    yield deployment
    file.write_bytes(whole)


def ran(deployment: Deployment, **form: object) -> str:
    """Trigger a run with words in its form; give the state in which it ends."""
    return str(deployment.api.wait_for_run("flights", deployment.api.trigger("flights", conf=form))["state"])


def flights(deployment: Deployment) -> list[tuple[object, ...]]:
    """Return what readers see of the day."""
    return rows(deployment, f"select flights from flights.by_day where day = '{DAY}'")


def test_a_held_day_waits_for_a_persons_reason_which_publishes_it_or_leaves_it_red(few_flights: Deployment) -> None:
    run = few_flights.api.trigger("flights", conf={"day": DAY})
    assert parked_at(few_flights, run) == "summarize"
    assert flights(few_flights) == []
    (action,) = few_flights.api.open_actions("flights")
    assert f"| **{DAY} Thu** | **{FEW}** |" in action["body"]
    assert all(f"| {day} " in action["body"] for day in BEFORE)

    # The API takes a reason of blanks: it is asked again.
    few_flights.api.answer(action, PUBLISH, {"why": "  ", "days": [DAY]})
    assert wait_until(lambda: len(few_flights.api.open_actions("flights")) == 1, 60)
    assert flights(few_flights) == []
    time.sleep(SETTLED_SECONDS)
    few_flights.api.answer(action, LEAVE, {"why": "half of the file", "days": [DAY]})
    assert few_flights.api.wait_for_run("flights", run)["state"] == "failed"
    failed = f"select error from daybook.step where run = '{run}' and state = 'failed'"
    ((error,),) = rows(few_flights, failed, role="warehouse_owner")
    assert error.endswith("admin left it unpublished: half of the file")

    again = few_flights.api.trigger("flights", conf={"day": DAY})
    assert parked_at(few_flights, again) == "summarize"
    (action,) = few_flights.api.open_actions("flights")
    few_flights.api.answer(action, PUBLISH, {"why": "a storm closed the airports", "days": [DAY]})
    assert few_flights.api.wait_for_run("flights", again)["state"] == "success"
    assert flights(few_flights) == [(FEW,)]
    decision = f"select who, why from daybook.decision where pipeline = 'flights' and day = '{DAY}'"
    assert rows(few_flights, decision, role="warehouse_owner") == [("admin", "a storm closed the airports")]


def parked_at(deployment: Deployment, run: str) -> str:
    """Wait until a run asks a person; give the task that does."""
    waits = {"state": "awaiting_input"}
    assert wait_until(lambda: deployment.api.count_task_instances("flights", run, **waits) == 1, 60)
    (task,) = deployment.api.task_instances("flights", run, **waits)
    return str(task["task_id"])


def test_one_command_rolls_a_day_back(few_flights: Deployment) -> None:
    file = few_flights.ftp.root / "flights" / f"flights_{DAY}.csv"
    file.write_bytes(file.read_bytes().replace(b",EWR,", b",JFK,"))
    assert ran(few_flights, day=DAY, release="the airport was wrong") == "success"
    seen = f"select flights from flights.by_origin where day = '{DAY}' and origin = 'EWR'"
    assert rows(few_flights, seen) == []
    done = subprocess.run(
        [sys.executable, "-m", "commands", "rollback", DAY, "-p", "flights", "--why", "it was right"],
        env=with_this_shell(few_flights.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"flights {DAY}: readers see run " in done.stdout
    assert len(rows(few_flights, seen)) == 1


def test_neither_a_run_nor_a_backfill_undoes_a_rollback_and_the_form_releases_it(few_flights: Deployment) -> None:
    day = BEFORE[0]
    file = few_flights.ftp.root / "flights" / f"flights_{day}.csv"
    whole, seen = file.read_bytes(), f"select count(*) from flights.by_origin where day = '{day}'"
    file.write_bytes(whole.replace(b",EWR,", b",JFK,"))
    try:
        assert ran(few_flights, day=day) == "success"
        assert rows(few_flights, seen) == [(2,)]
        assert "held until a person releases it" in daybook(few_flights, "rollback", day, "-p", "flights").stdout
        run = few_flights.api.trigger("flights", conf={"day": day})
        assert parked_at(few_flights, run) == "deploy"
        (action,) = few_flights.api.open_actions("flights")
        few_flights.api.answer(action, LEAVE, {"why": "wait for the airline", "days": [day]})
        assert few_flights.api.wait_for_run("flights", run)["state"] == "failed"
        done = airflow(few_flights, "dags", "backfill", "-s", day, "-e", day, "--wait", "flights")
        assert (done.returncode, rows(few_flights, seen)) == (1, [(3,)]), done.stdout + done.stderr
        assert ran(few_flights, day=day, release="it was right") == "success"
        assert rows(few_flights, seen) == [(2,)]
    finally:
        file.write_bytes(whole)


def daybook(deployment: Deployment, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command of the package in the deployment's environment."""
    environment = with_this_shell(deployment.environment)
    command = [sys.executable, "-m", "commands", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
