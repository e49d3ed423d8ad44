"""A line over days, as the points of a picture that needs no script: equal numbers give equal points."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

WIDTH, HEIGHT = 720, 60


class Trend(NamedTuple):
    """A line: its name, its points in a picture of WIDTH by HEIGHT as SVG has them, and what it says in words."""

    name: str
    points: str
    said: str


def trend(name: str, values: list[tuple[date, int | Decimal]]) -> Trend:
    """Return the line of values by day, in order: from zero at the bottom to the largest at the top."""
    if not values:
        return Trend(name, "", f"{name}: no day is published")
    first, last = values[0][0], values[-1][0]
    most = max(value for _, value in values)
    days = max(1, (last - first).days)
    points = [_point((day - first).days * WIDTH // days, value, most) for day, value in values]
    least = min(value for _, value in values)
    return Trend(name, " ".join(points), f"{name} from {first} to {last}: {least:,} to {most:,}")


def _point(x: int, value: int | Decimal, most: int | Decimal) -> str:
    return f"{x},{HEIGHT - int(value * HEIGHT / most) if most else HEIGHT}"
