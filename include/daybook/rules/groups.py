"""The groups of a table's rows, numbered in the order in which a summary has them: nulls last, texts by code point."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.places import places


class Groups(NamedTuple):
    """The number of each row's group, from 0 on, and the values of the groups in the order of their numbers."""

    numbers: pa.ChunkedArray
    values: pa.Table
    how_many: int


def groups_of(rows: pa.Table, by: Sequence[str]) -> Groups:
    """Return the groups of rows by some columns; without columns all rows, and no row, are one group."""
    numbers = pa.chunked_array([pa.repeat(pa.scalar(0, pa.int64()), rows.num_rows)])
    columns: list[pa.Array] = []
    for name in by:
        own, values = places(rows[name])
        # A pair of numbers as one, made dense again: so it never exceeds the square of the number of rows.
        numbers, pairs = places(pc.add(pc.multiply(numbers, max(len(values), 1)), own))
        before, last = _divided(pairs, max(len(values), 1))
        columns = [*(column.take(before) for column in columns), values.take(last)]
    schema = rows.select(by).schema
    return Groups(numbers, pa.table(columns, schema=schema), len(columns[0]) if columns else 1)


def _divided(pairs: pa.Array, by: int) -> tuple[pa.Array, pa.Array]:
    whole = pc.divide(pairs, by)
    return whole, pc.subtract(pairs, pc.multiply(whole, by))
