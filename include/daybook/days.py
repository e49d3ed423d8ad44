"""The days that a pipeline may work on: over in its time zone, and inside its schedule. Every way in asks here."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from daybook.errors import BadSpec
from daybook.spec import Pipeline, Schedule
from daybook.spec.cron import runs_on

_DAY = timedelta(days=1)


def as_day(written: object) -> date:
    """Return a day from its text, such as "2013-01-05". Raises ValueError if it is another text, or none."""
    try:
        day = date.fromisoformat(str(written))
    except ValueError:
        day = None
    if day is None or str(day) != written:
        raise ValueError("not a day; expected YYYY-MM-DD, such as 2013-01-05")
    return day


WrittenDay = Annotated[date, BeforeValidator(as_day)]
"""A day that a person or a program writes as text."""


def check_day(pipeline: Pipeline, day: date, now: datetime) -> None:
    """Raise BadSpec unless a pipeline may work on a day. now: an instant with a time zone."""
    if why := why_not(pipeline.schedule, day, now):
        raise BadSpec(f"{pipeline.name}: {why}; nothing was done; give a day of the schedule that is over")


def why_not(schedule: Schedule, day: date, now: datetime) -> str | None:
    """Return why a day may not be worked on, or None if it may. now: an instant with a time zone."""
    return why_outside(schedule, day, now) or _why_left_out(schedule, day)


def why_outside(schedule: Schedule, day: date, now: datetime) -> str | None:
    """Return why a day lies outside of the days of a schedule that are over, or None. now: an instant."""
    finished = last_finished_day(schedule.time_zone, now)
    if day > finished:
        last = min(finished, schedule.end or finished)
        return f"{day} is not over yet in {schedule.time_zone}; expected {last} or before"
    if day < schedule.start:
        return f"{day} is before the schedule's first day, {schedule.start}"
    if schedule.end and day > schedule.end:
        return f"{day} is after the schedule's last day, {schedule.end}"
    return None


def day_of_run(schedule: Schedule, interval_start: datetime | None, seen_from: datetime) -> date:
    """Return the local day of a run for which nobody has named a day.

    interval_start: of the data interval, if the schedule made the run. A run that a person started has one too, but
    Airflow's is wrong on days on which the clock changes: pass None. Such a run takes the last day that the cron means
    and that is over, seen from an instant. The day may still lie outside of the schedule.
    """
    if interval_start:
        return interval_start.astimezone(ZoneInfo(schedule.time_zone)).date()
    day = last_finished_day(schedule.time_zone, seen_from)
    while not schedule.means(day) and day > schedule.start:
        day -= _DAY
    return day


def last_finished_day(time_zone: str, now: datetime) -> date:
    """Return the last local day that is over. now: an instant with a time zone."""
    day = now.astimezone(ZoneInfo(time_zone)).date() - _DAY
    return day if _was(day, time_zone) else day - _DAY


def days_between(first: date, last: date) -> list[date]:
    """Return the days from first to last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def scheduled_days(schedule: Schedule, first: date, last: date) -> list[date]:
    """Return the days of a schedule from first to last, both included."""
    days = days_between(max(first, schedule.start), min(last, schedule.end or last))
    return [day for day in days if is_meant(schedule, day)]


def finished_days(schedule: Schedule, now: datetime) -> list[date]:
    """Return all days of a schedule that are over. now: an instant with a time zone."""
    return scheduled_days(schedule, schedule.start, last_finished_day(schedule.time_zone, now))


def next_day(schedule: Schedule, day: date) -> date:
    """Return the first day after a day that a schedule means; its end does not matter."""
    return next(after for after in _after(day) if is_meant(schedule, after))


def days_around(schedule: Schedule, day: date, most: int) -> list[date]:
    """Return a day with so many before it and after it that a schedule means; its start and end do not matter."""
    after, before = ((other for other in _from(day, step) if is_meant(schedule, other)) for step in (_DAY, -_DAY))
    return [*reversed([*islice(before, most)]), day, *islice(after, most)]


def days_after(schedule: Schedule, day: date, most: int) -> tuple[date, ...]:
    """Return the first days after a day that a schedule means; its end does not matter."""
    return tuple(days_around(schedule, day, most)[most + 1 :])


def next_tick(schedule: Schedule, day: date) -> date:
    """Return the first day after a day that the cron means, a holiday or not: then the run of the day begins."""
    return next(after for after in _after(day) if runs_on(schedule.cron, after) and _was(after, schedule.time_zone))


def due_at(schedule: Schedule, day: date) -> datetime | None:
    """Return the instant by which a day has to be published, in UTC; None if the schedule says none."""
    if schedule.due is None:
        return None
    return datetime.combine(next_tick(schedule, day), schedule.due, ZoneInfo(schedule.time_zone)).astimezone(UTC)


def _after(day: date) -> Iterator[date]:
    return _from(day, _DAY)


def _from(day: date, step: timedelta) -> Iterator[date]:
    return (day + step * number for number in count(1))


def is_meant(schedule: Schedule, day: date) -> bool:
    """Return whether a schedule means a day, and there was such a day; its start and end do not matter."""
    return schedule.means(day) and _was(day, schedule.time_zone)


def start_of(day: date, time_zone: str) -> datetime:
    """Return the instant at which a local day begins, in UTC: if the clock skips its midnight, when the clock jumps."""
    # In UTC, because sums of local times follow the wall clock, and are wrong by an hour if it jumps.
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def bounds_of(first: date, last: date, time_zone: str) -> tuple[datetime, datetime]:
    """Return the instants, in UTC, at which the first local day begins and the day after the last one does."""
    return start_of(first, time_zone), start_of(last + _DAY, time_zone)


def _why_left_out(schedule: Schedule, day: date) -> str | None:
    if not _was(day, schedule.time_zone):
        return f"{day} never was in {schedule.time_zone}, whose clock skipped it"
    if closed := schedule.why_closed(day):
        return f"{day} is not a day of the schedule: {closed}"
    return None if schedule.means(day) else f"{day} is not a day of the schedule, whose cron is {schedule.cron!r}"


def _was(day: date, time_zone: str) -> bool:
    # Samoa has no 2011-12-30: it went to the other side of the date line.
    zone = ZoneInfo(time_zone)
    return datetime.combine(day, time(12), zone).astimezone(UTC).astimezone(zone).date() == day
