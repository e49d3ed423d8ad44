"""A day whose file is not there yet, through the real scheduler: the worker is given back, and the wait has an end."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from daybook.ledger.waiting import noted
from daybook.storage.folder import Folder
from deployment.supervisor import Deployment

from .conftest import YESTERDAY, due_run, rows, write_part

PAST = YESTERDAY - timedelta(days=2)
SECONDS = 60


def extract_files(deployment: Deployment, run: str, dag: str = "late", step: str = "extract_files") -> Any:
    """Return the task instance that copies the files of a run, or that of another step."""
    return next(t for t in deployment.api.task_instances(dag, run) if t["task_id"] == step)


def wait_for_state(
    deployment: Deployment, run: str, state: str, dag: str = "late", step: str = "extract_files"
) -> None:
    """Wait until the task is in a state."""
    until = time.monotonic() + SECONDS
    while (found := extract_files(deployment, run, dag, step)["state"]) != state:
        assert time.monotonic() < until, f"{step} is {found}, not {state}"
        time.sleep(0.05)


def source(deployment: Deployment, *statements: str) -> None:
    """Do statements in the source database, as the owner of its tables."""
    with psycopg.connect(deployment.postgres.dsn("source", "source_owner")) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_F13_a_file_and_a_mark_that_come_later_are_waited_for_without_a_worker(deployment: Deployment) -> None:
    source(
        deployment,
        "create table late_stations as select 'A' as name",
        "create table late_loads (day date)",
        "grant select on late_stations, late_loads to source_reader",
    )
    run = deployment.api.trigger("late", conf={"day": str(YESTERDAY)})
    wait_for_state(deployment, run, "up_for_reschedule")
    wait_for_state(deployment, run, "up_for_reschedule", step="extract_tables")
    [tables] = Path(deployment.data.removeprefix("file://")).glob(f"days/late/{YESTERDAY}/*/extract_tables")
    marks = noted(Folder(tables))
    assert marks
    assert f"public.late_loads has no row of {YESTERDAY}" in marks.awaited[0].found
    source(deployment, f"insert into late_loads values ('{YESTERDAY}')")
    [step] = Path(deployment.data.removeprefix("file://")).glob(f"days/late/{YESTERDAY}/*/extract_files")
    waiting = noted(Folder(step))
    assert waiting
    assert waiting.awaited[0].found == f"ftp: late/{YESTERDAY}.csv is not there"
    file = deployment.ftp.root / "late" / f"{YESTERDAY}.csv"
    file.write_text(f"day,station,rain\n{YESTERDAY},A,1.5\n")
    assert deployment.api.wait_for_run("late", run)["state"] == "success"
    assert (noted(Folder(step)), noted(Folder(tables))) == (None, None)
    # Waiting is no failed try.
    for waited in ("extract_files", "extract_tables"):
        assert extract_files(deployment, run, step=waited)["try_number"] == 1
    assert rows(deployment, f"select stations from late.by_day where day = '{YESTERDAY}'") == [(1,)]


def test_C71_a_part_that_comes_later_is_waited_for_without_a_worker(deployment: Deployment) -> None:
    write_part(deployment, YESTERDAY, 1, "late_parts")
    run = deployment.api.trigger("late_parts", conf={"day": str(YESTERDAY)})
    wait_for_state(deployment, run, "up_for_reschedule", "late_parts")
    write_part(deployment, YESTERDAY, 2, "late_parts")
    assert deployment.api.wait_for_run("late_parts", run)["state"] == "success"
    logs = [path.read_text() for path in (deployment.home.logs / "tasks").glob("**/task_id=extract_files/*.log")]
    assert [
        log for log in logs if f"late_parts/{YESTERDAY}_*of2.csv: part 2 of 2 missing ({YESTERDAY}_2of2.csv)" in log
    ]
    assert rows(deployment, f"select stations from late_parts.by_day where day = '{YESTERDAY}'") == [(2,)]


def test_F13_a_file_whose_cut_off_has_passed_fails_at_once(deployment: Deployment) -> None:
    run = deployment.api.trigger("weather", conf={"day": str(PAST)})
    assert deployment.api.wait_for_run("weather", run)["state"] == "failed"
    task = extract_files(deployment, run, "weather")
    assert (task["state"], task["try_number"]) == ("failed", 1)
    logs = [path.read_text() for path in (deployment.home.logs / "tasks").glob("**/task_id=extract_files/*.log")]
    late = f"late: ftp: weather/{PAST}.csv is not there, and the cut-off was {PAST + timedelta(days=1)} 12:00:00+00:00"
    assert [log for log in logs if late in log]


def test_the_run_that_airflow_makes_for_a_closed_day_skips_every_task(deployment: Deployment) -> None:
    run = due_run(deployment, "closed")
    assert deployment.api.wait_for_run("closed", run)["state"] == "success"
    assert {task["state"] for task in deployment.api.task_instances("closed", run)} == {"skipped"}
    logs = (deployment.home.logs / "tasks").glob("dag_id=closed/**/task_id=extract_tables/*.log")
    assert f"closed {YESTERDAY}: it is one of the days in `closed`" in "".join(log.read_text() for log in logs)


def test_S1_no_log_holds_the_password_of_a_connection(deployment: Deployment) -> None:
    logs = list((deployment.home.logs).glob("**/*.log"))
    assert logs
    assert not [log for log in logs if deployment.ftp.password in log.read_text(errors="replace")]
