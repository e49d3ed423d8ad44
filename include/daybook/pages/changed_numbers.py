"""Which published numbers of a day are others than those of the run before: totals, and values of each summary."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from daybook.ledger.known_day import PublishedRun
from daybook.spec import Pipeline, Summary
from daybook.storage.folder import Folder
from daybook.storage.tables import read_parquet, row_count

# Of a summary: a page is to be there at once, and the ledger counts the others.
MOST_ROWS = 5_000
SHOWN = 40


class Total(NamedTuple):
    """A total of the day in the run before and in this one; None if a run has none of that name."""

    name: str
    before: Decimal | None
    now: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """Return by how much it grew; None if one of the two is unknown."""
        return None if self.before is None or self.now is None else self.now - self.before


class Number(NamedTuple):
    """A value of a summary that is another one now: its row's group, its column, and both values; None: no such row."""

    summary: str
    group: str
    column: str
    before: Any
    now: Any


def changed_totals(before: PublishedRun, now: PublishedRun) -> list[Total]:
    """Return all totals of two publications, those of the second one first."""
    names = [*now.totals, *(name for name in before.totals if name not in now.totals)]
    return [Total(name, before.totals.get(name), now.totals.get(name)) for name in sorted(names, key=_rows_first)]


def _rows_first(name: str) -> tuple[bool, str]:
    return name != "row_count", name


def changed_numbers(pipeline: Pipeline, before: Folder, now: Folder) -> list[Number]:
    """Return the first published values that differ between two runs' files; none of files that are not there, or are
    of very many rows."""
    found = (number for summary in pipeline.summaries if not summary.every for number in _of(summary, before, now))
    return list(islice(found, SHOWN))


def _of(summary: Summary, before: Folder, now: Folder) -> Iterator[Number]:
    was, became = _rows_of(summary, before), _rows_of(summary, now)
    if was is None or became is None:
        return
    for group in sorted({*was, *became}, key=repr):
        yield from _differences(summary.name, group, was.get(group), became.get(group))


def _differences(
    summary: str, group: tuple[Any, ...], was: dict[str, Any] | None, became: dict[str, Any] | None
) -> Iterator[Number]:
    named = ", ".join("-" if value is None else str(value) for value in group) or "the day"
    for column in became or was or {}:
        before, now = (row.get(column) if row else None for row in (was, became))
        if before != now:
            yield Number(summary, named, column, before, now)


def _rows_of(summary: Summary, folder: Folder) -> dict[tuple[Any, ...], dict[str, Any]] | None:
    """Return the rows of a summary's file, by their group; None if the file is not there, or too long."""
    name = f"{summary.name}.parquet"
    if not folder.has(name):
        return None
    with folder.open(name) as file:
        if row_count(file) > MOST_ROWS:
            return None
        rows = read_parquet(file).to_pylist()
    return {tuple(row.get(column) for column in summary.by): _values(row, summary) for row in rows}


def _values(row: dict[str, Any], summary: Summary) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in (*summary.by, "day")}
