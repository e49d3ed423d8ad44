"""Exact numbers rounded once, half away from zero, like PostgreSQL's round(numeric) (its manual, 9.3)."""

from math import isqrt


def quotient(top: int, bottom: int) -> int:
    """Return the quotient of two integers, rounded half away from zero; `bottom` is not 0."""
    whole = (2 * abs(top) + abs(bottom)) // (2 * abs(bottom))
    return whole if (top < 0) == (bottom < 0) else -whole


def root(top: int, bottom: int) -> int:
    """Return the square root of the quotient of two integers that is not negative, rounded to the nearest integer."""
    # floor(root + 1/2) = floor((floor(root of four times the number) + 1) / 2)
    return (isqrt(4 * top // bottom) + 1) // 2
