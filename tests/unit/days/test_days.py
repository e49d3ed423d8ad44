"""Which days may be worked on: over in the pipeline's time zone, in its schedule; and which day a run takes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from daybook.days import as_day, check_day, day_of_run, days_around, last_finished_day, scheduled_days, why_not
from daybook.errors import BadSpec
from daybook.spec import Schedule
from tests.support.shop import shop

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)  # a Thursday
DAILY = Schedule(start=date(2026, 1, 10), end=date(2026, 12, 31))
WEEKDAYS = Schedule(cron="30 6 * * 1-5", start=date(2026, 1, 10))
MADRID = Schedule(holidays="ES-MD", closed=(date(2026, 8, 3),), start=date(2026, 1, 10), time_zone="Europe/Madrid")
SAMOA = Schedule(time_zone="Pacific/Apia", start=date(2011, 1, 1))
# A change of the clock: each day is the one on which it changes. Apia's left out a whole day.
CHANGES = [
    ("Europe/Madrid", date(2026, 3, 29)),
    ("Europe/Madrid", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Asia/Kolkata", date(2026, 3, 29)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Pacific/Apia", date(2011, 12, 29)),
    ("Pacific/Apia", date(2011, 12, 31)),
    ("Pacific/Kiritimati", date(1994, 12, 30)),
]


@pytest.mark.parametrize(
    ("schedule", "day", "reason"),
    [
        (DAILY, date(2030, 1, 1), "2030-01-01 is not over yet in UTC; expected 2026-11-25 or before"),
        (DAILY, date(2026, 11, 26), "2026-11-26 is not over yet in UTC"),
        (DAILY, date.max, "9999-12-31 is not over yet in UTC"),
        (DAILY, date(2026, 1, 9), "2026-01-09 is before the schedule's first day, 2026-01-10"),
        (DAILY, date.min, "0001-01-01 is before the schedule's first day, 2026-01-10"),
        (Schedule(start=date(2013, 1, 1), end=date(2013, 12, 31)), date(2026, 11, 25), "after the schedule's last day"),
        (WEEKDAYS, date(2026, 11, 22), "2026-11-22 is not a day of the schedule, whose cron is '30 6 * * 1-5'"),
        (MADRID, date(2026, 5, 2), "2026-05-02 is not a day of the schedule: it is a public holiday in ES-MD ("),
        (MADRID, date(2026, 8, 3), "2026-08-03 is not a day of the schedule: it is one of the days in `closed`"),
        (SAMOA, date(2011, 12, 30), "2011-12-30 never was in Pacific/Apia, whose clock skipped it"),
    ],
)
def test_a_day_that_is_not_over_or_not_in_the_schedule_is_refused(schedule: Schedule, day: date, reason: str) -> None:
    assert reason in str(why_not(schedule, day, NOON))
    with pytest.raises(BadSpec, match=f"shop: .*{day}.*; nothing was done; give a day of the schedule that is over"):
        check_day(shop(schedule=schedule), day, NOON)


@pytest.mark.parametrize(
    ("schedule", "day"),
    [
        (DAILY, date(2026, 1, 10)),
        (DAILY, date(2026, 11, 25)),
        (WEEKDAYS, date(2026, 11, 20)),
        (SAMOA, date(2011, 12, 29)),
        (Schedule(start=date(2013, 1, 1), end=date.max), date(2026, 11, 25)),
    ],
)
def test_a_day_that_is_over_and_in_the_schedule_is_worked_on(schedule: Schedule, day: date) -> None:
    check_day(shop(schedule=schedule), day, NOON)


@pytest.mark.parametrize(("time_zone", "change"), CHANGES)
def test_a_run_without_a_day_takes_the_last_day_that_is_over_at_every_moment_around_a_change(
    time_zone: str, change: date
) -> None:
    schedule, zone = Schedule(time_zone=time_zone, start=date(1990, 1, 1)), ZoneInfo(time_zone)
    first = datetime(change.year, change.month, change.day, tzinfo=UTC) - timedelta(days=2)
    moments = [first + timedelta(minutes=10) * number for number in range(6 * 24 * 5)]
    for moment in moments:
        today = moment.astimezone(zone).date()
        day = day_of_run(schedule, None, moment)
        # The local dates of the moments before: the last one that is not today's.
        before = {(moment - timedelta(minutes=30) * n).astimezone(zone).date() for n in range(6 * 24)} - {today}
        assert day == max(before), moment.astimezone(zone)
        assert why_not(schedule, day, moment) is None


def test_a_run_without_a_day_takes_the_last_day_that_the_cron_means() -> None:
    sunday = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert day_of_run(WEEKDAYS, None, sunday) == date(2026, 11, 20)


def test_a_run_without_a_day_takes_none_of_a_schedule_that_has_ended() -> None:
    ended = Schedule(start=date(2013, 1, 1), end=date(2013, 12, 31))
    with pytest.raises(BadSpec, match="2026-11-25 is after the schedule's last day, 2013-12-31"):
        check_day(shop(schedule=ended), day_of_run(ended, None, NOON), NOON)


@pytest.mark.parametrize(
    ("time_zone", "start", "day"),
    [
        ("America/New_York", "2013-01-05T05:00", date(2013, 1, 5)),
        ("Asia/Kolkata", "2013-01-04T18:30", date(2013, 1, 5)),
        ("America/Sao_Paulo", "2018-11-04T03:00", date(2018, 11, 4)),
    ],
)
def test_a_run_of_the_schedule_takes_the_local_day_on_which_its_interval_starts(
    time_zone: str, start: str, day: date
) -> None:
    schedule = Schedule(time_zone=time_zone, start=date(2010, 1, 1))
    assert day_of_run(schedule, datetime.fromisoformat(start).replace(tzinfo=UTC), NOON) == day


def test_the_days_of_a_schedule_are_those_of_its_cron_between_its_ends() -> None:
    weekend = Schedule(cron="0 0 * * 6,0", start=date(2026, 6, 7), end=date(2026, 6, 20))
    assert [day.day for day in scheduled_days(weekend, date(2026, 5, 1), date(2026, 7, 1))] == [7, 13, 14, 20]
    assert date(2011, 12, 30) not in scheduled_days(SAMOA, date(2011, 12, 1), date(2012, 1, 31))


def test_the_days_around_a_day_are_those_of_the_schedule_whatever_its_ends() -> None:
    friday = date(2026, 1, 9)
    assert [day.day for day in days_around(WEEKDAYS, friday, 2)] == [7, 8, 9, 12, 13]
    assert days_around(DAILY, date(2026, 12, 31), 1)[2] == date(2027, 1, 1)
    assert date(2011, 12, 30) not in days_around(SAMOA, date(2011, 12, 29), 1)


def test_the_day_before_a_day_that_never_was_is_the_last_one_that_is_over() -> None:
    assert last_finished_day("Pacific/Apia", datetime(2011, 12, 30, 12, tzinfo=UTC)) == date(2011, 12, 29)


@pytest.mark.parametrize(
    "written", ["2013-1-5", "20130105", "2013-W01-6", "2013-02-30", "", " 2013-01-05", 20130105, None]
)
def test_only_one_way_of_writing_a_day_is_read(written: object) -> None:
    with pytest.raises(ValueError, match=r"not a day; expected YYYY-MM-DD, such as 2013-01-05"):
        as_day(written)


def test_a_holiday_is_no_day_of_the_schedule_and_one_of_another_part_of_the_country_is() -> None:
    # The first of May is a holiday in all of Spain; the second in Madrid alone.
    spain = MADRID.model_copy(update={"holidays": "ES"})
    found = [[day.day for day in scheduled_days(s, date(2026, 4, 30), date(2026, 5, 3))] for s in (MADRID, spain)]
    assert found == [[30, 3], [30, 2, 3]]
    assert day_of_run(MADRID, None, datetime(2026, 5, 3, 12, tzinfo=UTC)) == date(2026, 4, 30)
