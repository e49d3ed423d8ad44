"""The day that a run is about: the one place that decides it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def day_of_run(asked: str | None, interval_start: datetime | None, run_after: datetime, time_zone: str) -> date:
    """Return the local day of a run.

    A day that a person set in the form wins; then comes the local date on which the data interval starts; otherwise
    (a run triggered through the API without a logical date has no interval) it is yesterday, seen from `run_after`.

    asked: an ISO date such as "2013-01-05", or None. interval_start, run_after: instants with a time zone.
    time_zone: the pipeline's, an IANA name. Raises ValueError if `asked` is not an ISO date.
    """
    if asked:
        return date.fromisoformat(asked)
    zone = ZoneInfo(time_zone)
    if interval_start:
        return interval_start.astimezone(zone).date()
    return run_after.astimezone(zone).date() - timedelta(days=1)


def last_finished_day(time_zone: str, now: datetime) -> date:
    """Return the last local day that is over. now: an instant with a time zone."""
    return now.astimezone(ZoneInfo(time_zone)).date() - timedelta(days=1)


def days_between(first: date, last: date) -> list[date]:
    """Return the days from first to last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
