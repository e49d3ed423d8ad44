"""The events that only Airflow sees: a try that is tried again, takes too long, is killed, or cannot even begin.

Handlers are a user's code, so they are called only where a user's code runs anyway: in the task's process, and in the
DAG processor's process that has loaded the pipelines; never in the scheduler. docs/events.md says which event is told
where.

    at_work         around a step: its try has begun, and has it ended?
    tell_retry      on_retry_callback of each task: in its process, or in the DAG processor if that was killed
    tell_failure    on_failure_callback of each task, in the same places
    tell_killed     on_failure_callback of the DAG, in the DAG processor: what nobody has told of the run's tasks
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from functools import wraps
from typing import Any

from airflow.sdk.exceptions import AirflowTaskTimeout

from daybook.alerts.outbox import outbox_folder
from daybook.alerts.tries import Tries, Try
from daybook.errors import NotYet
from daybook.events.handlers import tell
from daybook.events.happening import Event, Happening
from daybook.pipelines import load_pipelines
from daybook_airflow.data import data_for_now
from daybook_airflow.run_days import noted_days

KILLED = "the process of try {} ended without a word: it was killed, by a lack of memory or by somebody, or it crashed"
log = logging.getLogger(__name__)


@contextmanager
def at_work(context: Any) -> Iterator[None]:
    """Note that a task's try has begun, until the block is left; first tell of earlier tries that never ended."""
    one = _try_of(context)
    _safely(lambda: _begin(one, context))
    try:
        yield
    finally:
        _safely(lambda: _tries().end(one))


@contextmanager
def told_if_broken(context: Any) -> Iterator[None]:
    """Tell if a task cannot even find out what it has to do, such as with a bad word in its run's conf."""
    try:
        yield
    except NotYet:
        raise
    except Exception as error:
        _tell(Event.BROKEN_TASK, context, str(error))
        raise


def _safe(callback: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(callback)
    def safe(context: Any) -> None:
        _safely(lambda: callback(context))

    return safe


@_safe
def tell_retry(context: Any) -> None:
    """Tell that a try ended, if a step could not tell it, and that another one follows."""
    if _has_told_end(context):
        _tell(Event.RETRY, context, _error(context) or KILLED.format(_try_of(context).number))


@_safe
def tell_failure(context: Any) -> None:
    """Tell that a task's last try ended, if a step could not tell it."""
    _has_told_end(context)


@_safe
def tell_killed(context: Any) -> None:
    """Tell of the tries of a failed run that have never ended."""
    run = context["dag_run"]
    for left in _tries().left(run.dag_id, run.run_id):
        _tell_killed(left, context)


def _begin(one: Try, context: Any) -> None:
    for left in _tries().left(one.dag_id, one.run_id):
        if left.task_id == one.task_id and left.number < one.number and _tell_killed(left, context):
            _tell(Event.RETRY, context, KILLED.format(left.number))
    _tries().begin(one)


def _has_told_end(context: Any) -> bool:
    """Tell of an end that a step cannot tell; return whether another process has told it before."""
    error = context.get("exception")
    if error is None:
        # Airflow has no error to give if it found the process dead.
        return _tell_killed(_try_of(context), context)
    if isinstance(error, AirflowTaskTimeout):
        _tell(Event.TIMEOUT, context, _error(context))
    return True


def _tell_killed(one: Try, context: Any) -> bool:
    if not _tries().claim(one):
        return False
    _tell(Event.PROCESS_FAILURE, context, KILLED.format(one.number), step=one.task_id)
    return True


def _error(context: Any) -> str:
    error = context.get("exception")
    if isinstance(error, AirflowTaskTimeout):
        return f"it took over {context['task'].execution_timeout}, its execution_timeout, and was ended"
    return str(error or "")


def _tell(event: Event, context: Any, error: str, step: str = "") -> None:
    run = context["dag_run"]
    of_step = step or context["ti"].task_id
    tell(Happening(event, run.dag_id, _days(context), of_step, run.run_id, error=error))


def _days(context: Any) -> tuple[date, ...]:
    """Return the days of a run, as far as they can be known where no step is at work."""
    if known := getattr(context.get("task"), "days", None):
        return tuple(known)
    run = context["dag_run"]
    with suppress(Exception):
        return tuple(noted_days(load_pipelines().good[run.dag_id], run, data_for_now()))
    return ()


def _try_of(context: Any) -> Try:
    ti = context["ti"]
    return Try(context["dag_run"].dag_id, context["dag_run"].run_id, ti.task_id, ti.try_number)


def _tries() -> Tries:
    return Tries(outbox_folder())


def _safely(do: Callable[[], object]) -> None:
    try:
        do()
    except Exception:
        # Such as a full disk: no event is worth a task.
        log.exception("An event could not be told")
