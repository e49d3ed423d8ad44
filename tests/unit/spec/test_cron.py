"""The cron of a schedule: one time of day, on every day or on some; any other is refused with the reason."""

from datetime import date, time

import pytest

from daybook.errors import BadSpec
from daybook.spec import Schedule
from daybook.spec.cron import time_of_day

START = date(2026, 6, 1)  # a Monday


def days_of(cron: str) -> list[int]:
    """Return the days of June 2026 that a cron means."""
    schedule = Schedule(cron=cron, start=START)
    return [day for day in range(1, 31) if schedule.means(date(2026, 6, day))]


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("abc", "1 field found"),
        ("", "0 fields found"),
        ("@hourly", "1 field found"),
        ("@daily", "it takes five fields that mean one time of day, such as '0 6 * * *'"),
        ("0 0 * * * *", "6 fields found"),
        ("0 0 * *", "4 fields found"),
        ("0 * * * *", "it means several times a day"),
        ("*/5 2 * * *", "it means several times a day"),
        ("0,30 2 * * *", "it means several times a day"),
        ("0 6,18 * * *", "it means several times a day"),
        ("* * * * *", "it means several times a day"),
        ("0 25 * * *", "hour must be in 0..23"),
        ("60 1 * * *", "minute must be in 0..59"),
        ("0 24 * * *", "hour must be in 0..23"),
        ("-1 0 * * *", "it cannot be read"),
        ("0 0 * 13 *", "it cannot be read"),
        ("0 0 * * someday", "it cannot be read"),
        ("0 0 30 2 *", "it means no day at all"),
        ("H 3 * * *", "it means a random time"),
        ("R 3 * * *", "it means a random time"),
    ],
)
def test_a_cron_that_is_not_one_time_of_day_is_refused_with_the_reason(cron: str, reason: str) -> None:
    with pytest.raises(BadSpec, match=r"Schedule, cron: .* is refused: ") as error:
        Schedule(cron=cron, start=START)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 0 * * *", list(range(1, 31))),
        ("30 6 * * *", list(range(1, 31))),
        ("*/60 6 * * *", list(range(1, 31))),
        ("0 6 * * 1-5", [day for day in range(1, 31) if date(2026, 6, day).weekday() < 5]),
        ("0 6 * * sat,sun", [6, 7, 13, 14, 20, 21, 27, 28]),
        ("0 6 * * thu", [4, 11, 18, 25]),
        ("0 6 1 * *", [1]),
        ("0 6 l * *", [30]),
        # A day of the month and one of the week: cron joins them by "or", and so does Airflow.
        ("0 6 2 * 5", [2, 5, 12, 19, 26]),
    ],
)
def test_a_cron_means_every_day_or_some(cron: str, days: list[int]) -> None:
    assert days_of(cron) == days


def test_the_time_of_day_is_that_of_the_cron() -> None:
    assert time_of_day("5 06 * * 1-5") == time(6, 5)


@pytest.mark.parametrize(
    ("time_zone", "cron"),
    [
        ("Europe/Madrid", "30 2 * * *"),
        ("America/New_York", "0 2 * * *"),
        ("Asia/Beirut", "30 0 * * *"),
        ("Australia/Lord_Howe", "15 2 * * *"),
        ("America/Santiago", "30 0 * * 1-7"),
    ],
)
def test_a_time_that_the_clock_skips_on_some_day_is_refused(time_zone: str, cron: str) -> None:
    with pytest.raises(BadSpec, match=r"the clock of .* skips \d\d:\d\d on 20"):
        Schedule(time_zone=time_zone, cron=cron, start=START)


@pytest.mark.parametrize(
    ("time_zone", "cron"),
    [
        ("Europe/Madrid", "30 3 * * *"),
        ("Asia/Kolkata", "30 2 * * *"),
        ("America/Sao_Paulo", "30 0 * * *"),
        # The day then begins when the clock jumps, and loses nothing.
        ("Asia/Beirut", "0 0 * * *"),
    ],
)
def test_a_time_that_no_day_lacks_is_taken(time_zone: str, cron: str) -> None:
    assert Schedule(time_zone=time_zone, cron=cron, start=START).cron == cron


def test_a_start_before_the_year_1000_is_refused() -> None:
    with pytest.raises(BadSpec, match=r"Schedule, start: .* is refused: it is before the year 1000"):
        Schedule(start=date(26, 1, 1))


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("XX", "Schedule, holidays: 'XX' is refused: there is no calendar of that country"),
        ("Spain", "it takes a code of ISO 3166, such as 'ES'"),
        ("es", "did you mean 'ES'?"),
        ("ES-MAD", "ES has no part 'MAD'; did you mean 'MD'?"),
        ("", "there is no calendar"),
    ],
)
def test_holidays_of_no_country_are_refused(where: str, reason: str) -> None:
    with pytest.raises(BadSpec) as error:
        Schedule(start=START, holidays=where)
    assert reason in str(error.value)
