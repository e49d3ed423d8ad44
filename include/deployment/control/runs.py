"""The runs of a plan: one for each day, or for a batch of days; started newest first, and followed to their end."""

import time
from datetime import UTC, date, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from daybook_airflow.backfill.runs import asked_runs
from deployment.backfill import ENDED_TASKS, STANDSTILL_SECONDS
from deployment.control.api import FINISHED, AirflowApi
from deployment.errors import DeploymentError

# Each look costs Airflow's API server some hundredths of a second of the machine that does the days.
SECONDS_BETWEEN_LOOKS = 1.0

States = dict[str, str]
"""The state of each run by its id; a run that was removed is not in it."""


def start(api: AirflowApi, dag_id: str, batches: list[tuple[date, ...]], *, is_forced: bool) -> list[str]:
    """Start a run for each batch, and give the runs' ids in that order. Airflow keeps those that have to wait."""
    asked = asked_runs(batches, datetime.now(UTC), {"force": True} if is_forced else {})
    return [api.trigger(dag_id, run.conf, run.run_id) for run in asked]


def follow(api: AirflowApi, dag_id: str, run_ids: list[str], console: Console) -> States:
    """Wait until no run is at work or waits for its turn, and give their states; a bar shows how it goes.

    A paused DAG is waited for. Raises DeploymentError if nothing moves though it is not paused.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    seen, moved_at = (-1, -1), time.monotonic()
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("runs", total=len(run_ids))
        while True:
            states = _states(api, dag_id, run_ids)
            at_work = sum(state not in FINISHED for state in states.values())
            progress.update(bar, completed=len(run_ids) - at_work, description=_said(states))
            if not at_work:
                return states
            now = (at_work, api.count_task_instances(dag_id, state=ENDED_TASKS))
            if now != seen or api.is_paused(dag_id):
                seen, moved_at = now, time.monotonic()
            _check_it_moves(dag_id, moved_at, at_work)
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _states(api: AirflowApi, dag_id: str, run_ids: list[str]) -> States:
    # All runs of one start have the same beginning, up to the day.
    alike = run_ids[0].rpartition("__")[0]
    return {run["dag_run_id"]: run["state"] for run in api.dag_runs(dag_id, run_id_prefix_pattern=alike)}


def _said(states: States) -> str:
    running, failed = (list(states.values()).count(state) for state in ("running", "failed"))
    return f"runs ({running} at work, {failed} failed)"


def _check_it_moves(dag_id: str, moved_at: float, at_work: int) -> None:
    if time.monotonic() - moved_at > STANDSTILL_SECONDS:
        raise DeploymentError(
            f"No task of {dag_id} has ended for {STANDSTILL_SECONDS} s, and {at_work} runs have not; they are left as"
            " they are. See the scheduler's log, or stop them: `make cancel`."
        )
