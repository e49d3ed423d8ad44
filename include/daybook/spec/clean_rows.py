"""The part of a spec about the published rows themselves, beside the summaries."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from daybook.spec.column import Column
from daybook.spec.summary import Summary, of_postgres
from daybook.spec.value import Name, Value, twice, unknown

# A table of PostgreSQL takes 1,600 (its manual, appendix K).
MOST_COLUMNS = 1500


class CleanRows(Value):
    """The accepted facts of each day, published as a view and as files as a summary is: one row each.

    A row has `day`, `line` (where it stood in the raw file) and the `columns`. These are columns of the facts as they
    are after `index`: their own, derived, and looked up; without a word all of them, but for a date column `day`.
    """

    for_readers: ClassVar[frozenset[str]] = frozenset({"description"})
    # As of a summary: what tells its rows apart, and its columns of ranks.
    by: ClassVar[tuple[str, ...]] = ("line",)
    ranks: ClassVar[tuple[str, ...]] = ()

    name: Name
    """The name of the view, in the schema of the target, and of the files."""
    columns: tuple[str, ...] = ()
    renamed_from: Name | None = None
    """The name that it had before; its table and view get the new one and keep their days."""
    description: str = ""
    """One line for readers: what it shows."""


View = Summary | CleanRows
"""What readers see: one published view and its files."""


def published_columns(rows: CleanRows, columns: Mapping[str, Column], day_columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that are published beside `day` and `line`. columns: of the facts after `index`."""
    # The facts of a day have that day in their day column, so `day` says the same.
    is_day = day_columns == ("day",) and "day" in columns and columns["day"].kind == "date"
    return rows.columns or tuple(name for name in columns if not (is_day and name == "day"))


def clean_rows_problems(
    path: str, rows: CleanRows, columns: Mapping[str, Column], day_columns: tuple[str, ...]
) -> Iterator[str]:
    """Yield what is wrong with the clean rows. columns: of the facts after `index`."""
    for number, name in enumerate(rows.columns):
        yield from unknown(f"{path}.columns[{number}]", name, columns, "column of the facts")
    published = published_columns(rows, columns, day_columns)
    for name in ("day", "line"):
        if name in published:
            yield (
                f"{path}.columns: {name!r} is a column of the view already; leave it out, or give the facts' column "
                "another name"
            )
    yield from twice(f"{path}.columns", [name for name in published if name not in ("day", "line")])
    yield from of_postgres(f"{path}.columns", published)
    if len(published) > MOST_COLUMNS:
        yield f"{path}.columns: {len(published):,} columns are refused: a table takes {MOST_COLUMNS:,}; name fewer"
