"""The runs of a plan: one for each day, or for a batch of days; started newest first, and followed to their end."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from daybook.text import counted, verb
from daybook_airflow.api import FINISHED, AirflowApi
from daybook_airflow.asked_runs import asked_runs
from daybook_airflow.waiting import nothing, wait_until
from deployment.errors import DeploymentError

# Each look takes Airflow's API server some hundredths of a second, on the machine that does the days.
SECONDS_BETWEEN_LOOKS = 1.0
# The states of a task that has ended.
ENDED_TASKS = ("success", "failed", "upstream_failed", "skipped", "removed")
STANDSTILL_SECONDS = 180
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())

States = dict[str, str]
"""The state of each run by its id; a run that was removed is not in it."""


def start(
    api: AirflowApi,
    dag_id: str,
    batches: list[tuple[date, ...]],
    *,
    time_zone: str,
    is_forced: bool,
    release: str = "",
    overrides: Mapping[str, object] | None = None,
) -> list[str]:
    """Start a run for each batch, and return the runs' ids in that order. Airflow queues those that have to wait.

    time_zone: of the days. release: why held days are published. overrides: values of the spec for these runs alone, by
    their paths.
    """
    form = ({"force": True} if is_forced else {}) | ({"release": release} if release else {}) | dict(overrides or {})
    asked = asked_runs(batches, datetime.now(UTC), form, time_zone)
    return [api.start_asked(dag_id, run) for run in asked]


def follow(
    api: AirflowApi, dag_id: str, run_ids: list[str], console: Console, check: Callable[[], None] = nothing
) -> States:
    """Wait until no run is at work or queued, and return their states; a bar shows the progress.

    If the DAG is paused, it waits. check: called at every look. Raises DeploymentError if no task ends for a while
    although the DAG is not paused.
    """
    with Progress(*COLUMNS, console=console) as progress:
        follower = _Follower(api, dag_id, run_ids, progress)
        wait_until(follower.has_ended, float("inf"), check=check, every=SECONDS_BETWEEN_LOOKS)
    return follower.states


class _Follower:
    """Looks at some runs, shows how far they are, and notices when nothing moves."""

    def __init__(self, api: AirflowApi, dag_id: str, run_ids: list[str], progress: Progress) -> None:
        self._api, self._dag_id, self._run_ids, self._progress = api, dag_id, run_ids, progress
        self._bar = progress.add_task("runs", total=len(run_ids))
        self._seen, self._moved_at = (-1, -1), time.monotonic()
        self.states: States = {}

    def has_ended(self) -> bool:
        """Look, and return whether no run is at work or queued."""
        self.states = _states(self._api, self._dag_id, self._run_ids)
        at_work = sum(state not in FINISHED for state in self.states.values())
        self._progress.update(self._bar, completed=len(self._run_ids) - at_work, description=_said(self.states))
        if at_work:
            self._check_it_moves(at_work)
        return not at_work

    def _check_it_moves(self, at_work: int) -> None:
        now = (at_work, self._api.count_task_instances(self._dag_id, state=ENDED_TASKS))
        if now != self._seen or self._api.is_paused(self._dag_id):
            self._seen, self._moved_at = now, time.monotonic()
        if time.monotonic() - self._moved_at > STANDSTILL_SECONDS:
            raise DeploymentError(
                f"No task of {self._dag_id} has ended for {STANDSTILL_SECONDS} s, and {counted(at_work, 'run')} "
                f"{verb(at_work, 'has', 'have')} not; what runs is left as it is. "
                "See the scheduler's log, or stop it: `./daybook cancel`."
            )


def _states(api: AirflowApi, dag_id: str, run_ids: list[str]) -> States:
    # All runs of one start have the same beginning, up to the day.
    begin = run_ids[0].rpartition("__")[0] if len(run_ids) > 1 else run_ids[0]
    alike = api.dag_runs(dag_id, run_id_prefix_pattern=begin)
    return {run["dag_run_id"]: run["state"] for run in alike if run["dag_run_id"] in run_ids}


def _said(states: States) -> str:
    running, failed = (list(states.values()).count(state) for state in ("running", "failed"))
    return f"runs ({running} at work, {failed} failed)"
