"""The page of a pipeline's days: a calendar in which each day has its state, the lag, and the trend of its figures.

plugins/ serves it. It decides only on words and layout; planning/known_days.py asks the ledger.
"""

from calendar import Calendar, day_abbr, day_name
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from daybook.ledger.figures import Figures
from daybook.ledger.refused_limits import REFUSING
from daybook.pages.page_state import PageState
from daybook.pages.templates import template
from daybook.pages.trend import Trend, trend
from daybook.planning.known_days import KnownDays
from daybook.text import counted

ALL = "all"


class State(PageState):
    """The state of a day of the calendar: its letter, and its words. The order is that of the legend."""

    PUBLISHED = ("P", "published")
    REFUSED = ("R", "with refused rows")
    REUSED = ("U", "reused")
    ROLLED_BACK = ("B", "rolled back")
    HELD = ("H", "held")
    FAILED = ("F", "failed")
    WAITING = ("W", "waiting")
    MISSING = ("M", "missing")
    NOT_DUE = ("N", "not due")

    @property
    def letter(self) -> str:
        """Return the sign by which a day is known without its colour."""
        return self.value[0]

    @property
    def words(self) -> str:
        """Return the state in words."""
        return self.value[1]


class Asked(NamedTuple):
    """What a person wants to see: a year of the schedule or all of them, and days of one state or of any."""

    year: int | None
    state: State | None

    @property
    def address(self) -> str:
        """Return the address of the page."""
        state = f"&state={self.state.word}" if self.state else ""
        return f"days?year={self.year or ALL}{state}"

    def of_year(self, year: int | None) -> "Asked":
        """Return the same for another year."""
        return Asked(year, self.state)

    def of_state(self, state: State | None) -> "Asked":
        """Return the same for another state."""
        return Asked(self.year, state)


class Cell(NamedTuple):
    """A day of the calendar, and what is said of it. is_shown: whether it is in the state that was asked for.

    has_refused: whether there may be refused rows to look at: some of what readers see, or those of a failed try.
    """

    day: date
    state: State
    said: str
    is_shown: bool
    has_refused: bool


class Month(NamedTuple):
    """A month of the calendar: its weeks from Monday, with None for the days of another month; and its totals.

    refused_days: the address of the list of the days with refused rows.
    """

    name: str
    weeks: list[list[Cell | None]]
    days: int
    rows_read: int
    rows_refused: int
    refused_days: str
    seconds: Decimal


def year_asked(word: str | None, years: list[int]) -> int | None:
    """Return the year of an address, or None for all: the last one if it names none. Raises ValueError for another.

    years: those that have days that are over, in order.
    """
    if word == ALL or not years:
        return None
    known = {str(year): year for year in years}
    if not word:
        return years[-1]
    if word not in known:
        raise ValueError(f"year: expected one of {years[0]} to {years[-1]}, or {ALL}")
    return known[word]


def calendar_page(pipeline: str, known: KnownDays, years: list[int], asked: Asked) -> bytes:
    """Return the page. known: of the days of the asked year, or of all. years: as for `year_asked`."""
    states = day_states(known)
    counts = Counter(states.values())
    page = template("calendar_page").render(
        title=f"{pipeline}: days",
        pipeline=pipeline,
        asked=asked,
        years=years,
        states=[(state, counts[state]) for state in State if state is not State.NOT_DUE],
        all_days=len(states),
        lag=_lag(known, years, asked),
        weekdays=list(zip(day_abbr, day_name, strict=True)),
        months=_months(known, states, asked.state),
        listed=_listed(known, states, asked.state),
        trends=_trends(known.figures),
    )
    return page.encode()


def day_states(known: KnownDays) -> dict[date, State]:
    """Return the state of each expected day, in order: what readers see counts, whatever became of a later try."""
    status = known.status
    states = dict.fromkeys(status.expected, State.MISSING)
    states |= dict.fromkeys(status.waiting, State.WAITING) | dict.fromkeys(status.failed, State.FAILED)
    states |= dict.fromkeys(status.held, State.HELD) | dict.fromkeys(status.published, State.PUBLISHED)
    states |= {day: State.REUSED for day in status.reused if states[day] is State.PUBLISHED}
    states |= {day: State.REFUSED for day, found in known.figures.items() if found.rows_refused}
    unseen = {State.HELD, State.FAILED, State.WAITING}
    return states | {day: State.ROLLED_BACK for day in status.rolled_back if states[day] not in unseen}


def said_of(day: date, state: State, known: KnownDays) -> str:
    """Return a day's state with its figures, and what its last try or its wait says, in one line."""
    parts = [state.words]
    if found := known.figures.get(day):
        parts += [counted(found.rows_read, "row"), f"{found.rows_refused:,} refused"]
    if failure := known.failures.get(day):
        parts.append(f"{'the last try failed: ' if day in known.figures else ''}{failure.step}: {failure.message}")
    elif day in known.waits and not known.figures.get(day):
        parts.append(known.waits[day])
    return ", ".join(parts)


def _lag(known: KnownDays, years: list[int], asked: Asked) -> str:
    if not years:
        return "No day of the schedule is over yet."
    if known.last_published is None:
        return "Nothing is published yet."
    if not known.status.expected or (asked.year and asked.year != years[-1]):
        return f"The last published day is {known.last_published}."
    behind = max(0, (known.status.expected[-1] - known.last_published).days)
    return f"The last published day is {known.last_published}, {counted(behind, 'day')} behind the last one due."


def _months(known: KnownDays, states: dict[date, State], asked: State | None) -> list[Month]:
    shown = sorted({(day.year, day.month) for day in states})
    return [_month(year, month, known, states, asked) for year, month in shown]


def _month(year: int, month: int, known: KnownDays, states: dict[date, State], asked: State | None) -> Month:
    weeks = [
        [_cell(date(year, month, number), known, states, asked) if number else None for number in week]
        for week in Calendar().monthdayscalendar(year, month)
    ]
    found = [one for day, one in known.figures.items() if (day.year, day.month) == (year, month)]
    return Month(
        date(year, month, 1).strftime("%B %Y"),
        weeks,
        len(found),
        sum(one.rows_read for one in found),
        sum(one.rows_refused for one in found),
        Asked(year, State.REFUSED).address,
        sum((one.seconds or Decimal(0) for one in found), Decimal(0)),
    )


def _cell(day: date, known: KnownDays, states: dict[date, State], asked: State | None) -> Cell:
    state = states.get(day, State.NOT_DUE)
    return Cell(day, state, said_of(day, state, known), asked in (None, state), _has_refused(day, known))


def _has_refused(day: date, known: KnownDays) -> bool:
    found, failure = known.figures.get(day), known.failures.get(day)
    return bool(found and found.rows_refused) or bool(failure and failure.step in REFUSING)


def _listed(known: KnownDays, states: dict[date, State], asked: State | None) -> list[list[Cell]]:
    """Return the days that were asked for by their state, newest first; without one, those not published.

    Missing days that follow one another are together: nobody has tried them, and often they are a whole year.
    """
    wanted = {asked} if asked else {State.HELD, State.FAILED, State.WAITING, State.MISSING}
    groups = groupby(reversed(states.items()), key=lambda each: each[1] if each[1] is State.MISSING else each[0])
    listed = [[_cell(day, known, states, asked) for day, _ in group] for _, group in groups]
    return [cells for cells in listed if cells[0].state in wanted]


def _trends(figures: dict[date, Figures]) -> list[Trend]:
    return [
        trend("rows read", [(day, found.rows_read) for day, found in figures.items()]),
        trend("rows refused", [(day, found.rows_refused) for day, found in figures.items()]),
        trend("seconds", [(day, found.seconds or Decimal(0)) for day, found in figures.items()]),
    ]
