"""Equal rows of a source: which rows may be equal, by their typed values, and which are, by their whole records.

Typed values alone do not tell: rows may differ in a column that the contract ignores, or by less than a type holds.
"""

from collections.abc import Mapping

import narwhals as nw
import pyarrow as pa

from daybook.rules.frames import close_frame, open_frame, under_names
from daybook.spec import Engine, Source, Twins

_LINES = pa.schema([("line", pa.int64())])


def may_be_twins(rows: pa.Table, source: Source, engine: Engine) -> list[int]:
    """Return the lines of rows that may be equal to others: they share a key with them or, without a key, all values.

    rows: `line` and the source's columns, under their headers, as `load` returns them.
    """
    if source.on_twins == "keep":
        return []
    names = source.key or tuple(column.name for column in source.columns)
    frame = open_frame(under_names(rows, source).select(["line", *names]), engine)
    shared = frame.with_columns(count=nw.col("line").count().over(*names)).filter(nw.col("count") > 1)
    lines: list[int] = close_frame(shared, _LINES, ["line"])["line"].to_pylist()
    return lines


def twins(records: Mapping[int, bytes], on_twins: Twins) -> list[int]:
    """Return the lines to take out: of equal records all but the first if twins are dropped, all if they are refused.

    records: whole records or their hashes, by line.
    """
    lines: dict[bytes, list[int]] = {}
    for line in sorted(records):
        lines.setdefault(records[line], []).append(line)
    first = 1 if on_twins == "drop" else 0
    return sorted(line for equal in lines.values() if len(equal) > 1 for line in equal[first:])
