"""Which days are asked: open ends, in every time zone and at both changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from commands.arguments import asked_days
from daybook.errors import BadSpec
from daybook.spec import Pipeline, Schedule
from tests.support.shop import shop

DAY = timedelta(days=1)
# Both changes of the clock in 2025; Sao Paulo's and Beirut's are, or were, at midnight, Lord Howe's is half an hour.
CHANGES = [
    ("America/New_York", date(2025, 3, 9)),
    ("America/New_York", date(2025, 11, 2)),
    ("Europe/Berlin", date(2025, 3, 30)),
    ("Europe/Berlin", date(2025, 10, 26)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Asia/Beirut", date(2025, 3, 30)),
    ("Asia/Beirut", date(2025, 10, 26)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    ("Pacific/Kiritimati", date(2025, 6, 1)),
    ("Pacific/Pago_Pago", date(2025, 6, 1)),
]


def pipeline(zone: str, start: date, end: date | None = None) -> Pipeline:
    """Return a pipeline with days from start to end, local days of a time zone."""
    return shop(schedule=Schedule(time_zone=zone, start=start, end=end))


def start_of(day: date, zone: str) -> datetime:
    """Return the first instant of a local day."""
    moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    while moment.astimezone(ZoneInfo(zone)).date() >= day:
        moment -= timedelta(minutes=15)
    while moment.astimezone(ZoneInfo(zone)).date() < day:
        moment += timedelta(minutes=15)
    return moment


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_an_open_end_is_the_last_local_day_that_is_over_and_no_day_is_lost_or_doubled(zone: str, change: date) -> None:
    asked = pipeline(zone, change - DAY)
    over = start_of(change + DAY, zone)
    assert asked_days(asked, None, None, over) == [change - DAY, change]
    assert asked_days(asked, None, None, over - timedelta(seconds=1)) == [change - DAY]


def test_a_schedule_that_has_ended_asks_for_nothing_after_its_end() -> None:
    asked = pipeline("UTC", date(2013, 12, 30), date(2013, 12, 31))
    assert asked_days(asked, None, None, datetime(2026, 1, 1, tzinfo=UTC)) == [date(2013, 12, 30), date(2013, 12, 31)]


def test_a_day_that_is_not_over_is_refused() -> None:
    late_that_day = datetime(2026, 1, 10, 22, 59, tzinfo=UTC)
    with pytest.raises(BadSpec, match="2026-01-10 is not over yet in Europe/Berlin; expected 2026-01-09 or before"):
        asked_days(pipeline("Europe/Berlin", date(2026, 1, 1)), None, date(2026, 1, 10), late_that_day)


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (date(2012, 12, 31), None, "2012-12-31 is before the schedule's first day, 2013-01-01"),
        (None, date(2014, 1, 1), "2014-01-01 is after the schedule's last day, 2013-12-31"),
        (date.min, date.max, "9999-12-31 is not over yet in Europe/Berlin; expected 2013-12-31 or before"),
        (date(2013, 1, 3), date(2013, 1, 2), "the last day, 2013-01-02, is before the first, 2013-01-03"),
    ],
)
def test_days_out_of_the_schedule_are_refused(first: date | None, last: date | None, says: str) -> None:
    ended = pipeline("Europe/Berlin", date(2013, 1, 1), date(2013, 12, 31))
    with pytest.raises(BadSpec, match=says):
        asked_days(ended, first, last, datetime(2026, 1, 1, tzinfo=UTC))


def test_the_days_that_the_cron_leaves_out_are_not_asked() -> None:
    weekdays = shop(schedule=Schedule(cron="30 6 * * 1-5", start=date(2026, 1, 5), end=date(2026, 1, 13)))
    asked = asked_days(weekdays, date(2026, 1, 10), None, datetime(2026, 2, 1, tzinfo=UTC))
    assert [day.day for day in asked] == [12, 13]
    with pytest.raises(BadSpec, match=r"no day of the schedule from 2026-01-10 to 2026-01-11; .* '30 6 \* \* 1-5'"):
        asked_days(weekdays, date(2026, 1, 10), date(2026, 1, 11), datetime(2026, 2, 1, tzinfo=UTC))


def test_a_schedule_that_has_not_begun_says_when_it_does() -> None:
    with pytest.raises(BadSpec, match=r"no day of the schedule .* it begins on 2027-01-01"):
        asked_days(pipeline("UTC", date(2027, 1, 1)), None, None, datetime(2026, 2, 1, tzinfo=UTC))
