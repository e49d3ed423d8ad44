"""Ratios of two measures, exact and rounded once, half away from zero, so that no floating point affects a number."""

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.rules.exact import quotient
from daybook.rules.frames import decimals, from_units, units, with_scale
from daybook.spec import Ratio


def ratio_type(ratio: Ratio) -> pa.Decimal128Type:
    """Return the type of a ratio: 18 digits before the point, and `scale` after it."""
    return pa.decimal128(18 + ratio.scale, ratio.scale)


def ratio_of(measured: pa.Table, ratio: Ratio, where: str) -> pa.ChunkedArray:
    """Return a ratio of each group; nothing if a part is nothing, or it is over zero.

    measured: the measures of each group, and `row_count`. where: what messages name. Raises BadData if a ratio has more
    digits than its type, or is over zero and the spec refuses that.
    """
    _check_not_by_zero(measured, ratio, where)
    top, bottom = measured[ratio.of], measured[ratio.over]
    # The ratio in units of its last digit is (top * up) / (bottom * down), all of them integers.
    up, down = ratio.times * 10 ** (ratio.scale + _scale(bottom)), 10 ** _scale(top)
    if 2 * (_largest(top) * up + _largest(bottom) * down) < 2**63:
        return from_units(_in_64_bits(units(top), units(bottom), up, down), ratio_type(ratio))
    pairs = zip(_whole(top), _whole(bottom), strict=True)
    numbers = [None if a is None or not b else quotient(a * up, b * down) for a, b in pairs]
    try:
        return decimals(numbers, ratio_type(ratio))
    except OverflowError:
        raise BadData(
            f"{where}: ratio {ratio.name!r} has more than 18 digits before the point; nothing was published; "
            f"mend the values behind {ratio.of!r} and {ratio.over!r}, or give them another unit"
        ) from None


def _check_not_by_zero(measured: pa.Table, ratio: Ratio, where: str) -> None:
    # A day without rows has no group that could be wrong.
    is_by_zero = pc.and_(pc.equal(_digits(measured[ratio.over]), 0), pc.greater(measured["row_count"], 0))
    groups = pc.sum(is_by_zero).as_py() or 0
    if groups and ratio.by_zero == "refuse":
        raise BadData(
            f"{where}: ratio {ratio.name!r} is over zero in {groups} of {measured.num_rows} groups, none expected; "
            f"nothing was published; mend the values behind {ratio.over!r}, or declare by_zero='nothing'"
        )


def _in_64_bits(top: pa.ChunkedArray, bottom: pa.ChunkedArray, up: int, down: int) -> pa.ChunkedArray:
    # round(n / d) half away from zero = sign * floor((2 * |n| + |d|) / (2 * |d|))
    over = pc.multiply(pc.abs(pc.if_else(pc.equal(bottom, 0), None, bottom)), down)
    whole = pc.divide(pc.add(pc.multiply(pc.abs(top), 2 * up), over), pc.multiply(over, 2))
    return pc.if_else(pc.equal(pc.less(top, 0), pc.less(bottom, 0)), whole, pc.negate(whole))


def _largest(column: pa.ChunkedArray) -> int:
    # At least 1, since what it is multiplied by has to fit 64 bits too.
    return max(abs(int(value or 1)) for value in pc.min_max(_digits(column)).as_py().values())


def _whole(column: pa.ChunkedArray) -> list[int | None]:
    return [None if value is None else int(value) for value in _digits(column).to_pylist()]


def _digits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return with_scale(column, 0) if pa.types.is_decimal(column.type) else column


def _scale(column: pa.ChunkedArray) -> int:
    return int(column.type.scale) if pa.types.is_decimal(column.type) else 0
