"""A whole column of dates or instants read at once, exactly as moments.py reads them one by one.

Called by columns.py. Texts of one width are read from their digits as a table of bytes; moment_reader.py reads the
others at a place of their own in each text. What is not sure is left to values.py. Pure.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from daybook.loader.clock_changes import offsets
from daybook.loader.moment_reader import DAY_MICROS, MONTH_STARTS, RANGES, ZERO, MomentReader, is_clear
from daybook.loader.moments import FIRST_YEAR
from daybook.loader.texts import Bytes, Flags, Numbers
from daybook.spec.column import Column, arrow_type
from daybook.spec.format import NAMED, directives

WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2, "%f": 0}
# In UTC a local time may be of the day before.
FIRST_MICROS, END_MICROS = (int(MONTH_STARTS[0]) - 1) * DAY_MICROS, int(MONTH_STARTS[-1]) * DAY_MICROS


def moments(content: Bytes, starts_of: Numbers, column: Column) -> tuple[pa.Array, Flags]:
    """Return the column's values, and which texts could be read; the others' values mean nothing.

    `content` holds the bytes of all texts, and `starts_of` the start of each.
    """
    values, are_read = _of_one_width(content, starts_of, column)
    others = np.flatnonzero(~are_read & (np.diff(starts_of) > 0))
    if len(others) and is_clear(column.format or ""):
        starts, ends = (starts_of[at].astype(np.int64) for at in (others, others + 1))
        values[others], are_read[others] = MomentReader(content, starts, ends, column).read()
    if column.kind == "timestamp":
        are_read &= _are_in_time(values)
        _set_zone(values, are_read, column)
        are_read &= _are_in_time(values)
    return _array(values, column), are_read


def _are_in_time(micros: Numbers) -> Flags:
    are: Flags = (micros >= FIRST_MICROS) & (micros < END_MICROS)
    return are


def _set_zone(values: Numbers, are_read: Flags, column: Column) -> None:
    """Turn local times into instants, and leave out those whose instant is not clear."""
    if not column.time_zone or not are_read.any():
        return
    local = values[are_read]
    found = offsets(local, column.time_zone)
    if found is None:
        are_read[:] = False
        return
    are_repeated, are_skipped = found.first > found.second, found.first < found.second
    values[are_read] = local - np.where(are_repeated & (column.repeated_hour == "second"), found.second, found.first)
    are_unclear = are_repeated & (column.repeated_hour in (None, "refuse"))
    are_read[are_read] = ~(are_unclear | are_skipped & (column.skipped_hour != "shift"))


def _of_one_width(content: Bytes, starts_of: Numbers, column: Column) -> tuple[Numbers, Flags]:
    """Read the texts that are as long as the first, if each directive has one width."""
    lengths = np.diff(starts_of)
    parts = _parts(column, int(lengths[np.argmax(lengths > 0)]) if len(lengths) else 0)
    are_read = lengths == sum(width for _, width in parts)
    values = np.zeros(len(are_read), np.int64)
    if not are_read.any() or not parts:
        return values, are_read & False
    found, are_right = _moments_in(_grid(content, starts_of, are_read), parts)
    values[are_read] = found
    are_read[are_read] = are_right
    return values, are_read


def _parts(column: Column, length: int) -> list[tuple[str, int]]:
    """Return the directives and literals of a format with their widths, or nothing if a width is not fixed."""
    form = column.format or ""
    parts = [(part, WIDTHS.get(part, len(part.encode()))) for part in directives(form)]
    if form in NAMED or column.missing_day or any(p.startswith("%") and p not in WIDTHS for p, _ in parts):
        return []
    # A fraction has one to six digits: assume as many as in the first text.
    fraction = length - sum(width for _, width in parts)
    return [(part, min(max(fraction, 1), 6) if part == "%f" else width) for part, width in parts]


def _array(micros: Numbers, column: Column) -> pa.Array:
    if column.kind == "date":
        return pa.array((micros // DAY_MICROS).astype(np.int32)).cast(arrow_type(column))
    return pa.array(micros).cast(arrow_type(column))


def _grid(content: Bytes, starts_of: Numbers, are_read: Flags) -> Bytes:
    """Return texts of one width as a table of bytes: a row for each place in the text, a column for each text."""
    starts, width = starts_of[:-1][are_read], int(np.diff(starts_of)[are_read][0])
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
            # Bytes wrap around below zero, so this is one comparison for all bytes that are not digits.
            are_right &= (places - ZERO <= 9).all(axis=0)
            numbers[part] = _number(places) * (10 ** (6 - width) if part == "%f" else 1)
            lowest, highest, _ = RANGES[part]
            are_right &= (lowest <= numbers[part]) & (numbers[part] <= highest)
        else:
            are_right &= (places == np.frombuffer(part.encode(), np.uint8)[:, None]).all(axis=0)
    return _micros(numbers, are_right)


def _number(places: Bytes) -> Any:
    # Two digits fit a byte, and NumPy adds many bytes at once.
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
