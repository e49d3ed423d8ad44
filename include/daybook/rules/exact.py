"""Exact numbers rounded once, half away from zero, like PostgreSQL's round(numeric) (its manual, 9.3)."""

from math import isqrt

import pyarrow as pa

from daybook.rules.frames import with_scale


def quotient(top: int, bottom: int) -> int:
    """Return the quotient of two integers, rounded half away from zero; `bottom` is not 0."""
    whole = (2 * abs(top) + abs(bottom)) // (2 * abs(bottom))
    return whole if (top < 0) == (bottom < 0) else -whole


def root(top: int, bottom: int) -> int:
    """Return the square root of the quotient of two integers that is not negative, rounded to the nearest integer."""
    # floor(root + 1/2) = floor((floor(root of four times the number) + 1) / 2)
    return (isqrt(4 * top // bottom) + 1) // 2


def decimals(numbers: list[int | None], kind: pa.Decimal128Type) -> pa.ChunkedArray:
    """Return integers in units of the last digit as decimals. Raises OverflowError if one has too many digits."""
    if any(number is not None and abs(number) >= 10**kind.precision for number in numbers):
        raise OverflowError
    whole = pa.chunked_array([pa.array(numbers, pa.decimal128(38, 0))])
    return with_scale(whole, kind.scale).cast(kind)
