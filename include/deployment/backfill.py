"""A backfill of a DAG in a running deployment: made by Airflow's command line, followed to its end, and closed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from deployment.control.api import FINISHED, SECONDS_BETWEEN_LOOKS, Json
from deployment.control.failures import failure
from deployment.errors import DeploymentError
from deployment.supervisor import Deployment

# A task's states after which it moves no more by itself.
ENDED_TASKS = ("success", "failed", "upstream_failed", "skipped", "removed")
COMMAND_SECONDS = 120
STANDSTILL_SECONDS = 180


def backfill(deployment: Deployment, dag_id: str, first: date, last: date, console: Console) -> list[Json]:
    """Run days of a DAG, both ends included, and give their runs in the order of the days; a bar shows how it goes.

    Days that ran before run again. A backfill that an earlier command left unfinished is finished first, because
    Airflow does one of a DAG at a time. Raises DeploymentError if a run fails or nothing moves any more.
    """
    for earlier in deployment.api.unfinished_backfills(dag_id):
        _follow(deployment, earlier, console)
    arguments = ("dags", "backfill", "-s", str(first), "-e", str(last), "--reset-dagruns", dag_id)
    console.print(f"Asking Airflow for the days: [bold]airflow {' '.join(arguments)}[/]")
    deployment.airflow("backfill", *arguments, seconds=COMMAND_SECONDS)
    runs = [run for asked in deployment.api.unfinished_backfills(dag_id) for run in _follow(deployment, asked, console)]
    if failed := [run for run in runs if run["state"] != "success"]:
        raise failure(deployment.api, deployment.home, failed)
    return runs


def _follow(deployment: Deployment, asked: Json, console: Console) -> list[Json]:
    """Wait until all runs of a backfill have ended, then close it, and give its runs."""
    with _bars(console) as bars:
        _wait_for_end(deployment, asked, bars)
    _close(deployment, asked)
    return _runs(deployment, asked)


def _close(deployment: Deployment, asked: Json) -> None:
    """Do what the scheduler's timer does up to 30 s later, until when it would refuse another backfill of the DAG.

    Airflow's own cancel closes too, but leaves the backfill paused: a day of it that is cleared would never run.
    """
    with psycopg.connect(deployment.postgres.dsn("airflow", "airflow")) as connection:
        close = "UPDATE backfill SET completed_at = now() WHERE id = %s AND completed_at IS NULL"
        connection.execute(close, [asked["id"]])


class _Bars:
    """Two lines: how many days have ended, and how many of their tasks."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._days: TaskID = progress.add_task("days", total=None)
        self._tasks: TaskID = progress.add_task("tasks", total=None)

    def show(self, days: tuple[int, int], tasks: tuple[int, int]) -> None:
        self._progress.update(self._days, completed=days[0], total=days[1])
        self._progress.update(self._tasks, completed=tasks[0], total=tasks[1])


@contextmanager
def _bars(console: Console) -> Iterator[_Bars]:
    columns = (TextColumn("{task.description:>7}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield _Bars(progress)


def _wait_for_end(deployment: Deployment, asked: Json, bars: _Bars) -> None:
    tasks_a_day = deployment.api.task_count(asked["dag_id"])
    moved_at, seen = time.monotonic(), (-1, -1)
    while True:
        runs = _runs(deployment, asked)
        now = (sum(run["state"] in FINISHED for run in runs), _ended_tasks(deployment, asked))
        bars.show((now[0], len(runs)), (now[1], len(runs) * tasks_a_day))
        if now[0] == len(runs):
            return
        moved_at, seen = (moved_at, seen) if now == seen else (time.monotonic(), now)
        if time.monotonic() - moved_at > STANDSTILL_SECONDS:
            raise DeploymentError(
                f"No task of {asked['dag_id']} has ended for {STANDSTILL_SECONDS} s, with {now[0]} of {len(runs)} days"
                f" done; see {deployment.home.logs / 'scheduler.log'}."
            )
        deployment.keep_up()
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _runs(deployment: Deployment, asked: Json) -> list[Json]:
    return deployment.api.dag_runs(asked["dag_id"], order_by="logical_date", **_between(asked))


def _ended_tasks(deployment: Deployment, asked: Json) -> int:
    return deployment.api.count_task_instances(asked["dag_id"], state=ENDED_TASKS, **_between(asked))


def _between(asked: Json) -> Json:
    # A backfill takes both of its bounds in, and compares them with the logical date.
    return {"logical_date_gte": asked["from_date"], "logical_date_lte": asked["to_date"]}
