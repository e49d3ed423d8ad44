"""A block of bytes seen as lines: where each ends, and which of them cannot be taken as they look.

Called by load_fast. It knows nothing of columns: only of encoding, control bytes, line ends and, by load_quotes, of
quotes. Pure.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from daybook.load_layout import Bytes, Flags, Layout, Numbers
from daybook.load_quotes import CR, LF, QUOTE, are_all_in_order, together
from daybook.load_slow import OPEN_QUOTE_LINES

TAB = 9
PIECE_BYTES, LEAST_PART_BYTES = 2**18, 2**12


class Lines(NamedTuple):
    """The lines of a block, those that quotes hold together being one: where each starts and ends (after its line end).

    `numbers` are the physical lines that they start on, counted from 0, and `physical_ends` where these end. Which are
    empty, and which are in doubt: load_slow reads a record from the start of each of these.
    """

    starts: Numbers
    ends: Numbers
    numbers: Numbers
    physical_ends: Numbers
    are_empty: Flags
    are_doubtful: Flags


def sound_lines(data: bytes, layout: Layout) -> int:
    """Give how many line ends a block has if none of its lines is in doubt, as far as its bytes tell; else 0.

    A cheap first look, at a piece after the other, so that what it needs stays in the processor's cache. Whether each
    line end is a record's, Arrow tells: by as many rows.
    """
    content = np.frombuffer(data, np.uint8)
    # A line that is longer than a field may be spans at least one such part without a line end.
    part_bytes = min(layout.field_bytes // 2, PIECE_BYTES)
    if part_bytes < LEAST_PART_BYTES or not data.endswith(b"\n"):
        return 0
    line_ends, quotes = 0, []
    for at in range(0, len(content), PIECE_BYTES):
        piece = content[at : at + PIECE_BYTES]
        are_ends = piece == LF
        found = np.count_nonzero(are_ends)
        parts = np.arange(0, len(piece), part_bytes)
        if found != np.count_nonzero(piece < 32) or not np.logical_or.reduceat(are_ends, parts).all():
            return 0
        line_ends += int(found)
        quotes.append(np.flatnonzero(piece == QUOTE) + at)
    return (
        line_ends if _is_all_utf8(data) and are_all_in_order(content, np.concatenate(quotes), layout.delimiter) else 0
    )


def lines_of(data: bytes, layout: Layout) -> Lines:
    """Find the lines of a block. What stands behind the last line end is a line too, and in doubt."""
    content = np.frombuffer(data, np.uint8)
    low = np.flatnonzero(content < 32)
    codes = content[low]
    physical_ends = low[codes == LF] + 1
    lone = _lone(low[codes == CR], content)
    places = [low[_are_refused(layout)[codes]], lone]
    if not data.endswith(b"\n"):
        physical_ends = np.append(physical_ends, len(data))
        places.append(physical_ends[-1:] - 1)
    last, are_doubtful = together(data, physical_ends, lone, layout.delimiter)
    ends = physical_ends[last]
    starts = np.concatenate([[0], ends[:-1]])
    are_doubtful |= (ends - starts > layout.field_bytes) | (np.diff(last, prepend=-1) > OPEN_QUOTE_LINES)
    are_doubtful[_lines_at(np.concatenate(places), ends)] = True
    are_doubtful[_not_utf8(data, content, starts, ends)] = True
    numbers = np.concatenate([[0], last[:-1] + 1])
    return Lines(starts, ends, numbers, physical_ends, _are_empty(content, starts, ends), are_doubtful)


def _lines_at(places: Numbers, ends: Numbers) -> Numbers:
    return np.searchsorted(ends, places, side="right")


def _are_refused(layout: Layout) -> Flags:
    """Give which of the bytes below 32 no field may hold."""
    are_refused = np.full(32, not layout.are_control_bytes_kept)
    are_refused[[TAB, LF, CR]] = False
    are_refused[[code for code in layout.delimiter if code < 32]] = False
    are_refused[0] = True
    return are_refused


def _lone(returns: Numbers, content: Bytes) -> Numbers:
    # The last byte of a block is a line end, or its line is in doubt in any case.
    lone: Numbers = returns[content[np.minimum(returns + 1, len(content) - 1)] != LF]
    return lone


def _are_empty(content: Bytes, starts: Numbers, ends: Numbers) -> Flags:
    # Few lines are so short, so only these are looked at.
    are_empty = ends - starts <= 2
    short = np.flatnonzero(are_empty)
    is_alone = ends[short] - starts[short] == 1
    are_empty[short] = (content[ends[short] - 1] == LF) & (is_alone | (content[starts[short]] == CR))
    return are_empty


def _not_utf8(data: bytes, content: Bytes, starts: Numbers, ends: Numbers) -> list[int]:
    if _is_all_utf8(data):
        return []
    high = np.unique(_lines_at(np.flatnonzero(content >= 128), ends))
    spans = zip(high.tolist(), starts[high].tolist(), ends[high].tolist(), strict=True)
    return [line for line, start, end in spans if not _is_utf8(data[start:end])]


def _is_all_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    # As one text of Arrow's, which is seen through faster than it is decoded.
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(data)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
