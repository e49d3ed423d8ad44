"""Dates and instants of a fixed width read from their digits, a whole column at once.

Called by load_columns. It takes formats of %Y %m %d %H %M %S %f and literals, in which every text has one length. What
it does not read (another format, another length, a day that does not exist), load_kinds settles. Pure.
"""

import re
from typing import Any

import numpy as np
import pyarrow as pa

from daybook.load_kinds import FIRST_YEAR, arrow_type
from daybook.spec import Column

Flags = np.ndarray[Any, np.dtype[np.bool_]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2, "%f": 6}
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


def moments(content: Bytes, offsets: Any, column: Column) -> tuple[pa.Array, Flags]:
    """Give the column's values and which texts were read; the others' values say nothing.

    `content` holds the bytes of all texts, and `offsets` where each begins.
    """
    parts = re.findall(r"%.|[^%]", column.format or "", re.DOTALL)
    width = sum(WIDTHS.get(part) or len(part.encode()) for part in parts)
    are_read = np.diff(offsets) == width
    values = np.zeros(len(are_read), np.int64)
    if any(part.startswith("%") and part not in WIDTHS for part in parts) or not are_read.any():
        return _array(values, column), are_read & False
    found, are_right = _moments_in(_grid(content, offsets, are_read, width), parts)
    values[are_read] = found
    are_read[are_read] = are_right
    return _array(values, column), are_read


def _array(micros: Numbers, column: Column) -> pa.Array:
    if column.kind == "date":
        return pa.array((micros // DAY_MICROS).astype(np.int32)).cast(arrow_type(column))
    return pa.array(micros).cast(arrow_type(column))


def _grid(content: Bytes, offsets: Any, are_read: Flags, width: int) -> Bytes:
    """Give the texts of this width as a table of bytes: a row for each place in the text, a column for each text."""
    starts = offsets[:-1][are_read]
    is_all = len(starts) * width == len(content)
    rows = content.reshape(-1, width) if is_all else content[starts[:, None] + np.arange(width)]
    return np.ascontiguousarray(rows.T)


def _moments_in(grid: Bytes, parts: list[str]) -> tuple[Numbers, Flags]:
    are_right = np.ones(grid.shape[1], bool)
    numbers: dict[str, Any] = {part: usual for part, (_, _, usual) in RANGES.items()}
    at = 0
    for part in parts:
        places = grid[at : at + (WIDTHS.get(part) or len(part.encode()))]
        if part in WIDTHS:
            # Bytes wrap around below zero, so this is one comparison for all that is no digit.
            are_right &= (places - ZERO <= 9).all(axis=0)
            numbers[part] = _number(places)
            lowest, highest, _ = RANGES[part]
            are_right &= (lowest <= numbers[part]) & (numbers[part] <= highest)
        else:
            are_right &= (places == np.frombuffer(part.encode(), np.uint8)[:, None]).all(axis=0)
        at += len(places)
    return _micros(numbers, are_right)


def _number(places: Bytes) -> Any:
    # Two digits fit a byte, and bytes are added up many at once.
    pairs = (places[::2] - ZERO) * np.uint8(10) + (places[1::2] - ZERO)
    number = pairs[0].astype(np.int32)
    for pair in pairs[1:]:
        number = number * 100 + pair
    return number


def _micros(numbers: dict[str, Any], are_right: Flags) -> tuple[Numbers, Flags]:
    month = np.where(are_right, (numbers["%Y"] - FIRST_YEAR) * 12 + numbers["%m"] - 1, 0)
    day = MONTH_STARTS[month] + numbers["%d"] - 1
    are_right &= day < MONTH_STARTS[month + 1]
    seconds = (numbers["%H"] * 60 + numbers["%M"]) * 60 + numbers["%S"]
    return day.astype(np.int64) * DAY_MICROS + (seconds * np.int64(1_000_000) + numbers["%f"]), are_right
