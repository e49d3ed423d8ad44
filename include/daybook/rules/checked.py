"""Exact arithmetic over whole columns of 64-bit integers: what does not fit is told, and nothing wraps around.

Arrow computes with checks. If a check fails for any row, Python's integers compute that column once more, row by row,
and say which rows do not fit.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.exact import quotient as rounded_quotient

LARGEST = 2**63 - 1
FINE, TOO_LARGE, BY_ZERO = 0, 1, 2
Digits = tuple[int, int]
"""By how many digits the units of the left and the right side are made finer, so that both have the same scale."""


class Computed(NamedTuple):
    """A column of values, empty if a row has a fault; and its faults (FINE, TOO_LARGE, BY_ZERO), or None."""

    values: pa.Array
    faults: pa.Array | None = None


def faults_of(*computed: Computed) -> pa.Array | None:
    """Return the faults of several columns; the worst of a row counts."""
    known = [one.faults for one in computed if one.faults is not None]
    return pc.max_element_wise(*known) if known else None


def plus(left: pa.Array, right: pa.Array, digits: Digits = (0, 0)) -> Computed:
    """Return the sums. digits: see `Digits`."""
    return _scaled(pc.add_checked, operator.add, left, right, digits)


def minus(left: pa.Array, right: pa.Array, digits: Digits = (0, 0)) -> Computed:
    """Return the differences. digits: see `Digits`."""
    return _scaled(pc.subtract_checked, operator.sub, left, right, digits)


def times(left: pa.Array, right: pa.Array) -> Computed:
    """Return the products."""
    return _checked(pc.multiply_checked, operator.mul, left, right)


def negated(values: pa.Array) -> Computed:
    """Return the values with the other sign."""
    return _checked(pc.negate_checked, operator.neg, values)


def absolute(values: pa.Array) -> Computed:
    """Return the values without a sign."""
    return _checked(pc.abs_checked, abs, values)


def finer(values: pa.Array, digits: int) -> Computed:
    """Return the values in units that are so many digits finer."""
    return times(values, pa.repeat(10**digits, len(values))) if digits else Computed(values)


def quotient(top: pa.Array, bottom: pa.Array, digits: int) -> Computed:
    """Return top * 10 ** digits / bottom, rounded half away from zero; empty if bottom is 0.

    digits: may be negative.
    """
    bottom = pc.if_else(pc.equal(bottom, 0), None, bottom)
    try:
        return Computed(_quotient(_finer(top, digits), _finer(bottom, -digits)))
    except pa.ArrowInvalid:
        above, below = 10 ** max(digits, 0), 10 ** max(-digits, 0)
        return _one_by_one(lambda a, b: rounded_quotient(a * above, b * below), top, bottom)


def compared(kernel: str, left: pa.Array, right: pa.Array, digits: Digits) -> pa.Array:
    """Return how numbers compare, by a kernel such as "less". digits: see `Digits`."""
    try:
        return getattr(pc, kernel)(_finer(left, digits[0]), _finer(right, digits[1]))
    except pa.ArrowInvalid:
        compare = _COMPARE[kernel]
        a, b = (10**one for one in digits)
        return pa.array(_rows(lambda x, y: compare(x * a, y * b), left, right), pa.bool_())


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}


def within(values: pa.Array, lowest: int, highest: int) -> Computed:
    """Return the values; those below or above the bounds are too large."""
    is_out = pc.or_(pc.less(values, lowest), pc.greater(values, highest))
    return faulty(values, is_out, TOO_LARGE) if pc.any(is_out).as_py() else Computed(values)


def faulty(values: pa.Array, is_faulty: pa.Array, fault: int) -> Computed:
    """Return the values without those that are faulty. is_faulty: empty if a row is not."""
    is_faulty = pc.fill_null(is_faulty, fill_value=False)
    return Computed(pc.if_else(is_faulty, None, values), pc.if_else(is_faulty, fault, FINE).cast(pa.int8()))


def _finer(values: pa.Array, digits: int) -> pa.Array:
    """Return the values in finer units. Raises ArrowInvalid if one does not fit."""
    return pc.multiply_checked(values, 10**digits) if digits > 0 else values


def _quotient(top: pa.Array, bottom: pa.Array) -> pa.Array:
    """Return the quotients. Raises ArrowInvalid for -2**63, whose size does not fit."""
    size, by = pc.abs_checked(top), pc.abs_checked(bottom)
    whole = pc.divide(size, by)
    rest = pc.subtract(size, pc.multiply(whole, by))
    # Twice the rest might not fit.
    rounded = pc.add(whole, pc.greater_equal(rest, pc.subtract(by, rest)).cast(pa.int64()))
    is_negative = pc.xor(pc.less(top, 0), pc.less(bottom, 0))
    return pc.if_else(is_negative, pc.negate(rounded), rounded)


def _scaled(
    kernel: Callable[..., pa.Array], exact: Callable[[int, int], int], left: pa.Array, right: pa.Array, digits: Digits
) -> Computed:
    try:
        return Computed(kernel(_finer(left, digits[0]), _finer(right, digits[1])))
    except pa.ArrowInvalid:
        a, b = (10**one for one in digits)
        return _one_by_one(lambda x, y: exact(x * a, y * b), left, right)


def _checked(kernel: Callable[..., pa.Array], exact: Callable[..., int], *of: pa.Array) -> Computed:
    try:
        return Computed(kernel(*of))
    except pa.ArrowInvalid:
        return _one_by_one(exact, *of)


def _one_by_one(exact: Callable[..., int], *of: pa.Array) -> Computed:
    numbers = _rows(exact, *of)
    are_large = [number is not None and not -LARGEST - 1 <= number <= LARGEST for number in numbers]
    fitting = [None if is_large else number for number, is_large in zip(numbers, are_large, strict=True)]
    faults = pa.array([TOO_LARGE if is_large else FINE for is_large in are_large], pa.int8())
    return Computed(pa.array(fitting, pa.int64()), faults if any(are_large) else None)


def _rows(exact: Callable[..., Any], *of: pa.Array) -> Sequence[Any]:
    rows = zip(*(one.to_pylist() for one in of), strict=True)
    return [None if None in row else exact(*row) for row in rows]
