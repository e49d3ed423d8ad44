"""A month of a shop that is closed on Sundays: with empty files for them, or with a schedule that leaves them out."""

import re
from datetime import date, timedelta

import pytest

from daybook.days import scheduled_days
from daybook.errors import Implausible
from daybook.spec import Form, Plausible, Schedule
from tests.support.sales import file_of, sales

from .conftest import Days

FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)
MONTH = [FIRST + timedelta(days=number) for number in range(30)]
SUNDAYS = [day for day in MONTH if day.isoweekday() == 7]
SHOPS = 10
# Ten shops, but for the weekends: five on Saturdays. A day is held against the days before it, and the same weekday.
OPEN = {day: 5 if day.isoweekday() == 6 else SHOPS for day in MONTH if day not in SUNDAYS}
ZONE = "Europe/Madrid"
HALF = {"within_pct": 60, "measures": ("pieces",)}


def deliver(days: Days, sundays: str | None) -> None:
    """Deliver the month's files; sundays: what those of Sundays hold, None for no such files."""
    for day in MONTH:
        text = file_of(day, OPEN[day]) if day in OPEN else sundays
        if text is not None:
            (days.files / f"{day}.csv").write_text(text)


def report(days: Days, day: date) -> str:
    """Return the words of a published day's report."""
    html = (days.servers.data / "published" / days.pipeline.name / str(day) / "report.html").read_text()
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.mark.parametrize(("form", "sundays"), [(Form(may_be_empty=True), ""), (Form(), "day,shop,pieces\n")])
def test_a_month_in_which_the_sundays_are_files_without_rows_is_published_whole_and_its_sundays_as_zero(
    days: Days, form: Form, sundays: str
) -> None:
    schedule = Schedule(time_zone=ZONE, start=FIRST, end=LAST)
    plausible = Plausible(min_rows=0, **HALF)
    days.change(**dict(sales(days.pipeline.name, schedule, form, plausible=plausible)))
    deliver(days, sundays)
    for day in MONTH:
        days.run(str(day))
    seen = days.servers.rows(f"select day, shops, pieces from {days.pipeline.name}.by_day order by day")
    assert seen == [(day, OPEN.get(day, 0), 2 * OPEN.get(day, 0)) for day in MONTH]
    code, printed = days.command("status")
    assert code == 0, printed
    assert f"published    30     0        0        {FIRST} to {LAST}\n" in printed
    assert days.command("plan")[0] == 0
    assert "The day has no rows, which the spec allows." in report(days, SUNDAYS[1])
    assert "no rows" not in report(days, MONTH[-1])
    # The zeros of the Sundays are not what an open day is held against.
    (days.files / f"{MONTH[-1]}.csv").write_text(file_of(MONTH[-1], 3))
    with pytest.raises(Implausible, match=r"3 rows, within 60 % of 10 expected"):
        days.run(str(MONTH[-1]))


def test_a_month_whose_schedule_leaves_the_sundays_out_expects_none_of_them(days: Days) -> None:
    schedule = Schedule(time_zone=ZONE, cron="30 6 * * 1-6", start=FIRST, end=LAST)
    days.change(**dict(sales(days.pipeline.name, schedule, plausible=Plausible(**HALF))))
    deliver(days, None)
    expected = scheduled_days(schedule, FIRST, LAST)
    assert [day for day in MONTH if day not in expected] == SUNDAYS
    for day in expected:
        days.run(str(day))
    code, printed = days.command("status")
    assert code == 0, printed
    assert "published    26     0        0        2026-06-01 to 2026-06-06, 2026-06-08 to 2026-06-13, " in printed
    assert days.json("status")["missing"] == []
    said = f"{SUNDAYS[0]} is not a day of the schedule, whose cron is '30 6 * * 1-6'"
    assert said in days.command("why", str(SUNDAYS[0]))[1]
    code, printed = days.command("plan", "--from", str(SUNDAYS[0]), "--to", str(MONTH[-1]))
    assert code == 0
    assert "0 to run, 20 to skip, 0 blocked; " in printed
    assert str(SUNDAYS[1]) not in printed
    assert "sales load 10 10 0 0" in report(days, MONTH[-1])
