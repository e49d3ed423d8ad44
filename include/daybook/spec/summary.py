"""The part of a spec about what is published: the summaries."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pydantic import Field

from daybook.spec.column import Column
from daybook.spec.parts import RESERVED
from daybook.spec.value import Name, Value, twice, unknown

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
    """One published view and file: one row per day and value of `by`, with measures and ratios as `columns`."""

    added_later: ClassVar[frozenset[str]] = frozenset({"top"})
    for_readers: ClassVar[frozenset[str]] = frozenset({"description"})

    name: Name
    """The name of the view, in the schema of the target, and of the files."""
    by: tuple[str, ...] = ()
    columns: tuple[str, ...] = Field(min_length=1)
    top: Top | None = None
    """Which groups are published, if not all are."""
    renamed_from: Name | None = None
    """The name that it had before; its table and view get the new one and keep their days."""
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


def summary_problems(path: str, summary: Summary, columns: dict[str, Column], numbers: list[str]) -> Iterator[str]:
    """Yield what is wrong with a summary. columns: those of the facts; numbers: the names of measures and ratios."""
    yield from twice(f"{path}", ["day", *summary.by, *summary.columns, *summary.ranks])
    for number, name in enumerate(summary.by):
        yield from unknown(f"{path}.by[{number}]", name, columns, "column of the facts")
    yield from of_postgres(f"{path}", [*summary.by, *summary.columns, *summary.ranks])
    for number, name in enumerate(summary.columns):
        yield from unknown(f"{path}.columns[{number}]", name, numbers, "measure or ratio")
    for name in (*summary.columns, *summary.ranks):
        if name in RESERVED:
            yield f"{path}: {name!r} is a word of Daybook's own; give the column another name"
    if summary.top:
        yield from _top_problems(f"{path}.top", summary, summary.top, numbers)


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
