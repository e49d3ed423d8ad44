"""The page of a pipeline's days, from what the ledger knows of them."""

from datetime import UTC, date, datetime
from decimal import Decimal

from daybook.ledger.figures import Figures
from daybook.pages.calendar_page import Asked, State, calendar_page
from daybook.planning.known_days import KnownDays
from daybook.planning.standing import Failure
from daybook.planning.status import status
from tests.support.files import CANARY
from tests.support.html_page import read_page

DAYS = [date(2013, 12, 30), date(2013, 12, 31), date(2014, 1, 1)]
FAILURE = Failure("load", "BadData", CANARY, datetime(2014, 1, 2, tzinfo=UTC))


def told(known: KnownDays) -> str:
    """Return the page of all years."""
    return calendar_page("flights", known, [2013, 2014], Asked(None, None)).decode()


def test_nothing_in_an_error_or_a_wait_becomes_markup() -> None:
    failed = status(DAYS, {DAYS[0]}, set(), (), {DAYS[1]: FAILURE}, {DAYS[2]})
    figures = {DAYS[0]: Figures(1, 1842, 0, Decimal("2.5"))}
    page = told(KnownDays(failed, figures, {DAYS[1]: FAILURE}, {DAYS[2]: CANARY + "\u202e"}, DAYS[0]))
    # Each is in the list, and twice in the calendar: for the pointer and for who listens.
    assert page.count("&lt;script&gt;") == 6
    assert not [sign for sign in ("<script", "<img", "\u202e") if sign in page]
    assert "The last published day is 2013-12-30, 2 days behind the last one due." in page
    assert page.count("<caption>") == 2


def test_every_cell_and_every_day_of_the_list_leads_to_the_page_of_its_day() -> None:
    failed = status(DAYS, {DAYS[0]}, set(), (), {DAYS[1]: FAILURE})
    page = read_page(told(KnownDays(failed, {}, {DAYS[1]: FAILURE}, {}, DAYS[0])))
    (listed, *months) = (table for table in page.all("table") if table.all("a"))
    assert [row.all("a")[0].attributes["href"] for row in listed.one("tbody").all("tr")] == [
        f"day/{DAYS[2]}",
        f"day/{DAYS[1]}",
    ]
    days = [date(2013, 12, number) for number in range(1, 32)] + [date(2014, 1, number) for number in range(1, 32)]
    cells = [link.attributes for month in months for link in month.all("a")]
    assert [cell["href"] for cell in cells] == [f"day/{day}" for day in days]
    assert [cells[place]["aria-label"][:18] for place in (29, 30, 31)] == [
        "2013-12-30: publis",
        "2013-12-31: failed",
        "2014-01-01: missin",
    ]


def test_missing_days_that_follow_one_another_are_one_line_of_the_list() -> None:
    page = read_page(told(KnownDays(status(DAYS, {DAYS[0]}, set(), (), {}), {}, {}, {}, DAYS[0])))
    (row,) = page.all("table")[0].one("tbody").all("tr")
    assert [link.attributes["href"] for link in row.all("a")] == [f"day/{DAYS[1]}", f"day/{DAYS[2]}"]
    assert "missing, 2 days" in row.text


def test_a_pipeline_without_a_day_that_is_over_has_a_page_too() -> None:
    nothing = KnownDays(status((), set(), set(), (), {}), {}, {}, {}, None)
    page = calendar_page("flights", nothing, [], Asked(None, None)).decode()
    assert "No day of the schedule is over yet." in page


def test_days_with_refused_rows_lead_to_them_from_the_list_and_from_the_months_total() -> None:
    known = status(DAYS, {DAYS[0]}, set(), (), {DAYS[1]: FAILURE})
    figures = {DAYS[0]: Figures(1, 1842, 4, Decimal("2.5"))}
    page = told(KnownDays(known, figures, {DAYS[1]: FAILURE}, {}, DAYS[0]))
    # A step that refuses has failed, so its rows are there to be mended.
    assert 'href="day/2013-12-31/refused"' in page
    assert 'href="days?year=2013&amp;state=refused">4<' in page
    asked = calendar_page(
        "flights", KnownDays(known, figures, {}, {}, DAYS[0]), [2013, 2014], Asked(2013, State.REFUSED)
    )
    assert [day for day in DAYS if f'href="day/{day}/refused"' in asked.decode()] == [DAYS[0]]
