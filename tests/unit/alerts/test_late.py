"""Which days are late, in the time zone of the pipeline, also where the clock changes."""

from datetime import UTC, date, datetime

import pytest

from daybook.alerts.late import due_days, late_days, why_late
from daybook.days import due_at
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline, Schedule

FLIGHTS = load_pipelines().good["flights"]


def pipeline(zone: str = "Europe/Berlin", cron: str = "0 5 * * *", due: str | None = "07:00") -> Pipeline:
    """Return a pipeline of this year."""
    schedule = Schedule(time_zone=zone, cron=cron, due=due, start=date(2026, 1, 1))
    return FLIGHTS.model_copy(update={"schedule": schedule})


@pytest.mark.parametrize(
    ("zone", "cron", "day", "due"),
    [
        ("Europe/Berlin", "0 5 * * *", "2026-03-27", "2026-03-28T06:00"),
        ("Europe/Berlin", "0 5 * * *", "2026-03-28", "2026-03-29T05:00"),  # the clock goes forward in the night
        ("America/New_York", "0 5 * * *", "2026-03-01", "2026-03-02T12:00"),
        ("Pacific/Kiritimati", "0 5 * * *", "2026-03-01", "2026-03-01T17:00"),
        ("UTC", "0 5 * * 1-5", "2026-03-06", "2026-03-09T07:00"),  # of a Friday, on Monday
    ],
)
def test_a_day_is_due_on_the_local_day_on_which_its_run_begins(zone: str, cron: str, day: str, due: str) -> None:
    found = due_at(pipeline(zone, cron).schedule, date.fromisoformat(day))
    assert found == datetime.fromisoformat(f"{due}+00:00")


def test_a_day_is_late_from_its_time_on_until_readers_see_it() -> None:
    before, after = (datetime(2026, 3, 10, hour, minute, tzinfo=UTC) for hour, minute in ((5, 59), (6, 0)))
    of = pipeline()
    seen = {date(2026, 3, number) for number in range(1, 9)}
    assert late_days(of, before, seen) == []
    assert late_days(of, after, seen) == [date(2026, 3, 9)]
    assert late_days(of, after, seen | {date(2026, 3, 9)}) == []
    assert due_days(pipeline(due=None), after) == []
    assert "due at 07:00 in Europe/Berlin" in why_late(of)


def test_the_end_of_a_schedule_and_its_closed_days_are_not_late() -> None:
    words = {"end": date(2026, 3, 8), "closed": (date(2026, 3, 5),)}
    of = FLIGHTS.model_copy(update={"schedule": pipeline().schedule.model_copy(update=words)})
    late = late_days(of, datetime(2026, 3, 10, 12, tzinfo=UTC), set())
    assert late == [date(2026, 3, number) for number in (2, 3, 4, 6, 7, 8)]
