"""Columns of any kind as 64-bit integers in the order of their values, and back: all that an engine computes with.

A decimal is its number of last digits, a day its number, an instant its microseconds, a text its place among the
column's texts by code point. So extremes, distinct values and quantiles are equal on every engine.
"""

from typing import NamedTuple

import pyarrow as pa

from daybook.rules.coded import plain
from daybook.rules.places import places
from daybook.rules.units import from_units, units


class Integers(NamedTuple):
    """A column as integers, its own type, and its texts in order if it is of texts."""

    numbers: pa.ChunkedArray
    kind: pa.DataType
    texts: pa.Array | None = None

    @property
    def scale(self) -> int:
        """Return the digits after the point that the integers are in units of."""
        return self.kind.scale if pa.types.is_decimal(self.kind) else 0

    def values(self, numbers: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return some of these integers as values again."""
        if self.texts is not None:
            return pa.chunked_array([self.texts.take(numbers.combine_chunks())], self.kind)
        if pa.types.is_decimal(self.kind):
            return from_units(numbers, pa.decimal128(19, self.kind.scale))
        return numbers.cast(pa.int32()).cast(self.kind) if pa.types.is_date32(self.kind) else numbers.cast(self.kind)


def as_integers(column: pa.ChunkedArray) -> Integers:
    """Return a column as integers; nothing stays nothing."""
    column = plain(column)
    kind = column.type
    if pa.types.is_string(kind):
        numbers, texts = places(column, with_nulls=False)
        return Integers(numbers, kind, texts)
    if pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    return Integers(units(column).cast(pa.int64()), kind)
