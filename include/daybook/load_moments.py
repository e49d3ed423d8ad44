"""Dates and instants of a fixed width read from their digits, a whole column at once.

Called by load_columns. It takes formats of %Y %m %d %H %M %S %f and literals, in which every text has one length. What
it does not read (another format, another length, a day that does not exist), load_kinds settles. Pure.
"""

import re
from typing import Any

import numpy as np
import pyarrow as pa

from daybook.load_kinds import FIRST_YEAR, arrow_type
from daybook.load_layout import Bytes, Flags, Numbers
from daybook.spec import Column

WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2, "%f": 0}
ZERO = np.uint8(ord("0"))
DAY_MICROS = 86_400_000_000
# The first day of each month that there is, from January of FIRST_YEAR, counted from 1970-01-01.
MONTH_STARTS = np.arange(f"{FIRST_YEAR}-01", "10000-02", dtype="M8[M]").astype("M8[D]").astype(np.int32)
# Lowest, highest, and what strptime takes where the format does not say.
RANGES = {
    "%Y": (FIRST_YEAR, 9999, 1900),
    "%m": (1, 12, 1),
    "%d": (1, 31, 1),
    "%H": (0, 23, 0),
    "%M": (0, 59, 0),
    "%S": (0, 59, 0),
    "%f": (0, 999_999, 0),
}


def moments(content: Bytes, offsets: Numbers, column: Column) -> tuple[pa.Array, Flags]:
    """Give the column's values and which texts were read; the others' values say nothing.

    `content` holds the bytes of all texts, and `offsets` where each begins.
    """
    lengths = np.diff(offsets)
    parts = _parts(column.format or "", int(lengths[np.argmax(lengths > 0)]) if len(lengths) else 0)
    are_read = lengths == sum(width for _, width in parts)
    values = np.zeros(len(are_read), np.int64)
    if not are_read.any() or not parts:
        return _array(values, column), are_read & False
    found, are_right = _moments_in(_grid(content, offsets, are_read), parts)
    values[are_read] = found
    are_read[are_read] = are_right
    return _array(values, column), are_read


def _parts(form: str, length: int) -> list[tuple[str, int]]:
    """Give the words and literals of a format with their widths, or nothing where they have none."""
    parts = [(part, WIDTHS.get(part, len(part.encode()))) for part in re.findall(r"%.|[^%]", form, re.DOTALL)]
    if any(part.startswith("%") and part not in WIDTHS for part, _ in parts):
        return []
    # A fraction has one to six digits: here as many as in the first text.
    fraction = length - sum(width for _, width in parts)
    return [(part, min(max(fraction, 1), 6) if part == "%f" else width) for part, width in parts]


def _array(micros: Numbers, column: Column) -> pa.Array:
    if column.kind == "date":
        return pa.array((micros // DAY_MICROS).astype(np.int32)).cast(arrow_type(column))
    return pa.array(micros).cast(arrow_type(column))


def _grid(content: Bytes, offsets: Numbers, are_read: Flags) -> Bytes:
    """Give texts of one width as a table of bytes: a row for each place in the text, a column for each text."""
    starts, width = offsets[:-1][are_read], int(np.diff(offsets)[are_read][0])
    is_all = len(starts) * width == len(content)
    rows = content.reshape(-1, width) if is_all else content[starts[:, None] + np.arange(width)]
    return np.ascontiguousarray(rows.T)


def _moments_in(grid: Bytes, parts: list[tuple[str, int]]) -> tuple[Numbers, Flags]:
    are_right = np.ones(grid.shape[1], bool)
    numbers: dict[str, Any] = {part: usual for part, (_, _, usual) in RANGES.items()}
    at = 0
    for part, width in parts:
        places, at = grid[at : at + width], at + width
        if part in WIDTHS:
            # Bytes wrap around below zero, so this is one comparison for all that is no digit.
            are_right &= (places - ZERO <= 9).all(axis=0)
            numbers[part] = _number(places) * (10 ** (6 - width) if part == "%f" else 1)
            lowest, highest, _ = RANGES[part]
            are_right &= (lowest <= numbers[part]) & (numbers[part] <= highest)
        else:
            are_right &= (places == np.frombuffer(part.encode(), np.uint8)[:, None]).all(axis=0)
    return _micros(numbers, are_right)


def _number(places: Bytes) -> Any:
    # Two digits fit a byte, and bytes are added up many at once.
    odd = len(places) % 2
    pairs = (places[odd::2] - ZERO) * np.uint8(10) + (places[odd + 1 :: 2] - ZERO)
    number = (places[0] - ZERO if odd else np.zeros(places.shape[1])).astype(np.int32)
    for pair in pairs:
        number = number * 100 + pair
    return number


def _micros(numbers: dict[str, Any], are_right: Flags) -> tuple[Numbers, Flags]:
    month = np.where(are_right, (numbers["%Y"] - FIRST_YEAR) * 12 + numbers["%m"] - 1, 0)
    day = MONTH_STARTS[month] + numbers["%d"] - 1
    are_right &= day < MONTH_STARTS[month + 1]
    seconds = (numbers["%H"] * 60 + numbers["%M"]) * 60 + numbers["%S"]
    return day.astype(np.int64) * DAY_MICROS + (seconds * np.int64(1_000_000) + numbers["%f"]), are_right
