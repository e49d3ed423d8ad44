"""Draws seconds and memory by the size of a day, both axes logarithmic, as SVG."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH, HEIGHT, LEFT, TOP = 360, 240, 60, 30
COLORS = {"daybook": "#0b5fff", "polars": "#d9480f", "duckdb": "#2b8a3e", "pandas": "#862e9c"}
PARTS = (("cpu_s", "CPU seconds"), ("peak_mib", "peak memory, MiB"))


def picture(drawn: Mapping[str, Sequence[tuple[int, Any]]]) -> str:
    """Return the picture. drawn: by program, what it took by rows, in ascending order."""
    parts = [_part(drawn, word, title, place * (WIDTH + LEFT + 20)) for place, (word, title) in enumerate(PARTS)]
    width, height = 2 * (WIDTH + LEFT + 20), HEIGHT + TOP + 40
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">\n' + (
        "\n".join([f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>", ""])
    )


def _part(drawn: Mapping[str, Sequence[tuple[int, Any]]], word: str, title: str, left: int) -> str:
    xs = [math.log10(rows) for points in drawn.values() for rows, _ in points]
    ys = [math.log10(getattr(took, word)) for points in drawn.values() for _, took in points]
    low, high = math.floor(min(ys)), math.ceil(max(ys))
    span = max(max(xs) - min(xs), 1)

    def x(value: float) -> float:
        return round(left + LEFT + (value - min(xs)) / span * WIDTH * 0.8, 1)

    def y(value: float) -> float:
        return round(TOP + HEIGHT - (value - low) / max(high - low, 1) * HEIGHT, 1)

    lines = [f'<text x="{left + LEFT}" y="18" font-weight="bold">{title}, by rows of the day</text>']
    for power in range(low, high + 1):
        lines.append(f'<path d="M{left + LEFT} {y(power)}h{WIDTH}" stroke="#ddd"/>')
        lines.append(f'<text x="{left + LEFT - 8}" y="{y(power) + 4}" text-anchor="end">{10.0**power:,g}</text>')
    for power in sorted({round(value) for value in xs}):
        lines.append(f'<text x="{x(power)}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{10**power:,}</text>')
    for name, points in drawn.items():
        places = [(x(math.log10(rows)), y(math.log10(getattr(took, word)))) for rows, took in points]
        lines.append(
            f'<polyline points="{" ".join(f"{a},{b}" for a, b in places)}" fill="none" '
            f'stroke="{COLORS[name]}" stroke-width="2"/>'
        )
        lines.append(f'<text x="{places[-1][0] + 6}" y="{places[-1][1] + 4}" fill="{COLORS[name]}">{name}</text>')
    return "\n".join(lines)
