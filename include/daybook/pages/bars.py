"""Bars of a measure by day, as a picture that needs no script and no library: equal numbers give equal pictures.

A chart library (Altair with vl-convert) takes a second and 130 MiB in each process that draws; this takes a fraction of
a millisecond.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

HEIGHT, STEP, GAP = 110, 44, 28
# Above the highest bar for its label, and below the lowest for its label and the day.
ABOVE, BELOW = 18, 46
THOUSANDS = ("", "k", "M", "G", "T", "P", "E")


class Bar(NamedTuple):
    """A bar: its day, its group (`weekday`, `before` or `day`), what it says; x, y, height in pixels.

    value: None if readers see nothing of the day, or the day has no value. label: the value, in few characters.
    """

    day: date
    group: str
    value: Decimal | None
    label: str
    x: int
    y: int
    height: int


class Bars(NamedTuple):
    """A picture: its bars from left to right, its width, its height, and where zero is."""

    bars: list[Bar]
    width: int
    height: int
    zero: int


def bars(groups: dict[str, list[date]], values: dict[date, Decimal]) -> Bars:
    """Return the bars of some days, a gap between the groups. values: by day; all bars have one scale, from zero."""
    known = [values[day] for days in groups.values() for day in days if day in values]
    low, high = min([*known, Decimal(0)]), max([*known, Decimal(0)])
    zero = ABOVE + _pixels(high, high - low)
    found, x = [], 0
    for group, days in groups.items():
        for day in days:
            found.append(_bar(day, group, values.get(day), x, zero, high - low))
            x += STEP
        x += GAP if days else 0
    return Bars(found, max(x - GAP, 0), ABOVE + HEIGHT + BELOW, zero)


def _bar(day: date, group: str, value: Decimal | None, x: int, zero: int, span: Decimal) -> Bar:
    height = _pixels(abs(value or Decimal(0)), span)
    label = "" if value is None else short(value)
    return Bar(day, group, value, label, x, zero - height if (value or 0) > 0 else zero, height)


def _pixels(value: Decimal, span: Decimal) -> int:
    return int(value * HEIGHT / span) if span else 0


def short(value: Decimal) -> str:
    """Return a number in at most six signs or so, with k, M, G … for thousands: "842", "12.5k", "-3.08M"."""
    power = min(max(value.adjusted(), 0) // 3, len(THOUSANDS) - 1)
    scaled = value.scaleb(-3 * power)
    digits = Decimal(1).scaleb(min(scaled.adjusted(), 2) - 2) if scaled.adjusted() >= 0 else Decimal("0.001")
    rounded = scaled.quantize(digits, ROUND_HALF_UP)
    if abs(rounded) >= 1000 and power + 1 < len(THOUSANDS):
        rounded, power = Decimal(1 if rounded > 0 else -1), power + 1
    text = f"{rounded:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + THOUSANDS[power]
