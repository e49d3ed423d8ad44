"""The runs of a plan: one for each day, or for a batch of days; started newest first, and followed to their end."""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deployment.airflow_api import FINISHED, SECONDS_BETWEEN_LOOKS, AirflowApi
from deployment.backfill import ENDED_TASKS, STANDSTILL_SECONDS
from deployment.errors import DeploymentError

PREFIX = "daybook_backfill__"

States = dict[str, str]
"""The state of each run by its id; a run that was removed is not in it."""


def in_batches(days: Sequence[date], size: int) -> list[tuple[date, ...]]:
    """Give the days in groups of a size, in their order; the last group may be smaller."""
    return [tuple(days[start : start + size]) for start in range(0, len(days), size)]


def start(api: AirflowApi, dag_id: str, batches: list[tuple[date, ...]], *, is_forced: bool) -> list[str]:
    """Start a run for each batch, and give the runs' ids in that order. Airflow keeps those that have to wait."""
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"
    return [
        api.trigger(dag_id, _conf(batch) | ({"force": True} if is_forced else {}), f"{PREFIX}{moment}__{batch[0]}")
        for batch in batches
    ]


def follow(api: AirflowApi, dag_id: str, run_ids: list[str], console: Console) -> States:
    """Wait until no run is at work or waits for its turn, and give their states; a bar shows how it goes.

    A paused DAG is waited for. Raises DeploymentError where nothing moves though it is not paused.
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


def _conf(batch: tuple[date, ...]) -> dict[str, object]:
    return {"day": str(batch[0])} if len(batch) == 1 else {"days": [str(day) for day in batch]}


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
