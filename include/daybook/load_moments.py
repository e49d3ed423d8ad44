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
        return pa.array((micros // 86_400_000_000).astype(np.int32)).cast(arrow_type(column))
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
            numbers[part] = _number(places)
            are_right &= (places - np.uint8(48) <= 9).all(axis=0)
        else:
            are_right &= (places == np.frombuffer(part.encode(), np.uint8)[:, None]).all(axis=0)
        at += len(places)
    return _micros(numbers, are_right)


def _number(places: Bytes) -> Numbers:
    number = np.zeros(places.shape[1], np.int64)
    for digits in places:
        number = number * 10 + digits - 48
    return number


def _micros(numbers: dict[str, Any], are_right: Flags) -> tuple[Numbers, Flags]:
    for part, (lowest, highest, _) in RANGES.items():
        are_right &= (lowest <= numbers[part]) & (numbers[part] <= highest)
    month = (numbers["%Y"] - 1970) * 12 + numbers["%m"] - 1
    month = np.where(are_right, month, 0).astype("M8[M]")
    first, next_first = (day.astype("M8[D]").astype(np.int64) for day in (month, month + 1))
    day = first + numbers["%d"] - 1
    are_right &= day < next_first
    seconds = ((day * 24 + numbers["%H"]) * 60 + numbers["%M"]) * 60 + numbers["%S"]
    return seconds * 1_000_000 + numbers["%f"], are_right
