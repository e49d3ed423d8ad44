"""The cron of a schedule: five fields that mean one time of day, on every day or on some.

Airflow reads the same text with the same library, croniter, so both mean the same days.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
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
    return _never(cron) or _skipped(at, time_zone)


def time_of_day(cron: str) -> time:
    """Return the one time of day that a cron means. Raises ValueError if it means none, or several."""
    minutes, hours = _minutes_and_hours(cron)
    if len(minutes) != 1 or len(hours) != 1 or "*" in (*minutes, *hours):
        raise ValueError("it means several times a day")
    return time(int(hours[0]), int(minutes[0]))


def runs_on(cron: str, day: date) -> bool:
    """Return whether a cron means a day, of those that it means once a day."""
    if DAILY.fullmatch(cron):
        return True
    return bool(_croniter().match(cron, datetime.combine(day, time_of_day(cron))))


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
    try:
        _croniter()(cron, datetime(2024, 1, 1, tzinfo=UTC)).get_next()
    except ValueError:
        return f"it means no day at all; {EXPECTED}"
    return None


def _skipped(at: time, time_zone: str) -> str | None:
    # Airflow can lose the day before a change of the clock that skips its time; a skipped midnight does no harm.
    if at == time.min or time_zone == "UTC":
        return None
    first, last = SCHEDULED
    zone = ZoneInfo(time_zone)
    for number in range((last - first).days + 1):
        wanted = datetime.combine(first + timedelta(days=number), at, zone)
        if wanted.astimezone(UTC).astimezone(zone).time() != at:
            return f"the clock of {time_zone} skips {at:%H:%M} on {wanted.date()}; take a time that every day has"
    return None


def _croniter() -> Any:
    # Its import takes 100 ms, which most schedules need not pay.
    from croniter import croniter

    return croniter
