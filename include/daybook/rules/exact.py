"""Exact numbers rounded once, half away from zero, like PostgreSQL's round(numeric) (its manual, 9.3)."""

from decimal import Context, Decimal
from fractions import Fraction
from math import isqrt

# Decimal's own context would round to 28 digits.
_CONTEXT = Context(prec=100)


def rounded(number: Fraction, scale: int) -> int:
    """Return a number in units of the last of `scale` digits after the point."""
    top, bottom = abs(number.numerator) * int(10**scale), number.denominator
    whole = (2 * top + bottom) // (2 * bottom)
    return -whole if number < 0 else whole


def rounded_root(number: Fraction, scale: int) -> int:
    """Return the square root of a number that is not negative, in units of the last of `scale` digits."""
    # floor(root + 1/2) = floor((floor(root of four times the number) + 1) / 2)
    return (isqrt(4 * number.numerator * 10 ** (2 * scale) // number.denominator) + 1) // 2


def decimals(numbers: list[int | None], scale: int) -> list[Decimal | None]:
    """Return integers in units of the last of `scale` digits as decimals."""
    return [None if number is None else Decimal(number).scaleb(-scale, _CONTEXT) for number in numbers]
