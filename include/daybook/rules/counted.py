"""Quantiles and spreads of groups, from how often each value comes in each group; in whole numbers, so exact."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


class Counted(NamedTuple):
    """The distinct values of each group in ascending order, and how many rows have each.

    The values of group number g are those from `bounds[g]` to `bounds[g + 1]`.
    """

    values: Numbers
    rows: Numbers
    bounds: Numbers

    @property
    def distinct(self) -> list[int]:
        """Return the number of distinct values of each group."""
        return [int(number) for number in np.diff(self.bounds)]


class Moments(NamedTuple):
    """How many values a group has, their sum, and the sum of their squares."""

    values: int
    total: int
    squares: int


def counted_of(pairs: pa.Table, groups: int) -> Counted:
    """Return what was counted: `group`, `value` and `rows`, ordered by the first two. groups: how many there are."""
    group, values, rows = (pairs[name].to_numpy() for name in ("group", "value", "rows"))
    return Counted(values, rows, np.searchsorted(group, np.arange(groups + 1)))


def discrete_quantiles(counted: Counted, share: Fraction) -> list[int | None]:
    """Return the first value of each group of which at least that share of its values are not over it.

    This is percentile_disc of SQL:2003 (PostgreSQL's manual, 9.21); nothing for a group without a value.
    """
    counts = _counts(counted)
    # The rank from 0 on, rounded up: ceil(share * count) - 1.
    ranks = [max(-(-share.numerator * count // share.denominator) - 1, 0) for count in counts]
    values = _values_at(counted, ranks)
    return [value if count else None for value, count in zip(values, counts, strict=True)]


def continuous_quantiles(counted: Counted, share: Fraction) -> list[int | None]:
    """Return the value of each group at that share of the way from its first to its last, between two if need be.

    This is percentile_cont of SQL:2003 (PostgreSQL's manual, 9.21), exactly: times the share's denominator. Nothing for
    a group without a value.
    """
    counts, parts = _counts(counted), share.denominator
    places = [divmod(share.numerator * max(count - 1, 0), parts) for count in counts]
    below = _values_at(counted, [rank for rank, _ in places])
    above = _values_at(counted, [rank + (rest > 0) for rank, rest in places])
    found = zip(counts, places, below, above, strict=True)
    return [low * (parts - rest) + high * rest if count else None for count, (_, rest), low, high in found]


def moments(counted: Counted) -> list[Moments]:
    """Return the count, the sum and the sum of squares of each group's values, however large they are."""
    # A value is cut into pieces so short that no sum of products of two of them leaves 64 bits.
    bits = (62 - int(counted.rows.sum()).bit_length()) // 2
    pieces = list(enumerate(_pieces(counted.values, bits)))
    counts, totals, squares = _counts(counted), [0] * (len(counted.bounds) - 1), [0] * (len(counted.bounds) - 1)
    for i, piece in pieces:
        totals = _added(totals, _sums(counted, counted.rows * piece), bits * i)
        for j, other in pieces:
            squares = _added(squares, _sums(counted, counted.rows * piece * other), bits * (i + j))
    return [Moments(*one) for one in zip(counts, totals, squares, strict=True)]


def variance(of: Moments, *, is_sample: bool) -> tuple[int, int] | None:
    """Return the variance of a sample, or of a whole population, as two integers whose quotient it is.

    Nothing without enough values. Source: (n * sum of squares - square of sum) / (n * (n - 1)), or / n^2, as in
    PostgreSQL's numeric_stddev_internal.
    """
    bottom = of.values * (of.values - 1 if is_sample else of.values)
    return (of.values * of.squares - of.total**2, bottom) if bottom else None


def _counts(counted: Counted) -> list[int]:
    return _sums(counted, counted.rows)


def _sums(counted: Counted, numbers: Numbers) -> list[int]:
    so_far = _so_far(numbers)
    return [int(number) for number in so_far[counted.bounds[1:]] - so_far[counted.bounds[:-1]]]


def _so_far(numbers: Numbers) -> Numbers:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers)])


def _values_at(counted: Counted, ranks: list[int]) -> list[int]:
    """Return the value of each group at a rank from 0 on; any number for a group without a value."""
    if not len(counted.values):
        return [0] * len(ranks)
    so_far = _so_far(counted.rows)
    rows = so_far[counted.bounds[:-1]] + np.array(ranks, np.int64)
    places = np.searchsorted(so_far, rows, side="right") - 1
    return [int(value) for value in counted.values[np.minimum(places, len(counted.values) - 1)]]


def _pieces(values: Numbers, bits: int) -> list[Numbers]:
    """Return the pieces of so many bits of each number, the lowest first; the last one has the sign."""
    pieces = []
    while len(values) and (values.min() < -(2**bits) or values.max() >= 2**bits):
        pieces.append(values & (2**bits - 1))
        values = values >> bits
    return [*pieces, values]


def _added(totals: list[int], more: list[int], bits: int) -> list[int]:
    return [total + (number << bits) for total, number in zip(totals, more, strict=True)]
