"""`./daybook cancel`: stops backfills, Airflow's own and those of our commands; no finished day turns failed.

To Airflow the runs of `./daybook day`, `replay` and `release` are no others than those of `backfill`: somebody at a
command line asked for them. So they are taken back too if they have not begun, and each is named with its days.

Airflow's own cancel marks every waiting run as failed, even if its day was done before and was only to be done again.
It also leaves the backfill paused, so such a run waits for ever if it is cleared. Here the DAG is paused first, so that
nothing new begins. Then waiting runs are taken back: a run that never began is removed, and one that had ended before
gets its old state. Runs at work go on to their end, and Airflow itself closes the backfill, which has no more to do. A
run with a task whose pool is not there would never end: it is taken back as soon as none of its tasks is at work.
"""

import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager

from daybook.errors import BadSpec
from daybook.text import spell
from daybook_airflow.api import AirflowApi
from daybook_airflow.api_requests import Json
from daybook_airflow.asked_runs import PREFIX
from daybook_airflow.conf import conf_of
from daybook_airflow.waiting import wait_until
from deployment.errors import DeploymentError

# The scheduler may be about to start a run that it has seen waiting.
SECONDS_OF_A_LOOP = 2.0
# Every 30 s Airflow closes backfills that have no more to do.
CLOSE_SECONDS = 120
RUN_SECONDS = 1800
TASKS_THAT_WAIT = (None, "scheduled")
TASKS_AT_WORK = ("queued", "running", "restarting", "deferred", "up_for_retry", "up_for_reschedule")


def cancel(api: AirflowApi, dag_id: str, came_to_its_end: Callable[[str], bool], say: Callable[[str], None]) -> None:
    """Stop every backfill of a DAG, and take back what other commands asked for and has not begun.

    came_to_its_end: returns whether the run of an id was done before.
    """
    with _paused(api, dag_id):
        time.sleep(SECONDS_OF_A_LOOP)
        for run in _of_backfills(api, dag_id, "queued"):
            say(f"{run['dag_run_id']}{_asked(run)}: {_take_back(api, run, came_to_its_end)}")
    _take_back_stuck(api, dag_id, came_to_its_end, say)
    running = _of_backfills(api, dag_id, "running")
    say(f"Runs at work, which go on to their end: {len(running)}.")
    was_paused = api.is_paused(dag_id)
    api.unpause(dag_id)

    def none_is_at_work() -> bool:
        _take_back_stuck(api, dag_id, came_to_its_end, say)
        return not _of_backfills(api, dag_id, "running")

    _wait(none_is_at_work, RUN_SECONDS, f"Runs of {dag_id} are still at work")
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


def _asked(run: Json) -> str:
    """Return which days a person asked for, and why held ones are to be released; "" if nothing says so."""
    try:
        conf = conf_of(run["conf"])
    except BadSpec:
        return ""
    days = tuple(sorted({*conf.days, *filter(None, [conf.day])}))
    words = [*([spell(days)] if days else []), *([f"release: {conf.release}"] if conf.release else [])]
    return f" ({'; '.join(words)})" if words else ""


def _take_back(api: AirflowApi, run: Json, came_to_its_end: Callable[[str], bool]) -> str:
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    if not any(task["try_number"] for task in api.task_instances(dag_id, run_id)):
        api.delete_run(dag_id, run_id)
        return "removed, it had not begun"
    return _end(api, run, came_to_its_end)


def _end(api: AirflowApi, run: Json, came_to_its_end: Callable[[str], bool]) -> str:
    was_done = came_to_its_end(run["dag_run_id"])
    api.end_run(run["dag_id"], run["dag_run_id"], "success" if was_done else "failed")
    return "success again, as before" if was_done else "failed again, as before"


def _take_back_stuck(
    api: AirflowApi, dag_id: str, came_to_its_end: Callable[[str], bool], say: Callable[[str], None]
) -> None:
    """End the runs that wait for a pool that is not there. One that had ended before gets its old state."""
    there = api.pools()
    for run in _of_backfills(api, dag_id, "running"):
        if pool := _waits_for(api.task_instances(dag_id, run["dag_run_id"]), there):
            state = _end(api, run, came_to_its_end)
            say(f"{run['dag_run_id']}: {state.split()[0]}; it waited for a pool that is not there: {pool!r}")


def _waits_for(tasks: list[Json], pools: Container[str]) -> str | None:
    """Return the pool, if it is not there, of a task that has not begun; None while another task is at work."""
    if any(task["state"] in TASKS_AT_WORK for task in tasks):
        return None
    waiting = (task["pool"] for task in tasks if task["state"] in TASKS_THAT_WAIT)
    return next((pool for pool in waiting if pool not in pools), None)


def _wait(is_so: Callable[[], bool], seconds: float, otherwise: str) -> None:
    if not wait_until(is_so, seconds):
        raise DeploymentError(f"{otherwise} after {seconds:.0f} s; nothing else was stopped. Look into the UI.")
