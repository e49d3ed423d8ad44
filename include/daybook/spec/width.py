"""Where the columns of a file of fixed width stand in a line, in characters, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from daybook.spec.column import Column
from daybook.spec.form import Form


class Span(NamedTuple):
    """A column of fixed width: its first character in a line (the first of all is 0), and the one after its last."""

    start: int
    end: int
    column: Column


def spans(columns: Sequence[Column]) -> list[Span]:
    """Return where columns stand, in their order in a line: each at its `starts_at`, or after the one before it."""
    found, end = list[Span](), 0
    for column in columns:
        start = column.starts_at - 1 if column.starts_at else end
        end = start + (column.width or 0)
        found.append(Span(start, end, column))
    return sorted(found, key=lambda span: span.start)


def problems_of_widths(columns: Sequence[Column], form: Form) -> Iterator[str]:
    """Yield what is wrong with the widths of columns."""
    for column in columns:
        for word in ("starts_at", "width"):
            if not form.is_fixed_width and (value := getattr(column, word)) is not None:
                yield f"column {column.name!r}, {word}: {value} is refused: it needs Form(is_fixed_width=True)"
        if form.is_fixed_width and column.width is None:
            yield f"column {column.name!r}, width: is missing: form.is_fixed_width; it takes a number of characters"
        if form.is_fixed_width and column.position is not None:
            yield (
                f"column {column.name!r}, position: {column.position} is refused: in a file of fixed width it takes "
                "starts_at and width"
            )
    if form.is_fixed_width:
        yield from _overlaps_and_gaps(spans(columns), is_gap_meant=form.extra_columns == "ignore")


def _overlaps_and_gaps(found: list[Span], *, is_gap_meant: bool) -> Iterator[str]:
    begin = Span(0, 0, found[0].column)
    for before, after in pairwise([begin, *found]):
        where = f"column {after.column.name!r}, starts_at: {after.start + 1} is refused"
        if after.start < before.end:
            yield f"{where}: column {before.column.name!r} ends with character {before.end}"
        elif after.start > before.end and not is_gap_meant:
            yield (
                f"{where}: no column has the characters from {before.end + 1} to {after.start}; widen the one before "
                'it, if they are blanks, or declare extra_columns="ignore"'
            )
