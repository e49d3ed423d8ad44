"""The page of a day's report: charts beside other days, from the measures that the ledger knows."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from daybook.pages.bars import HEIGHT, bars, short
from daybook.pages.charts_page import charts_page, days_beside
from daybook.planning.compared import ROWS, ByDay
from daybook.spec import Schedule
from pipelines.flights import PIPELINE
from tests.support.files import CANARY
from tests.support.html_page import Element, read_page

DAY = date(2013, 3, 4)
FLAT = {DAY - timedelta(days=number): Decimal(100) for number in range(30)}


def page_of(found: dict[str, ByDay], day: date = DAY, *, is_published: bool = True) -> Element:
    """Return the page of a day."""
    return read_page(charts_page(PIPELINE, day, found, is_published=is_published))


def rows(page: Element) -> list[list[str]]:
    """Return the rows of all tables."""
    return [row for table in page.all("table") for row in table.rows()]


def test_a_measure_is_drawn_beside_seven_days_and_four_weekdays_with_a_table_under_it() -> None:
    page = page_of({ROWS: FLAT | {DAY: Decimal(150)}, "distance_mi": FLAT})
    assert len(page.all("svg")) == len(page.all("table")) == 2
    assert [len(page.all("rect", class_=f"bar_{group}")) for group in ("weekday", "before", "day")] == [8, 14, 2]
    assert ["this day", "150", ""] in rows(page)
    assert ["median of the last days", "100", "+50.0"] in rows(page)
    assert ["median of the same weekdays", "100", "+50.0"] in rows(page)
    assert ["2013-02-04 Mon", "100", "+50.0"] in rows(page)
    assert len([row for row in rows(page) if row[0].startswith("2013-")]) == 2 * 10


def test_a_day_that_is_not_published_leaves_its_place_free_and_its_cell_empty() -> None:
    known = {day: value for day, value in FLAT.items() if day != DAY - timedelta(days=1)}
    page = page_of({ROWS: known})
    assert len(page.all("rect")) == 11
    assert ["2013-03-03 Sun", "-", ""] in rows(page)


def test_the_first_day_of_a_schedule_has_nothing_beside_it_and_a_page() -> None:
    first = PIPELINE.schedule.start
    assert days_beside(PIPELINE, first) == ([], [])
    page = page_of({ROWS: {first: Decimal(3)}}, first)
    assert len(page.all("rect")) == 1
    assert ["median of the last days", "-", ""] in rows(page)


def test_the_last_days_are_those_of_the_schedule() -> None:
    weekdays = Schedule(time_zone="UTC", start=date(2013, 1, 1), cron="30 6 * * 1-5")
    beside = days_beside(PIPELINE.model_copy(update={"schedule": weekdays}), DAY)
    assert len(beside.before) == 7
    assert not [day for day in beside.before if day.weekday() > 4]


def test_a_day_that_readers_do_not_see_has_no_chart_and_no_report_and_says_so() -> None:
    page = page_of({}, is_published=False)
    assert (len(page.all("svg")), len(page.all("iframe"))) == (0, 0)
    assert b"Readers see nothing of this day" in charts_page(PIPELINE, DAY, {}, is_published=False)


def test_measures_that_only_groups_have_are_named() -> None:
    page = charts_page(PIPELINE, DAY, {"flights": FLAT}, is_published=True).decode()
    assert "make no value of the day: cancelled, arrivals" in " ".join(page.split())


def test_equal_numbers_give_equal_bytes_and_no_text_becomes_markup() -> None:
    flights = PIPELINE.measures[0].model_copy(update={"description": CANARY, "unit": CANARY})
    hostile = PIPELINE.model_copy(update={"measures": (flights, *PIPELINE.measures[1:])})
    pages = {charts_page(hostile, DAY, {"flights": dict(sorted(FLAT.items()))}, is_published=True) for _ in range(2)}
    assert len(pages) == 1
    told = pages.pop().decode()
    assert "&lt;script&gt;" in told
    assert not [sign for sign in ("<script", "<img", " style=", "http:", "https:") if sign in told]


def test_bars_below_zero_hang_from_it_and_the_scale_holds_all() -> None:
    days = [DAY, DAY + timedelta(days=1)]
    picture = bars({"before": days}, {days[0]: Decimal(30), days[1]: Decimal(-10)})
    above, below = picture.bars
    assert above.y + above.height == below.y == picture.zero
    assert (above.height, below.height) == (HEIGHT * 3 // 4, HEIGHT // 4)
    flat = bars({"before": days}, dict.fromkeys(days, Decimal(0)))
    assert [bar.height for bar in flat.bars] == [0, 0]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("0", "0"),
        ("0.00", "0"),
        ("842", "842"),
        ("12.345", "12.3"),
        ("12500", "12.5k"),
        ("999950", "1M"),
        ("-3078652", "-3.08M"),
        ("0.0004", "0"),
        ("0.25", "0.25"),
        ("1e30", "1000000000000E"),
    ],
)
def test_a_label_is_a_number_in_few_signs(value: str, label: str) -> None:
    assert short(Decimal(value)) == label
