"""What a person decides, through the real scheduler and command line: a held day is released, a day is rolled back."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

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


def test_a_held_day_is_red_at_summarize_and_a_reason_in_the_form_releases_it(few_flights: Deployment) -> None:
    run = few_flights.api.trigger("flights", conf={"day": DAY})
    assert few_flights.api.wait_for_run("flights", run)["state"] == "failed"
    states = {task["task_id"]: task["state"] for task in few_flights.api.task_instances("flights", run)}
    assert (states["aggregate"], states["summarize"], states["deploy"]) == ("success", "failed", "upstream_failed")
    assert flights(few_flights) == []
    assert ran(few_flights, day=DAY, release="a storm closed the airports") == "success"
    assert flights(few_flights) == [(FEW,)]
    decision = f"select who, why from daybook.decision where pipeline = 'flights' and day = '{DAY}'"
    assert rows(few_flights, decision, role="warehouse_owner") == [("admin", "a storm closed the airports")]


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
        assert failed_at(few_flights, day) == "deploy"
        done = airflow(few_flights, "dags", "backfill", "-s", day, "-e", day, "--wait", "flights")
        assert (done.returncode, rows(few_flights, seen)) == (1, [(3,)]), done.stdout + done.stderr
        assert ran(few_flights, day=day, release="it was right") == "success"
        assert rows(few_flights, seen) == [(2,)]
    finally:
        file.write_bytes(whole)


def failed_at(deployment: Deployment, day: str) -> str:
    """Run a day that fails; give the task that is red."""
    run = deployment.api.trigger("flights", conf={"day": day})
    assert deployment.api.wait_for_run("flights", run)["state"] == "failed"
    (red,) = (task["task_id"] for task in deployment.api.task_instances("flights", run) if task["state"] == "failed")
    return str(red)


def daybook(deployment: Deployment, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command of the package in the deployment's environment."""
    environment = with_this_shell(deployment.environment)
    command = [sys.executable, "-m", "commands", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
