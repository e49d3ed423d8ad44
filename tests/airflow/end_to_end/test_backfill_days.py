"""`./daybook backfill`, pause, resume and cancel on the real scheduler: what the plan says is done, and nothing else.

All days are of March 2013, with New York's change of the clock on the 10th.
"""

import time
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console

from commands import connections
from commands.planned_backfill import Done, backfill, release_days
from commands.release import held_days
from daybook.ledger import step_log
from daybook.pipelines import load_pipelines
from daybook.postgres.session import at_once
from daybook_airflow.asked_runs import PREFIX
from daybook_airflow.waiting import wait_until
from deployment import environment
from deployment.control import cancel as stopping
from deployment.control.runs import follow, start
from deployment.supervisor import Deployment

from .conftest import airflow, rows

FLIGHTS = load_pipelines().good["flights"]
QUIET = Console(quiet=True)
SECONDS = 120
AS_ASKED: Any = {"time_zone": FLIGHTS.schedule.time_zone, "is_forced": False}


@pytest.fixture
def up(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """The deployment, with this process's variables naming its servers; files that a test changes are put back."""
    for name, value in environment.connections(deployment.postgres, deployment.ftp).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAYBOOK_DATA", deployment.data)
    whole = {file: file.read_bytes() for file in (deployment.ftp.root / "flights").glob("*2013-03-*.csv")}
    yield deployment
    for file, content in whole.items():
        if file.read_bytes() != content:
            file.write_bytes(content)
    deployment.api.unpause("flights")


def march(*days: int) -> list[date]:
    """Return days of March 2013."""
    return [date(2013, 3, day) for day in days]


def file_of(deployment: Deployment, day: date) -> Path:
    """Return a day's file on the FTP server."""
    return deployment.ftp.root / "flights" / f"flights_{day}.csv"


def our_runs(deployment: Deployment) -> dict[str, str]:
    """Return the state of each run that `./daybook backfill` started."""
    runs = deployment.api.dag_runs("flights", run_id_prefix_pattern=PREFIX)
    return {run["dag_run_id"]: run["state"] for run in runs}


def results(done: list[Done]) -> dict[int, str]:
    """Return what became of each day of March, in a word or two."""
    return {day.day.day: f"{day.action}: {day.result.split(':')[0]}" for day in done}


def cancel(deployment: Deployment) -> list[str]:
    """Cancel, as `./daybook cancel` does, and give what it says."""

    def came_to_its_end(run: str) -> bool:
        connect = partial(connections.postgres, "warehouse")
        return at_once(connect, lambda session: step_log.came_to_its_end(session, "flights", run))

    said: list[str] = []
    stopping.cancel(deployment.api, "flights", came_to_its_end, said.append)
    return said


def test_a_backfill_runs_what_the_plan_says_and_after_one_changed_row_just_that_day(up: Deployment) -> None:
    days = march(9, 10, 11)
    first = backfill(up.api, FLIGHTS, days, QUIET)
    assert results(first) == dict.fromkeys((11, 10, 9), "run: published")
    runs_before = our_runs(up)

    file = file_of(up, days[1])
    file.write_bytes(file.read_bytes().rsplit(b"\n", 2)[0] + b"\n")
    second = backfill(up.api, FLIGHTS, days, QUIET)

    assert results(second) == {11: "skip: nothing changed", 10: "run: published", 9: "skip: nothing changed"}
    new = set(our_runs(up)) - set(runs_before)
    assert [run.rpartition("__")[2] for run in new] == ["2013-03-10"]
    shown = up.api.dag_run("flights", next(iter(new)))
    assert (shown["logical_date"][:10], shown["note"].partition(";")[0]) == ("2013-03-10", "2013-03-10: published")
    states = f"select step, state from daybook.step where run = '{new.pop()}' and day = '2013-03-10'"
    assert ("load", "done") in rows(up, states, role="warehouse_owner")
    assert all(day.is_well for day in second)


def test_a_batch_publishes_its_good_days_and_names_the_bad_one(up: Deployment) -> None:
    days = march(12, 13, 14)
    bad = file_of(up, days[1])
    bad.write_bytes(bad.read_bytes().replace(b"dep_delay", b"departure_delay", 1))
    done = backfill(up.api, FLIGHTS, days, QUIET, batch=3)
    assert results(done) == {14: "run: published", 13: "run: failed", 12: "run: published"}
    assert [day.day.day for day in done if not day.is_well] == [13]


def test_the_held_days_of_a_range_are_released_with_one_reason_and_the_others_are_left_alone(up: Deployment) -> None:
    days = march(4, 5, 6, 7, 8)
    assert all(day.is_well for day in backfill(up.api, FLIGHTS, days[:3], QUIET, batch=3))
    for day in days[3:]:
        file = file_of(up, day)
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:101]))
    done = backfill(up.api, FLIGHTS, days, QUIET)
    assert [day.day.day for day in done if day.is_held] == [8, 7]

    warehouse = partial(psycopg.connect, up.postgres.dsn("warehouse", "warehouse_owner"))
    held = at_once(warehouse, lambda session: held_days(session, FLIGHTS, sorted(days)))
    runs_before = our_runs(up)
    released = release_days(up.api, FLIGHTS, held, QUIET, "a storm")
    assert results(released) == {8: "run: published", 7: "run: published"}
    assert len(our_runs(up)) == len(runs_before) + 2
    reasons = (
        "select distinct day, why from daybook.decision where pipeline = 'flights' and why = 'a storm' order by day"
    )
    assert [day.day for day, _ in rows(up, reasons, role="warehouse_owner")] == [7, 8]


def test_a_held_day_of_a_run_waits_for_a_person_and_holds_no_other_and_a_command_answers_for_it(up: Deployment) -> None:
    good, held = march(25, 26, 27), march(28, 29)
    for day in held:
        file = file_of(up, day)
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:101]))
    run = up.api.trigger("flights", conf={"days": [str(day) for day in good + held]})
    assert wait_until(lambda: up.api.count_task_instances("flights", run, state="awaiting_input") == 1, SECONDS)
    seen = "select day from flights.by_day where day between '2013-03-25' and '2013-03-29' order by day"
    assert [day for (day,) in rows(up, seen)] == good
    (action,) = up.api.open_actions("flights")
    assert action["task_instance"]["task_id"] == "deploy"
    assert "| **2013-03-28 Thu** | **100** |" in action["body"]

    runs_before = up.api.count_runs("flights")
    assert results(release_days(up.api, FLIGHTS, held[:1], QUIET, "a strike")) == {28: "run: published"}
    assert up.api.count_runs("flights") == runs_before
    assert up.api.open_actions("flights") == []
    assert up.api.dag_run("flights", run)["state"] == "failed"
    assert [day for (day,) in rows(up, seen)] == good + held[:1]
    decided = "select what, who, why from daybook.decision where pipeline = 'flights' and day = '2013-03-28'"
    assert rows(up, decided, role="warehouse_owner") == [("release", "admin", "a strike")]


def test_typed_in_airflows_words_a_batch_publishes_its_days_in_one_run(up: Deployment) -> None:
    before = our_runs(up)
    done = airflow(up, "dags", "backfill", "-s", "2013-03-22", "-e", "2013-03-24", "--batch", "3", "--wait", "flights")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(our_runs(up).items() - before.items()) == [(done.stderr.rsplit(": ", 1)[1].strip(), "success")]
    days = rows(up, "select day from flights.by_day where day between '2013-03-22' and '2013-03-24' order by day")
    assert [day for (day,) in days] == march(22, 23, 24)


def test_paused_nothing_begins_resumed_it_goes_on_to_the_end(up: Deployment) -> None:
    up.api.pause("flights")
    started = start(up.api, "flights", [(day,) for day in march(15)], **AS_ASKED)
    time.sleep(3)
    assert our_runs(up)[started[0]] == "queued"
    up.api.unpause("flights")
    assert follow(up.api, "flights", started, QUIET) == {started[0]: "success"}


def test_cancelled_before_they_began_our_runs_are_gone_and_none_has_failed(up: Deployment) -> None:
    before = our_runs(up)
    up.api.pause("flights")
    start(up.api, "flights", [(day,) for day in march(16, 17)], **AS_ASKED)
    said = cancel(up)
    assert our_runs(up) == before
    assert sum("removed, it had not begun" in line for line in said) == 2
    assert up.api.is_paused("flights")


def test_E8_airflows_own_backfill_of_done_days_is_cancelled_and_none_turns_failed_or_stuck(up: Deployment) -> None:
    asked = ("dags", "backfill", "-s", "2013-03-18", "-e", "2013-03-21")
    done = airflow(up, *asked, "--wait", "flights")
    assert done.returncode == 0, done.stdout + done.stderr
    again = airflow(up, *asked, "--reset-dagruns", "--yes", "--max-active-runs", "1", "flights")
    assert again.returncode == 0, again.stdout + again.stderr

    said = cancel(up)
    assert any("success again, as before" in line for line in said)
    runs = up.api.dag_runs("flights", run_type="backfill", logical_date_gte="2013-03-18T00:00:00Z")
    assert [run["state"] for run in runs] == ["success"] * 4
    assert not up.api.unfinished_backfills("flights")

    cleared = runs[-1]["dag_run_id"]
    up.api._ask("POST", f"/dags/flights/dagRuns/{cleared}/clear", {"dry_run": False})
    assert up.api.wait_for_run("flights", cleared, seconds=SECONDS)["state"] == "success"
