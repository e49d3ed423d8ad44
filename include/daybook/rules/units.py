"""Decimals as integers in units of their last digit, and back: how numbers are computed exactly, on every engine."""

import pyarrow as pa


def units(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of integers or decimals as 64-bit integers in units of its last digit."""
    return with_scale(column, 0).cast(pa.int64()) if pa.types.is_decimal(column.type) else column


def from_units(column: pa.ChunkedArray, kind: pa.Decimal128Type) -> pa.ChunkedArray:
    """Return 64-bit integers in units of the last digit as decimals of a type."""
    return with_scale(column.cast(pa.decimal128(19, 0)), kind.scale).cast(kind)


def decimals(numbers: list[int | None], kind: pa.Decimal128Type) -> pa.ChunkedArray:
    """Return integers in units of the last digit as decimals. Raises OverflowError if one has too many digits."""
    if any(number is not None and abs(number) >= 10**kind.precision for number in numbers):
        raise OverflowError
    whole = pa.chunked_array([pa.array(numbers, pa.decimal128(38, 0))])
    return with_scale(whole, kind.scale).cast(kind)


def with_scale(column: pa.ChunkedArray, scale: int) -> pa.ChunkedArray:
    """Return decimals whose digits are read at another scale: 1.25 at scale 0 is 125."""
    kind = pa.decimal128(column.type.precision, scale)
    return pa.chunked_array(
        [pa.Array.from_buffers(kind, len(chunk), chunk.buffers(), offset=chunk.offset) for chunk in column.chunks], kind
    )
