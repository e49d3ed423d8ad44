"""The events of a step at work, told to the user's handlers: on a day, and over the days of a run."""

from collections.abc import Callable, Sequence
from datetime import date
from time import monotonic
from typing import Any

from daybook.errors import NotYet
from daybook.events.handlers import tell
from daybook.events.happening import Event, Happening
from daybook.ledger.receipt import STEPS, Done
from daybook.run.day_run import DayRun
from daybook.run.step_run import StepRun, run_step


def told_step(step: Callable[[StepRun], Done], day_run: DayRun) -> dict[str, Any]:
    """Do a step of a day, and tell how it went; return its counts. Raises what the step raises."""
    name, began = step.__name__, monotonic()
    tell(_of_day(Event.START, day_run, name))
    try:
        counts = run_step(step, day_run)
    except NotYet as error:
        tell(_of_day(Event.DEPENDENCY_MISSING, day_run, name, error=str(error)))
        raise
    except BaseException as error:
        tell(_of_day(Event.PROCESSING_TIME, day_run, name, seconds=monotonic() - began))
        # Of a task that is ended from outside, Airflow's callback tells more: a timeout, for example.
        if isinstance(error, Exception):
            tell(_of_day(Event.FAILURE, day_run, name, error=str(error)))
        raise
    tell(_of_day(Event.PROCESSING_TIME, day_run, name, seconds=monotonic() - began))
    if name in STEPS[:2]:
        tell(_of_day(Event.DEPENDENCY_PRESENT, day_run, name))
    tell(_of_day(Event.SUCCESS, day_run, name))
    return counts


def tell_progress(day_runs: Sequence[DayRun], step: str, done: int) -> None:
    """Tell that a step has gone over so many days of its run."""
    tell(_of_range(Event.PROGRESS, day_runs, step, done=done))


def tell_range(day_runs: Sequence[DayRun], step: str, missing: Sequence[date]) -> None:
    """Tell how much of a range is published. missing: its days that are not, in order.

    The delay is counted as in Luigi's `RangeBase`: from the first day that is missing to the end of the range.
    """
    days = [day_run.day for day_run in day_runs]
    done = len(days) - len(missing)
    tell(_of_range(Event.COMPLETE_COUNT, day_runs, step, done=done))
    tell(_of_range(Event.COMPLETE_FRACTION, day_runs, step, done=done))
    delay_days = len(days) - days.index(missing[0]) if missing else 0
    tell(_of_range(Event.DELAY, day_runs, step, done=done, delay_days=delay_days))


def _of_day(event: Event, day_run: DayRun, step: str, seconds: float | None = None, error: str = "") -> Happening:
    return Happening(event, day_run.pipeline.name, (day_run.day,), step, day_run.run, seconds, error)


def _of_range(
    event: Event, day_runs: Sequence[DayRun], step: str, done: int, delay_days: int | None = None
) -> Happening:
    first, days = day_runs[0], tuple(day_run.day for day_run in day_runs)
    return Happening(event, first.pipeline.name, days, step, first.run, done=done, of=len(days), delay_days=delay_days)
