"""Days that were missed while the scheduler was down: the next daily run does them, and no other day."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from daybook import steps
from daybook.days import last_finished_day, start_of
from daybook.errors import DaybookError
from daybook.ledger.receipt import STEPS
from daybook.ledger.waiting import Waiting, note
from daybook.planning.daily_run import DailyRun, days_of
from daybook.run.run_step import run_step
from daybook.run.several_days import over_days
from daybook.spec import Plausible, Schedule
from tests.support.sales import file_of, sales

from .conftest import Days

DAY = timedelta(days=1)
MONDAY = date(2026, 3, 2)
START = MONDAY - 30 * DAY


def new(days: Days, schedule: Schedule, **words: Any) -> Days:
    """Put a pipeline with another schedule in place of the test's own."""
    words.setdefault("plausible", Plausible(within_pct=None))
    days.change(**dict(sales(days.pipeline.name, schedule, **words)))
    return days


def deliver(days: Days, *which: date, shops: int = 3) -> None:
    """Put the files of some days on the FTP server."""
    for day in which:
        (days.files / f"{day}.csv").write_text(file_of(day, shops))


def publish(days: Days, *which: date) -> None:
    """Deliver and publish some days."""
    deliver(days, *which)
    for day in which:
        days.run(str(day))


def daily_run(days: Days, day: date, *, now: datetime | None = None, is_at_its_begin: bool = True) -> list[date]:
    """Return the days of a new daily run of a day, by the ledger alone: it begins when the day is over."""
    days.runs += 1
    begins = now or start_of(day + DAY, days.pipeline.schedule.time_zone)
    run = DailyRun(days.pipeline, day, f"daily:{days.runs}", begins, is_at_its_begin)
    return days_of(run, days.servers.work(days.pipeline, str(day), "x").data, days.servers.connect_postgres, unasked)


def unasked(connection: str) -> Any:
    """Stand for a server that nobody may ask."""
    raise AssertionError(f"{connection} was asked")


def test_the_next_daily_run_does_the_missed_days_of_its_window_newest_first_and_status_and_plan_say_so(
    days: Days,
) -> None:
    zone = "America/New_York"
    day = last_finished_day(zone, datetime.now(UTC))
    new(days, Schedule(time_zone=zone, start=day - 20 * DAY))
    publish(days, day - 9 * DAY, day - 6 * DAY)
    deliver(days, *(day - number * DAY for number in range(9)))
    missed = [day - number * DAY for number in (1, 2, 3, 4, 5, 7)]
    said = f"catch_up_days 7: the next daily run, of {day}, also does 6 missed days: "
    assert said + f"{missed[4]} to {missed[0]}, {missed[5]}\n" in days.command("status")[1]
    assert days.json("plan")["catch_up"] == {
        "catch_up_days": 7,
        "next_daily_run": str(day),
        "also_does": [str(one) for one in missed],
    }
    found = daily_run(days, day, now=datetime.now(UTC))
    assert found == [day, *missed]
    works = [days.servers.work(days.pipeline, str(one), "daily") for one in found]
    for step in STEPS:
        over_days(getattr(steps, step), works, is_last_try=True)
    status = days.json("status")
    assert status["published"] == [str(day - number * DAY) for number in (9, 7, 6, 5, 4, 3, 2, 1, 0)]
    assert status["catch_up"]["next_daily_run"] == str(day + DAY)
    assert status["catch_up"]["also_does"] == []
    assert f"catch_up_days 7: the next daily run, of {day + DAY}, does no other day\n" in days.command("plan")[1]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Madrid", "Pacific/Pago_Pago"])
def test_a_schedule_without_sundays_has_no_missed_sunday_in_any_time_zone(days: Days, zone: str) -> None:
    new(days, Schedule(time_zone=zone, cron="30 6 * * 1-6", start=START))
    saturday = MONDAY - 9 * DAY
    publish(days, saturday)
    # The run of a Monday begins on Tuesday at 6:30, that of a Saturday on Monday.
    at = datetime.combine(MONDAY + DAY, time(6, 30), UTC)
    week = [MONDAY - number * DAY for number in (2, 3, 4, 5, 6, 7)]
    assert daily_run(days, MONDAY, now=at) == [MONDAY, *week]
    begins = start_of(MONDAY, zone) + timedelta(hours=6, minutes=30)
    assert daily_run(days, MONDAY - 2 * DAY, now=begins) == week


def test_a_closed_day_is_not_missed_and_the_run_after_it_does_the_days_before_it(days: Days) -> None:
    day = last_finished_day("UTC", datetime.now(UTC))
    new(days, Schedule(start=day - 20 * DAY, closed=(day, day - 3 * DAY)))
    publish(days, day - 5 * DAY)
    missed = [day - number * DAY for number in (1, 2, 4)]
    # Airflow's run of yesterday is skipped, so the next one is that of today.
    coming = {"catch_up_days": 7, "next_daily_run": str(day + DAY), "also_does": [str(one) for one in missed]}
    assert days.json("status")["catch_up"] == coming
    assert daily_run(days, day + DAY) == [day + DAY, *missed]


def test_a_new_pipeline_publishes_no_day_before_its_first(days: Days) -> None:
    new(days, Schedule(start=START))
    deliver(days, MONDAY - 2 * DAY, MONDAY - DAY)
    assert daily_run(days, MONDAY) == [MONDAY]
    publish(days, MONDAY)
    assert daily_run(days, MONDAY + DAY) == [MONDAY + DAY]


def test_the_days_are_those_of_the_ledger_under_the_pipelines_own_name(days: Days) -> None:
    new(days, Schedule(start=START))
    publish(days, MONDAY - 3 * DAY)
    other = replace(days, pipeline=days.pipeline.model_copy(update={"name": f"{days.pipeline.name}_b"}))
    assert daily_run(other, MONDAY) == [MONDAY]
    assert daily_run(days, MONDAY) == [MONDAY, MONDAY - DAY, MONDAY - 2 * DAY]


def test_0_leaves_missed_days_alone_and_asks_no_server(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    new(days, Schedule(start=START), catch_up_days=0)
    publish(days, MONDAY - 3 * DAY)
    assert "catch_up_days 0: daily runs do no missed day; `./daybook backfill` does\n" in days.command("status")[1]
    monkeypatch.setattr(type(days.servers), "connect_postgres", unasked)
    assert daily_run(days, MONDAY) == [MONDAY]


def test_a_run_that_has_begun_gets_no_more_days(days: Days) -> None:
    new(days, Schedule(start=START))
    publish(days, MONDAY - 3 * DAY)
    assert daily_run(days, MONDAY, is_at_its_begin=False) == [MONDAY]


def test_a_run_of_long_ago_that_is_cleared_catches_nothing_up_and_no_run_follows_an_ended_schedule(days: Days) -> None:
    new(days, Schedule(start=START, end=MONDAY))
    publish(days, MONDAY - 3 * DAY)
    missed = [MONDAY - DAY, MONDAY - 2 * DAY]
    assert daily_run(days, MONDAY, now=start_of(MONDAY + 8 * DAY, "UTC")) == [MONDAY, *missed]
    assert daily_run(days, MONDAY, now=start_of(MONDAY + 30 * DAY, "UTC")) == [MONDAY]
    said = f"catch_up_days 7: no daily run follows that of the schedule's last day, {MONDAY}\n"
    assert said in days.command("status")[1]


def held(days: Days, day: date) -> None:
    """Have a day with too few rows."""
    days.change(plausible=Plausible(min_rows=4, within_pct=None))
    deliver(days, day)
    days.run(str(day))


def bad(days: Days, day: date) -> None:
    """Have a day whose file has no header."""
    (days.files / f"{day}.csv").write_text("1;2\n")
    days.run(str(day))


def late(days: Days, day: date) -> None:
    """Have a day whose file did not come."""
    days.run(str(day))


def waiting(days: Days, day: date) -> None:
    """Have a day whose file is seen for the first time, and has to stand still."""
    deliver(days, day)
    days.change(files=(days.pipeline.files[0].model_copy(update={"is_written_whole": False}),))
    days.run(str(day))


def cancelled(days: Days, day: date) -> None:
    """Have a day whose run ended in the middle."""
    deliver(days, day)
    days.run(str(day), until="load")


def taken_back(days: Days, day: date) -> None:
    """Have a day whose first publication a person took back."""
    publish(days, day)
    words = ("--to", "nothing", "--why", "wrong prices", "--who", "ann")
    assert days.command("rollback", str(day), *words)[0] == 0


def away_since_taken_back(days: Days, day: date) -> None:
    """Have a day that a person took back, and then a run whose server was away."""
    taken_back(days, day)
    away(days, day)


def away(days: Days, day: date) -> None:
    """Have a day whose server stayed away until the limit."""
    days.runs += 1
    work = replace(days.servers.work(days.pipeline, str(day), f"run_{days.runs}"), ftp=refused, attempt=1)
    long_ago = dict.fromkeys(("since", "looked_at", "again_at", "away_since"), datetime(2020, 1, 1, tzinfo=UTC))
    note(work.folder / "extract_files", Waiting(attempt=1, awaited=(), **long_ago))
    run_step(steps.extract_tables, work)
    run_step(steps.extract_files, work)


def refused(connection: str) -> Any:
    """Stand for a server that does not run."""
    raise ConnectionRefusedError(111, "Connection refused")


@pytest.mark.parametrize(
    ("happened", "counted_as", "is_done_again"),
    [
        (held, "held", 0),
        (bad, "failed", 0),
        (late, "failed", 0),
        (waiting, "waiting", 0),
        (cancelled, "missing", 0),
        (taken_back, "rolled_back", 0),
        (away_since_taken_back, "rolled_back", 0),
        (away, "failed", 1),
    ],
)
def test_of_the_days_that_were_tried_only_one_whose_server_was_away_is_done_again(
    days: Days, happened: Callable[[Days, date], None], counted_as: str, is_done_again: int
) -> None:
    new(days, Schedule(start=START))
    publish(days, MONDAY - 3 * DAY)
    tried = MONDAY - 2 * DAY
    with suppress(DaybookError):
        happened(days, tried)
    assert str(tried) in days.json("status")[counted_as]
    assert daily_run(days, MONDAY) == [MONDAY, MONDAY - DAY, *[tried] * is_done_again]
