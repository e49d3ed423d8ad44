"""The part of a spec about what is published: the summaries."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pydantic import Field

from daybook.spec.column import Column
from daybook.spec.value import Name, Value, twice, unknown

# The names that each table of PostgreSQL has already (its manual, 5.6 System Columns).
OF_POSTGRES = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")


class Summary(Value):
    """One published view and file: one row per day and value of `by`, with measures and ratios as `columns`."""

    for_readers: ClassVar[frozenset[str]] = frozenset({"description"})

    name: Name
    """The name of the view, in the schema of the target, and of the files."""
    by: tuple[str, ...] = ()
    columns: tuple[str, ...] = Field(min_length=1)
    renamed_from: Name | None = None
    """The name that it had before; its table and view get the new one and keep their days."""
    description: str = ""
    """One line for readers: what it shows."""


def summary_problems(path: str, summary: Summary, columns: dict[str, Column], numbers: list[str]) -> Iterator[str]:
    """Yield what is wrong with a summary. columns: those of the facts; numbers: the names of measures and ratios."""
    yield from twice(f"{path}", ["day", *summary.by, *summary.columns])
    for number, name in enumerate(summary.by):
        yield from unknown(f"{path}.by[{number}]", name, columns, "column of the facts")
    yield from of_postgres(f"{path}", [*summary.by, *summary.columns])
    for number, name in enumerate(summary.columns):
        yield from unknown(f"{path}.columns[{number}]", name, numbers, "measure or ratio")


def of_postgres(path: str, names: Iterable[str]) -> Iterator[str]:
    """Yield which names of columns no table can have."""
    for name in (name for name in names if name in OF_POSTGRES):
        yield f"{path}: {name!r} is a word of PostgreSQL's own; give the column another name here"
