"""`airflow dags backfill` as typed, against Airflow itself: each command takes 1 to 2 s.

First without a scheduler: which runs are made, and what is said. Then with one: --wait and its exit code.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from .conftest import PrivateAirflow

Words = tuple[dict[str, str], str]  # the variables of the environment, and what the command says
Situation = Callable[[PrivateAirflow], Words]

# The window's own arithmetic in Airflow: each day asked for alone, in zones with changes of the clock at any hour.
EACH_DAY_ALONE = """
import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo
import pendulum
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from daybook.spec import Schedule
from daybook_airflow.backfill.options import Request
from daybook_airflow.backfill.plan import Dag, plan

def made(zone, day, cron):
    schedule = Schedule(time_zone=zone, cron=cron, start=date(2000, 1, 1))
    asked = plan(Request("x", str(day)), Dag("x", schedule, 1), datetime(2020, 1, 1, tzinfo=UTC))
    window = TimeRestriction(pendulum.instance(asked.first), pendulum.instance(asked.last), True)
    timetable, run, dates = CronDataIntervalTimetable(cron, timezone=zone), None, []
    while run := timetable.next_dagrun_info(last_automated_data_interval=run and run.data_interval, restriction=window):
        dates.append(run.logical_date.astimezone(ZoneInfo(zone)).date())
    return dates

wrong, count = [], 0
for zone, months in {ZONES}.items():
    for month in months:
        for cron in ("0 0 * * *", "30 5 * * *"):
            for n in range(31):
                day = date(2013, month, 1) + timedelta(n)
                count += 1
                wrong += [] if made(zone, day, cron) == [day] else [(zone, cron, str(day))]
print(json.dumps([count, wrong]))
"""
CHANGES_OF_THE_CLOCK = {
    "UTC": [3],
    "Europe/Madrid": [3, 10],
    "America/New_York": [3, 11],
    "America/Sao_Paulo": [2, 10],
    "America/Havana": [3, 11],
    "Asia/Beirut": [3, 10],
    "Australia/Lord_Howe": [4, 10],
}


def test_planned_days_are_the_days_that_airflow_makes(airflow: PrivateAirflow) -> None:
    done = airflow.run(python=EACH_DAY_ALONE.replace("{ZONES}", repr(CHANGES_OF_THE_CLOCK)))
    assert done.returncode == 0, done.stderr
    count, wrong = json.loads(done.stdout.splitlines()[-1])
    assert count > 500
    assert wrong == []


@pytest.mark.parametrize(
    ("dag_id", "start", "end", "logical_dates"),
    [
        # Local midnights of 30 March to 1 April, over the change to summer time.
        ("madrid_spring", "2013-03-30", "2013-04-01", ["2013-03-29 23:00", "2013-03-30 23:00", "2013-03-31 22:00"]),
        # Of 26 to 28 October, over the change back.
        ("madrid_autumn", "2013-10-26", "2013-10-28", ["2013-10-25 22:00", "2013-10-26 22:00", "2013-10-27 23:00"]),
        ("in_utc", "2013-03-30", "2013-04-01", ["2013-03-30 00:00", "2013-03-31 00:00", "2013-04-01 00:00"]),
    ],
)
def test_each_local_day_gets_one_run_and_both_ends_are_included(
    airflow: PrivateAirflow, dag_id: str, start: str, end: str, logical_dates: list[str]
) -> None:
    done = airflow.backfill("-s", start, "-e", end, dag_id)
    assert done.returncode == 0, done.stderr
    assert "no scheduler is running: nothing will move until one is" in done.stderr
    assert airflow.runs(dag_id) == [(logical_date, "queued") for logical_date in logical_dates]
    (made,) = airflow.api.unfinished_backfills(dag_id)
    assert made["max_active_runs"] == 3


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("-s 2013-01-07 -e 2013-01-01 in_utc", 2, "in_utc: -e 2013-01-01 is before -s 2013-01-07"),
        ("-s 2013-01-01 in_utcc", 1, "in_utcc: Airflow knows no such DAG; did you mean 'in_utc'?"),
        # madrid_spring was left with queued runs, above.
        ("-s 2013-01-01 madrid_spring", 1, "still has 3 runs queued or running"),
        # Airflow's own refusal, and what to do.
        (
            "-s 2013-01-01 unscheduled",
            1,
            "unscheduled has a non-periodic schedule that does not support backfills; a backfill needs a schedule in",
        ),
        (
            "-s 2013-01-01 in_no_pool",
            1,
            "in_no_pool: nothing: Airflow has no pool 'defualt_pool'; did you mean 'default_pool'?",
        ),
    ],
)
def test_what_is_refused_is_one_line(airflow: PrivateAirflow, words: str, code: int, says: str) -> None:
    assert_refused(airflow.backfill(*words.split()), code, says)


def test_without_a_scheduler_an_ended_backfill_stays_open_and_the_next_is_refused(airflow: PrivateAirflow) -> None:
    for run in airflow.api.dag_runs("madrid_autumn"):
        airflow.api.end_run("madrid_autumn", run["dag_run_id"], "success")
    refused = airflow.backfill("-s", "2013-01-01", "madrid_autumn")
    assert_refused(refused, 1, "has ended, but only a scheduler can close it; start `airflow scheduler`")


def no_api_server(_airflow: PrivateAirflow) -> Words:
    says = "http://127.0.0.1:1: no API server answers ([Errno 111] Connection refused); expected Airflow's API server"
    return {"DAYBOOK_API_URL": "http://127.0.0.1:1"}, says


def another_server(airflow: PrivateAirflow) -> Words:
    return {
        "DAYBOOK_API_URL": f"{airflow.url}/other"
    }, "/other: answers GET /api/v2/monitor/health with 200, and not as"


def a_wrong_password(airflow: PrivateAirflow) -> Words:
    says = f"{airflow.url}: Airflow refuses the login of user 'admin' (401: Invalid credentials); it is from DAYBOOK_"
    return {"DAYBOOK_API_USER": "admin", "DAYBOOK_API_PASSWORD": "wrong"}, says


def a_user_without_the_right(airflow: PrivateAirflow) -> Words:
    user, password = airflow.viewer
    says = f"{airflow.url}: Airflow forbids user 'viewer' to do this (403: Forbidden); it is from DAYBOOK_API_USER"
    return {"DAYBOOK_API_USER": user, "DAYBOOK_API_PASSWORD": password}, says


def a_token_of_another_airflow(_airflow: PrivateAirflow) -> Words:
    says = "Airflow refuses the login of the token (403: Invalid JWT token); it is from DAYBOOK_API_TOKEN"
    return {"DAYBOOK_API_TOKEN": "none"}, says


@pytest.mark.parametrize(
    "situation",
    [no_api_server, another_server, a_wrong_password, a_user_without_the_right, a_token_of_another_airflow],
)
def test_an_api_that_cannot_be_asked_is_one_line_and_nothing_is_made(
    airflow: PrivateAirflow, situation: Situation
) -> None:
    variables, says = situation(airflow)
    assert_refused(airflow.backfill("-s", "2013-01-01", "in_utc_token", **variables), 1, says)
    assert airflow.runs("in_utc_token") == []


def test_a_token_is_enough(airflow: PrivateAirflow) -> None:
    user, password = airflow.admin
    answer = httpx.post(f"{airflow.url}/auth/token", json={"username": user, "password": password})
    # No other login is there.
    passwords = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(airflow.home.path / "none.json")}
    words = ("-s", "2013-01-01", "in_utc_token")
    assert_refused(airflow.backfill(*words, **passwords), 1, "none.json: No such file or directory; expected")

    done = airflow.backfill(*words, DAYBOOK_API_TOKEN=answer.json()["access_token"], **passwords)
    assert done.returncode == 0, done.stderr
    assert airflow.runs("in_utc_token") == [("2013-01-01 00:00", "queued")]


def assert_refused(done: subprocess.CompletedProcess[str], code: int, says: str) -> None:
    """Check the exit code, that one line says it, and that every line is ours."""
    assert done.returncode == code, done.stderr
    *before, last = done.stderr.splitlines()
    assert says in last
    assert all(line.startswith("airflow dags backfill: ") for line in [*before, last])
    assert done.stdout == ""


def test_a_dry_run_shows_the_runs_and_makes_none(airflow: PrivateAirflow) -> None:
    done = airflow.backfill("-s", "2013-03-30", "-e", "2013-04-01", "--dry-run", "-l", "-v", "madrid_waited")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Performing dry run of backfill: nothing is made. Runs that would be:",
        "  2013-03-30, logical date 2013-03-29T23:00:00+00:00",
        "  2013-03-31, logical date 2013-03-30T23:00:00+00:00",
        "  2013-04-01, logical date 2013-03-31T22:00:00+00:00",
    ]
    assert "3 days of Europe/Madrid, 2013-03-30 to 2013-04-01" in done.stderr
    assert "--local is ignored: the scheduler's executor runs the tasks" in done.stderr
    assert "airflow backfill create --dag-id madrid_waited --from-date 2013-03-30T00:00:00+01:00" in done.stderr
    assert airflow.runs("madrid_waited") == []


def test_help_of_the_other_commands_is_airflows_own(airflow: PrivateAirflow) -> None:
    assert "list-runs" in airflow.run("dags", "--help").stdout


def test_wait_ends_when_every_day_has_and_says_which_is_no_success(airflow: PrivateAirflow, scheduler: Path) -> None:
    days = ("--wait", "-s", "2013-10-26", "-e", "2013-10-28", "madrid_waited")
    waiting = airflow.begin_backfill(*days)
    assert "of 3 days done, 0 failed" in first_line(waiting)
    shown, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, said
    assert "3 of 3 days done, 0 failed, 0 running, 3 of 3 tasks" in shown
    assert "madrid_waited: all is well, 3 of 3 runs ended in success" in shown

    middle = airflow.api.dag_runs("madrid_waited", order_by="logical_date")[1]["dag_run_id"]
    airflow.api.end_run("madrid_waited", middle, "failed")
    again = airflow.begin_backfill(*days)
    close_the_one_before(airflow, again)
    shown, _ = again.communicate(timeout=60)
    assert again.returncode == 1
    assert "madrid_waited: not done: 2013-10-27 (failed)" in shown

    mending = airflow.begin_backfill("--rerun-failed-tasks", *days)
    close_the_one_before(airflow, mending)
    shown, said = mending.communicate(timeout=60)
    assert mending.returncode == 0, shown + said
    assert [state for _, state in airflow.runs("madrid_waited")] == ["success"] * 3
    assert "Traceback" not in scheduler.read_text()


def first_line(command: subprocess.Popen[str]) -> str:
    """Wait for what a command says first."""
    assert command.stdout
    return command.stdout.readline()


def close_the_one_before(airflow: PrivateAirflow, waiting: subprocess.Popen[str]) -> None:
    """Do what the scheduler's timer of 30 s does to a backfill that has ended, when the command says that it waits."""
    assert waiting.stderr
    lines = iter(waiting.stderr.readline, "")
    if any("waiting up to 45 s until the scheduler closes backfill" in line for line in lines):
        for backfill in airflow.api.unfinished_backfills("madrid_waited"):
            airflow.api._ask("PUT", f"/backfills/{backfill['id']}/cancel")


def test_in_batches_days_share_runs_and_a_dry_run_makes_none(airflow: PrivateAirflow, scheduler: Path) -> None:
    asked = ("--batch", "2", "-s", "2013-01-01", "-e", "2013-01-03", "in_utc_batches")
    shown = airflow.backfill("--dry-run", *asked)
    assert (shown.returncode, shown.stderr.count("one run for")) == (0, 2), shown.stderr
    assert airflow.api.dag_runs("in_utc_batches") == []

    done = airflow.backfill("--wait", "-c", '{"force": true}', *asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in_utc_batches: 2 of 2 runs done, 0 failed" in done.stdout
    runs = airflow.api.dag_runs("in_utc_batches", order_by="dag_run_id")
    confs = [{"force": True, "days": ["2013-01-01", "2013-01-02"]}, {"force": True, "day": "2013-01-03"}]
    assert [(run["state"], run["conf"]) for run in runs] == [("success", conf) for conf in confs]


def test_ctrl_c_leaves_the_backfill_running(airflow: PrivateAirflow, scheduler: Path) -> None:
    waiting = airflow.begin_backfill("--wait", "-s", "2013-01-01", "in_utc_paused")
    assert "0 of 1 day done" in first_line(waiting)
    waiting.send_signal(signal.SIGINT)
    shown, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert "goes on without this command" in shown
    assert "in_utc_paused is paused: its runs stay queued until `airflow dags unpause in_utc_paused`" in said
    assert airflow.runs("in_utc_paused") == [("2013-01-01 00:00", "queued")]


def test_wait_outlasts_an_api_server_that_is_stopped_and_started(airflow: PrivateAirflow, scheduler: Path) -> None:
    waiting = airflow.begin_backfill("--wait", "-s", "2013-01-01", "in_utc_restart_paused")
    assert "0 of 1 day done" in first_line(waiting)
    assert airflow.api_server
    airflow.api_server.start_again()
    # Answered when the new one is up.
    (run,) = airflow.api.dag_runs("in_utc_restart_paused")
    airflow.api.end_run("in_utc_restart_paused", run["dag_run_id"], "success")
    shown, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, said
    assert "in_utc_restart_paused: all is well, 1 of 1 run ended in success" in shown


def test_the_scheduler_shares_its_heavy_imports_with_its_tasks(scheduler: Path) -> None:
    until = time.monotonic() + 30
    while "Starting the scheduler" not in scheduler.read_text() and time.monotonic() < until:
        time.sleep(0.5)
    assert "is not preloaded" not in scheduler.read_text()
