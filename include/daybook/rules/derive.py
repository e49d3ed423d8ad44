"""The derived columns of the facts, made one after another; each may use those before it.

A row that divides by zero, if the spec says so, is refused. A value that its column cannot hold refuses the day.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.loader.line_numbers import own_line, part_of
from daybook.rules.checked import BY_ZERO, TOO_LARGE
from daybook.rules.evaluate import evaluated
from daybook.rules.frames import ordered, without
from daybook.spec import Column, Expression, Made, Pipeline

REFUSED_BY_RULE = pa.schema([("line", pa.int64()), ("column", pa.string()), ("reason", pa.string())])
DIVISION_BY_ZERO = "division_by_zero"


class Derivation(NamedTuple):
    """Rows with their derived columns, and those that were refused (line, column, reason)."""

    kept: pa.Table
    refused: pa.Table


def derive(rows: pa.Table, made: Sequence[Made], columns: Iterable[Column], pipeline: Pipeline) -> Derivation:
    """Return the facts with derived columns.

    rows: facts with `line` and all columns that are needed. columns: those of the facts in the spec. Raises BadData
    with line and column if a value does not fit.
    """
    known, refused = {column.name: column for column in columns}, [REFUSED_BY_RULE.empty_table()]
    for one in made:
        values, is_by_zero = fitting(one.derived.of, rows, known, pipeline, f"column {one.derived.name!r}")
        refused.append(_refused(rows["line"].filter(is_by_zero), one.column))
        rows = without(rows.append_column(one.derived.name, values), is_by_zero)
    return Derivation(rows, ordered(pa.concat_tables(refused), ["line"]))


class Fitting(NamedTuple):
    """The values of an expression, and which rows divide by zero and are to be refused."""

    values: pa.ChunkedArray
    is_by_zero: pa.ChunkedArray


def fitting(
    expression: Expression, rows: pa.Table, columns: Mapping[str, Column], pipeline: Pipeline, what: str
) -> Fitting:
    """Return the values of an expression for each of the facts.

    what: it is for, in a message. Raises BadData with the first line that has a value that does not fit.
    """
    found = evaluated(expression, rows, columns, pipeline.schedule.time_zone)
    lines = rows["line"].filter(pc.equal(found.faults, TOO_LARGE)).to_pylist()
    if lines:
        raise BadData(
            f"{pipeline.name}: {pipeline.facts}, {places(lines)}, {what}: {expression!r} gives a value "
            "that does not fit: a number has at most 18 digits, those after the point included, and a date a year from "
            "1 to 9999; nothing was published; mend the values, or round a factor to fewer digits"
        )
    return Fitting(found.values, pc.equal(found.faults, BY_ZERO))


def places(lines: Sequence[int]) -> str:
    """Return the first of some lines, and how many there are more, for a message."""
    others = f" and {len(lines) - 1:,} more" if len(lines) > 1 else ""
    return f"{_place(min(lines))}{others}"


def _place(line: int) -> str:
    part = part_of(line)
    return f"part {part}, line {own_line(line):,}" if part else f"line {line:,}"


def _refused(lines: pa.ChunkedArray, column: Column) -> pa.Table:
    return pa.table([lines, [column.name] * len(lines), [DIVISION_BY_ZERO] * len(lines)], schema=REFUSED_BY_RULE)
