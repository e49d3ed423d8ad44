"""`airflow dags backfill` as typed, against Airflow itself: slow, each command is 4 to 8 s.

First without a scheduler: which runs are made, and what is said. Then with one: --wait and its exit code.
"""

import json
import signal
import subprocess
import sys
import time

import pytest

# The window's own arithmetic in Airflow: each day asked for alone, in zones with changes of the clock at any hour.
EACH_DAY_ALONE = """
import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo
import pendulum
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from daybook.backfill import Dag, plan
from daybook.backfill_options import Request

def made(zone, day, cron):
    asked = plan(Request("x", str(day)), Dag("x", zone, cron, 1), datetime(2020, 1, 1, tzinfo=UTC))
    window = TimeRestriction(pendulum.instance(asked.first), pendulum.instance(asked.last), True)
    timetable, run, dates = CronDataIntervalTimetable(cron, timezone=zone), None, []
    while run := timetable.next_dagrun_info(last_automated_data_interval=run and run.data_interval, restriction=window):
        dates.append(run.logical_date.astimezone(ZoneInfo(zone)).date())
    return dates

wrong, count = [], 0
for zone, months in {ZONES}.items():
    for month in months:
        for cron in ("0 0 * * *", "30 2 * * *"):
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


def test_planned_days_are_the_days_that_airflow_makes(airflow):
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
def test_each_local_day_gets_one_run_and_both_ends_are_included(airflow, dag_id, start, end, logical_dates):
    done = airflow.backfill("-s", start, "-e", end, dag_id)
    assert done.returncode == 0, done.stderr
    assert airflow.logical_dates(dag_id) == logical_dates
    assert airflow.sql("select max_active_runs from backfill where dag_id = %s", dag_id) == [(3,)]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("-s 2013-01-07 -e 2013-01-01 in_utc", 2, "in_utc: -e 2013-01-01 is before -s 2013-01-07"),
        ("-s 2013-01-01 in_utcc", 1, "in_utcc: Airflow knows no such DAG; did you mean 'in_utc'?"),
        # madrid_spring was left with queued runs, above.
        ("-s 2013-01-01 madrid_spring", 1, "still has 3 runs queued or running"),
        # Airflow's own refusal, in place of its traceback.
        ("-s 2013-01-01 unscheduled", 1, "unscheduled has a non-periodic schedule that does not support backfills;"),
    ],
)
def test_what_is_refused_is_one_line(airflow, words, code, says):
    done = airflow.backfill(*words.split())
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert all(line.startswith("airflow dags backfill: ") for line in done.stderr.splitlines())


def test_a_dry_run_shows_the_runs_and_makes_none(airflow, scheduler):
    done = airflow.backfill("-s", "2013-03-30", "-e", "2013-04-01", "--dry-run", "-l", "madrid_waited")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2013-03-3") >= 3
    assert "Performing dry run" in done.stdout
    assert "3 days of Europe/Madrid, 2013-03-30 to 2013-04-01" in done.stderr
    assert "--local is ignored: the scheduler's executor runs the tasks" in done.stderr
    assert airflow.logical_dates("madrid_waited") == []


def test_help_of_the_other_commands_is_airflows_own(airflow):
    assert "list-runs" in airflow.run("dags", "--help").stdout


def test_wait_ends_when_every_day_has_and_says_which_is_no_success(airflow, scheduler):
    days = ("--wait", "-s", "2013-10-26", "-e", "2013-10-28", "madrid_waited")
    done = airflow.backfill(*days)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert "3 of 3 days done, 0 failed" in done.stdout

    airflow.sql(
        "update dag_run set state = 'failed' where dag_id = 'madrid_waited' and logical_date = %s",
        "2013-10-26 22:00 UTC",
    )
    # The backfill that has ended is still open for as long as the scheduler's timer: the next one waits for it.
    again = airflow.backfill(*days)
    assert again.returncode == 1
    assert "madrid_waited: not done: 2013-10-27 (failed)" in again.stdout

    airflow.sql("update backfill set completed_at = created_at where dag_id = 'madrid_waited'")
    mended = airflow.backfill("--rerun-failed-tasks", *days)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert airflow.sql("select count(*) from dag_run where dag_id = 'madrid_waited' and state = 'success'") == [(3,)]
    assert "Traceback" not in scheduler.read_text()


def test_in_batches_days_share_runs_and_a_dry_run_makes_none(airflow, scheduler):
    asked = ("--batch", "2", "-s", "2013-01-01", "-e", "2013-01-03", "in_utc_batches")
    shown = airflow.backfill("--dry-run", *asked)
    assert (shown.returncode, shown.stderr.count("one run for")) == (0, 2), shown.stderr
    assert airflow.sql("select run_id from dag_run where dag_id = 'in_utc_batches'") == []

    done = airflow.backfill("--wait", "-c", '{"force": true}', *asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in_utc_batches: 2 of 2 runs done, 0 failed" in done.stdout
    runs = airflow.sql("select state, conf from dag_run where dag_id = 'in_utc_batches' order by id")
    confs = [{"force": True, "days": ["2013-01-01", "2013-01-02"]}, {"force": True, "day": "2013-01-03"}]
    assert runs == [("success", conf) for conf in confs]


def test_ctrl_c_leaves_the_backfill_running(airflow, scheduler):
    command = [sys.executable, "-m", "airflow", "dags", "backfill", "--wait", "-s", "2013-01-01", "in_utc_paused"]
    waiting = subprocess.Popen(command, env=airflow.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "0 of 1 days done" in waiting.stdout.readline()
    waiting.send_signal(signal.SIGINT)
    shown, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert "goes on without this command" in shown
    assert "in_utc_paused is paused: its runs stay queued until `airflow dags unpause in_utc_paused`" in said
    assert airflow.sql("select state from dag_run where dag_id = 'in_utc_paused'") == [("queued",)]


def test_the_scheduler_shares_its_heavy_imports_with_its_tasks(scheduler):
    until = time.monotonic() + 30
    while "Starting the scheduler" not in scheduler.read_text() and time.monotonic() < until:
        time.sleep(0.5)
    assert "is not preloaded" not in scheduler.read_text()
