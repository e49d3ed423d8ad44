"""The first numbers of a pipeline: a count of rows, a sum of each quantity, by day and by the best group."""

from typing import NamedTuple

from commands.draft.columns import Proposed
from commands.draft.keys import is_quantity
from commands.draft.names import free
from daybook.spec import Column, Measure, Summary

ROWS = "rows"
LONGEST_NAME = 60
MONTHS = 'decide: one more Summary with every="month" gives each month'


class Published(NamedTuple):
    """Measures and summaries, and comments on them by the path of their word."""

    measures: tuple[Measure, ...]
    summaries: tuple[Summary, ...]
    notes: dict[str, str]


def published(columns: list[Proposed], group: Proposed | None, key: tuple[str, ...]) -> Published:
    """Return the first measures and summaries. group: the column to group by, or None if none has few values."""
    added = [one.column for one in columns if is_quantity(one) and one.column.name not in key]
    count = len(group.texts.counts) if group else 0
    note = f"{group.texts.header!r} has {count} different values" if group else ""
    return of_columns(added, group.column if group else None, note)


def of_columns(added: list[Column], group: Column | None, note: str) -> Published:
    """Return a count, a sum of each column, and the summaries by day and by a group."""
    taken = [column.name for column in added] + ([group.name] if group else [])
    rows = Measure(name=free(ROWS, taken), how="count")
    measures = (rows, *(Measure(name=column.name, how="sum", of=column.name) for column in added))
    names = tuple(measure.name for measure in measures)
    by_day = Summary(name="by_day", columns=names)
    notes = {"measures": "a sum of each quantity, as its name and values tell; a mean is a Ratio of a sum over a count"}
    if group is None:
        notes["summaries"] = f"no column has few different values, to group by; {MONTHS}"
        return Published(measures, (by_day,), notes)
    name = free(f"by_{group.name}"[:LONGEST_NAME], [by_day.name])
    notes["summaries"] = f"{note}; {MONTHS}"
    return Published(measures, (by_day, Summary(name=name, by=(group.name,), columns=names)), notes)
