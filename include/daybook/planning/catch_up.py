"""The days that a daily run catches up: those before it that were missed, as while the scheduler was down.

The ledger alone decides. A day is missed if it is in the schedule, after the first day that readers see, and no run
ever began it, or its last run ended because a server was away. Any other day that is not published is left to a person:
it is held, its data are bad or late, a run is at work on it, or somebody took it back.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from daybook.days import day_of_run, last_finished_day, next_day, next_tick, scheduled_days
from daybook.ledger import step_log
from daybook.ledger.decisions import rollbacks
from daybook.ledger.queries import is_begun
from daybook.postgres.session import Connection
from daybook.spec import Pipeline

# The kinds of failure that pass by themselves: the other side was away.
PASSES = ("SourceUnavailable", "StillAway")
_DAY = timedelta(days=1)


class CatchUp(NamedTuple):
    """The next daily run: the day that it is about, None if none follows; and the missed days that it does as well,
    newest first."""

    day: date | None
    missed: tuple[date, ...]


def missed_days(connection: Connection, pipeline: Pipeline, day: date, now: datetime) -> list[date]:
    """Return the missed days of the window before a day, newest first.

    now: an instant with a time zone. A run that was due long ago has none: a person clears it for its own day.
    """
    window = _window(pipeline, day, now)
    if not window or not is_begun(connection):
        return []
    first, settled = step_log.first_published_day(connection, pipeline.name), _settled(connection, pipeline, window)
    return [missed for missed in reversed(window) if first and missed > first and missed not in settled]


def next_catch_up(connection: Connection, pipeline: Pipeline, now: datetime) -> CatchUp:
    """Return what the next daily run is going to do, as far as it is known now. now: an instant with a time zone."""
    day = _next_day_of_a_run(connection, pipeline, now)
    return CatchUp(day, tuple(missed_days(connection, pipeline, day, now)) if day else ())


def _window(pipeline: Pipeline, day: date, now: datetime) -> list[date]:
    schedule, most = pipeline.schedule, pipeline.catch_up_days
    due = next_tick(schedule, day)
    if (last_finished_day(schedule.time_zone, now) - due).days >= most:
        return []
    return scheduled_days(schedule, date.fromordinal(max(day.toordinal() - most, 1)), day - _DAY)


def _settled(connection: Connection, pipeline: Pipeline, window: list[date]) -> set[date]:
    asked = (connection, pipeline.name, window[0], window[-1])
    away = {day for day, (_, kind, *_) in step_log.failures(*asked).items() if kind in PASSES}
    return (step_log.begun_days(*asked) - away) | step_log.published_days(*asked) | set(rollbacks(*asked))


def _next_day_of_a_run(connection: Connection, pipeline: Pipeline, now: datetime) -> date | None:
    # Airflow makes one run, for the last day that the cron means: none if the schedule ended before it, and one that is
    # skipped on a holiday.
    schedule, last = pipeline.schedule, day_of_run(pipeline.schedule, None, now)
    is_last = next_tick(schedule, last) > last_finished_day(schedule.time_zone, now)
    if is_last and scheduled_days(schedule, last, last) and not _is_begun(connection, pipeline, last):
        return last
    coming = next_day(schedule, max(last, schedule.start - _DAY))
    return coming if schedule.end is None or coming <= schedule.end else None


def _is_begun(connection: Connection, pipeline: Pipeline, day: date) -> bool:
    return is_begun(connection) and bool(step_log.begun_days(connection, pipeline.name, day, day))
