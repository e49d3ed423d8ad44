"""`./daybook cancel`: stops backfills, Airflow's own and those of `./daybook backfill`; no finished day turns failed.

Airflow's own cancel marks every waiting run as failed, even if its day was done before and was only to be done again.
It also leaves the backfill paused, so such a run waits for ever if it is cleared. Here the DAG is paused first, so that
nothing new begins. Then waiting runs are taken back: a run that never began is removed, and one that had ended before
gets its old state. Runs at work go on to their end, and Airflow itself closes the backfill, which has no more to do.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from daybook_airflow.api import AirflowApi
from daybook_airflow.api_requests import Json
from daybook_airflow.backfill.runs import PREFIX
from deployment.errors import DeploymentError
from deployment.waiting import wait_until

# The scheduler may be about to start a run that it has seen waiting.
SECONDS_OF_A_LOOP = 2.0
# Every 30 s Airflow closes backfills that have no more to do.
CLOSE_SECONDS = 120
RUN_SECONDS = 1800


def cancel(api: AirflowApi, dag_id: str, came_to_its_end: Callable[[str], bool], say: Callable[[str], None]) -> None:
    """Stop every backfill of a DAG. came_to_its_end: returns whether the run of an id was done before."""
    with _paused(api, dag_id):
        time.sleep(SECONDS_OF_A_LOOP)
        for run in _of_backfills(api, dag_id, "queued"):
            say(f"{run['dag_run_id']}: {_take_back(api, run, came_to_its_end)}")
    running = _of_backfills(api, dag_id, "running")
    say(f"Runs at work, which go on to their end: {len(running)}.")
    was_paused = api.is_paused(dag_id)
    api.unpause(dag_id)
    _wait(lambda: not _of_backfills(api, dag_id, "running"), RUN_SECONDS, f"Runs of {dag_id} are still at work")
    if was_paused:
        api.pause(dag_id)
    _wait(lambda: not api.unfinished_backfills(dag_id), CLOSE_SECONDS, f"Airflow has not closed {dag_id}'s backfill")


@contextmanager
def _paused(api: AirflowApi, dag_id: str) -> Iterator[None]:
    was_paused = api.is_paused(dag_id)
    api.pause(dag_id)
    try:
        yield
    finally:
        if not was_paused:
            api.unpause(dag_id)


def _of_backfills(api: AirflowApi, dag_id: str, state: str) -> list[Json]:
    """Return the runs of backfills in a state; the daily runs are not ours to stop."""
    runs = api.dag_runs(dag_id, state=state)
    return [run for run in runs if run["run_type"] == "backfill" or run["dag_run_id"].startswith(PREFIX)]


def _take_back(api: AirflowApi, run: Json, came_to_its_end: Callable[[str], bool]) -> str:
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    if not any(task["try_number"] for task in api.task_instances(dag_id, run_id)):
        api.delete_run(dag_id, run_id)
        return "removed, it had not begun"
    state = "success" if came_to_its_end(run_id) else "failed"
    api.end_run(dag_id, run_id, state)
    return f"{state} again, as before"


def _wait(is_so: Callable[[], bool], seconds: float, otherwise: str) -> None:
    if not wait_until(is_so, seconds):
        raise DeploymentError(f"{otherwise} after {seconds:.0f} s; nothing else was stopped. Look into the UI.")
