"""The page of a day's charts: each measure against the last seven days and the same weekday of the weeks before, as a
chart with a table under it, and then the published report as readers have it.

plugins/ serves it. The charts are not in the published file: that is made from its own day alone, so that its bytes are
the same in whatever order days are loaded, and the days beside it may still come, change or be taken back.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from daybook.days import scheduled_days
from daybook.pages.bars import Bars, bars
from daybook.pages.templates import template
from daybook.planning.compared import ROWS, ByDay, not_compared
from daybook.spec import Pipeline

DAYS_BEFORE, WEEKS_BEFORE = 7, 4
# In which the last days of a schedule are looked for.
FARTHEST = timedelta(days=366)


class Beside(NamedTuple):
    """The days that a day is compared with: the last ones of the schedule, and those of its weekday, in order."""

    before: list[date]
    weekdays: list[date]


class Line(NamedTuple):
    """A line of a table: what it is of, the value, and how far the day is above it, in percent of it."""

    name: str
    value: Decimal | None
    day_above_pct: str


class Chart(NamedTuple):
    """A measure's chart, and its table."""

    name: str
    unit: str
    description: str
    value: Decimal
    picture: Bars
    said: str
    lines: list[Line]


def days_beside(pipeline: Pipeline, day: date) -> Beside:
    """Return the days of the schedule that a day is compared with."""
    due = scheduled_days(pipeline.schedule, day - FARTHEST, day - timedelta(days=1))
    weekdays = {day - timedelta(weeks=number) for number in range(1, WEEKS_BEFORE + 1)}
    return Beside(due[-DAYS_BEFORE:], [other for other in due if other in weekdays])


def charts_page(pipeline: Pipeline, day: date, found: dict[str, ByDay], *, is_published: bool) -> bytes:
    """Return the page. It embeds the published report from the address `report` beside its own.

    found: of `compared`, on the day and the days beside it.
    """
    beside = days_beside(pipeline, day)
    charts = [_chart(pipeline, name, day, beside, by_day) for name, by_day in found.items() if day in by_day]
    page = template("charts_page").render(
        title=f"{pipeline.name} {day}: charts",
        pipeline=pipeline,
        day=day,
        beside=beside,
        charts=charts,
        not_compared=not_compared(pipeline, found) if is_published else [],
        is_published=is_published,
    )
    return page.encode()


def _chart(pipeline: Pipeline, name: str, day: date, beside: Beside, by_day: ByDay) -> Chart:
    unit, description = _words(pipeline).get(name, ("", ""))
    lines = [
        *(_line(f"median of the {what}", _median(days, by_day), by_day[day]) for what, days in _named(beside)),
        *(_line(f"{other:%Y-%m-%d %a}", by_day.get(other), by_day[day]) for other in _all(beside)),
    ]
    shown = "rows" if name == ROWS else name
    return Chart(
        shown,
        unit,
        description,
        by_day[day],
        bars({"weekday": beside.weekdays, "before": beside.before, "day": [day]}, by_day),
        f"{shown} of {day}: {by_day[day]:,}; {'; '.join(f'{line.name}: {_said(line.value)}' for line in lines)}",
        lines,
    )


def _words(pipeline: Pipeline) -> dict[str, tuple[str, str]]:
    """Return the unit and the description of each measure and ratio, by name."""
    measures = {one.name: (one.unit, one.description) for one in pipeline.measures}
    return measures | {one.name: (one.unit, one.description) for one in pipeline.ratios}


def _named(beside: Beside) -> list[tuple[str, Sequence[date]]]:
    return [("last days", beside.before), ("same weekdays", beside.weekdays)]


def _all(beside: Beside) -> list[date]:
    return sorted({*beside.before, *beside.weekdays}, reverse=True)


def _median(days: Sequence[date], by_day: ByDay) -> Decimal | None:
    values = [by_day[day] for day in days if day in by_day]
    return median(values) if values else None


def _line(name: str, value: Decimal | None, of_day: Decimal) -> Line:
    return Line(name, value, f"{(of_day - value) * 100 / abs(value):+,.1f}" if value else "")


def _said(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:,}"
