"""The part of a spec about what is published: the summaries."""

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Literal, Protocol

from pydantic import Field

from daybook.spec.column import Column
from daybook.spec.parts import RESERVED
from daybook.spec.value import Name, Value, twice, unknown

Every = Literal["week", "month", "quarter", "year"]
# The columns that a roll-up has at its end: how many of the period's days it is over, and how many the schedule means.
DAYS_PUBLISHED, DAYS_DUE = "days_published", "days_due"
# The names that each table of PostgreSQL has already (its manual, 5.6 System Columns).
OF_POSTGRES = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")


class Top(Value):
    """The first groups of a summary by a number, from the largest on; groups without the number come last.

    Groups with equal numbers are ranked by their group columns, in ascending order, so the result is determined.
    """

    rows: int = Field(ge=1)
    """How many groups are published."""
    of: str
    """The measure or ratio that they are ranked by; it need not be published."""
    per: tuple[str, ...] = ()
    """Group columns of the summary: so many groups are published for each of their values, and not for each day."""
    has_ties: bool = False
    """Whether further groups are published whose number equals that of the last one, as by SQL's WITH TIES."""
    rank: Name | None = None
    """The name of a column for the rank, if it is published: 1, 2, 3, …; with ties equal numbers have one rank."""


class Summary(Value):
    """One published view and file: one row per day and value of `by`, with measures and ratios as `columns`.

    With `every` it is a roll-up: a view over the published days, with one row per period and value of `by`. Its first
    column has the name of the period ("month") and holds the period's first day; a week begins on Monday (ISO 8601). At
    its end are `days_published`, the days that the row's period is over, and `days_due`, those that the schedule means.
    Its ratios are of the summed measures, and empty over zero. What does not add up is refused.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"top", "every", "by_renamed_from"})
    for_readers: ClassVar[frozenset[str]] = frozenset({"description"})

    name: Name
    """The name of the view, in the schema of the target, and of the files."""
    by: tuple[str, ...] = ()
    columns: tuple[str, ...] = Field(min_length=1)
    top: Top | None = None
    """Which groups are published, if not all are."""
    every: Every | None = None
    """The period that a row is over, if that is not the day."""
    renamed_from: Name | None = None
    """The name that it had before; its table and view get the new one and keep their days."""
    by_renamed_from: dict[str, Name] = {}
    """The names that columns of `by` had before, by their names of now: {"airline": "carrier"}; table and view keep
    their values."""
    description: str = ""
    """One line for readers: what it shows."""

    @property
    def numbers(self) -> set[str]:
        """Return the measures and ratios that it uses."""
        return {*self.columns, *([self.top.of] if self.top else [])}

    @property
    def ranks(self) -> tuple[str, ...]:
        """Return the name of the column of ranks, if one is published."""
        return (self.top.rank,) if self.top and self.top.rank else ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of its published columns, in order."""
        if self.every is None:
            return ("day", *self.by, *self.columns, *self.ranks)
        return (self.every, *self.by, *self.columns, DAYS_PUBLISHED, DAYS_DUE)


class Shown(Protocol):
    """What a summary and the clean rows have in common."""

    @property
    def every(self) -> Every | None:
        """Return the period that a row is over, if that is not the day."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns beside the groups."""


def own_columns(summary: Shown, time_zone: str) -> dict[str, str]:
    """Return the words for readers of the columns that every summary has, by name. time_zone: of the days."""
    if summary.every is None:
        return {"day": f"The local day in {time_zone}"}
    return {
        summary.every: f"The first day of the {summary.every}, by local days in {time_zone}",
        DAYS_PUBLISHED: f"How many days of the {summary.every} are published, and in this row",
        DAYS_DUE: f"How many days of the {summary.every} the schedule means",
    }


def summary_problems(path: str, summary: Summary, columns: Mapping[str, Column], numbers: list[str]) -> Iterator[str]:
    """Yield what is wrong with a summary. columns: those of the facts; numbers: the names of measures and ratios."""
    # A roll-up has no column "day" for readers, but each row of its days does.
    yield from twice(path, [*summary.names, *(["day"] if summary.every else [])])
    for number, name in enumerate(summary.by):
        yield from unknown(f"{path}.by[{number}]", name, columns, "column of the facts")
    yield from _former_groups(f"{path}.by_renamed_from", summary)
    yield from of_postgres(f"{path}", [*summary.by, *summary.columns, *summary.ranks])
    for number, name in enumerate(summary.columns):
        yield from unknown(f"{path}.columns[{number}]", name, numbers, "measure or ratio")
    for name in (*summary.columns, *summary.ranks):
        if name in RESERVED:
            yield f"{path}: {name!r} is a word of Daybook's own; give the column another name"
    if summary.top:
        yield from _top_problems(f"{path}.top", summary, summary.top, numbers)
    if summary.every and summary.top:
        yield (
            f"{path}.top: {summary.top.rows} rows is refused: the first groups of a {summary.every} do not follow from "
            f"those of its days; leave it out, or leave out every={summary.every!r}"
        )


def _former_groups(path: str, summary: Summary) -> Iterator[str]:
    for name, was in summary.by_renamed_from.items():
        yield from unknown(path, name, summary.by, "column that the summary groups by")
        if was in (*summary.names, "day"):
            yield f"{path}: {was!r} is still a name of now; it takes the one that {name!r} had before"
    yield from twice(path, list(summary.by_renamed_from.values()))


def day_problems(path: str, summary: Summary, day_columns: tuple[str, ...], *, is_instant: bool) -> Iterator[str]:
    """Yield what is wrong with a summary that is grouped by all columns that hold a fact's day: it shows a day twice.

    is_instant: they hold an instant, of which a day has many.
    """
    if not set(day_columns) <= set(summary.by):
        return
    named = " and ".join(map(repr, day_columns))
    if summary.every:
        yield (
            f"{path}.by: {named} is refused: it tells the day, so a row per {summary.every} would be a row per day; "
            f"leave it out, or leave out every={summary.every!r}"
        )
    elif not is_instant:
        yield f"{path}.by: {named} is refused: it shows the day twice, as each row begins with its day; leave it out"


def _top_problems(path: str, summary: Summary, top: Top, numbers: list[str]) -> Iterator[str]:
    yield from unknown(f"{path}.of", top.of, numbers, "measure or ratio")
    for number, name in enumerate(top.per):
        yield from unknown(f"{path}.per[{number}]", name, summary.by, "column that the summary groups by")
    if set(summary.by) <= set(top.per):
        among = f"there is one row for each {' and '.join(summary.by)}" if summary.by else "there is one row a day"
        yield f"{path}.per: {list(top.per)} is refused: {among}, so nothing is left to rank"


def of_postgres(path: str, names: Iterable[str]) -> Iterator[str]:
    """Yield which names of columns no table can have."""
    for name in (name for name in names if name in OF_POSTGRES):
        yield f"{path}: {name!r} is a word of PostgreSQL's own; give the column another name here"
