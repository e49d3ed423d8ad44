"""The cron of a schedule: five fields that mean one time of day, on every day or on some.

Airflow reads the same text with the same library, croniter, so both mean the same days.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

DAILY = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* \*")
EXPECTED = "it takes five fields that mean one time of day, such as '0 6 * * *' (6:00) or '30 6 * * 1-5' (weekdays)"
# croniter replaces H and R by a number of its own choice; in names of months and days they stand between letters.
AT_RANDOM = re.compile(r"(?<![a-z])[hr](?![a-z])", re.IGNORECASE)
# Airflow schedules no day before this release; time zone data hold single years until 2037, then a rule.
SCHEDULED = date(2026, 1, 1), date(2037, 12, 31)


def problem(cron: str, time_zone: str) -> str | None:
    """Return why a cron cannot be a schedule's, or None. time_zone: an IANA name."""
    fields = cron.split()
    if len(fields) != 5:
        return f"{len(fields)} field{'' if len(fields) == 1 else 's'} found; {EXPECTED}"
    if AT_RANDOM.search(cron):
        return f"it means a random time; {EXPECTED}"
    try:
        at = time_of_day(cron)
    except ValueError as error:
        return f"{error}; {EXPECTED}"
    return _never(cron) or skipped(at, time_zone)


def time_of_day(cron: str) -> time:
    """Return the one time of day that a cron means. Raises ValueError if it means none, or several."""
    minutes, hours = _minutes_and_hours(cron)
    if len(minutes) != 1 or len(hours) != 1 or "*" in (*minutes, *hours):
        raise ValueError("it means several times a day")
    return time(int(hours[0]), int(minutes[0]))


def runs_on(cron: str, day: date) -> bool:
    """Return whether a cron means a day, of those that it means once a day."""
    return bool(DAILY.fullmatch(cron)) or day in _days_of_month(cron, day.year, day.month)


@cache
def _days_of_month(cron: str, year: int, month: int) -> frozenset[date]:
    # Asked month by month, because croniter takes a millisecond to begin and little for each day after.
    first = datetime(year, month, 1, tzinfo=UTC)
    found = takewhile(lambda at: (at.year, at.month) == (year, month), _times_from(cron, first - timedelta(seconds=1)))
    return frozenset(at.date() for at in found)


def _times_from(cron: str, moment: datetime) -> Iterator[datetime]:
    times = _croniter()(cron, moment, datetime)
    # It raises ValueError if there is none within 50 years, and at the end of the calendar.
    with suppress(ValueError, OverflowError):
        while True:
            yield times.get_next()


def _minutes_and_hours(cron: str) -> tuple[list[Any], list[Any]]:
    if daily := DAILY.fullmatch(cron):
        return [daily[1]], [daily[2]]
    try:
        minutes, hours, *_ = _croniter().expand(cron)[0]
    except (ValueError, KeyError, IndexError) as error:
        raise ValueError(f"it cannot be read: {' '.join(str(error).split())}") from None
    return minutes, hours


def _never(cron: str) -> str | None:
    if DAILY.fullmatch(cron):
        return None
    is_some_day = next(_times_from(cron, datetime(2024, 1, 1, tzinfo=UTC)), None)
    return None if is_some_day else f"it means no day at all; {EXPECTED}"


def skipped(at: time, time_zone: str) -> str | None:
    """Return on which day a clock skips a time of day, or None."""
    # Airflow can lose the day before a change of the clock that skips its time; a skipped midnight does no harm.
    if at == time.min or time_zone == "UTC":
        return None
    for wanted in _around_changes(at, ZoneInfo(time_zone)):
        if wanted.astimezone(UTC).astimezone(wanted.tzinfo).time() != at:
            return f"the clock of {time_zone} skips {at:%H:%M} on {wanted.date()}; take a time that every day has"
    return None


def _around_changes(at: time, zone: ZoneInfo) -> Iterator[datetime]:
    """Return a time of each day of the weeks in which the clock of a zone changes."""
    days, week = SCHEDULED[1] - SCHEDULED[0], timedelta(days=7)
    midnights = [datetime.combine(SCHEDULED[0], time.min, zone) + week * number for number in range(days // week + 1)]
    for before, after in pairwise(midnights):
        if before.utcoffset() != after.utcoffset():
            yield from (datetime.combine(before.date() + timedelta(days=number), at, zone) for number in range(8))


def _croniter() -> Any:
    # Its import takes 100 ms, which most schedules need not pay.
    from croniter import croniter

    return croniter
