"""A block of bytes seen as lines: where each ends, and which of them cannot be taken as they look.

Called by load_fast. It knows nothing of columns: only of quotes, encoding, control bytes and line ends. Pure.
"""

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.load_columns import flags
from daybook.load_layout import Bytes, Flags, Layout, Numbers

TAB, LF, CR = 9, 10, 13


class Lines(NamedTuple):
    """The lines of a block: where each starts and ends (after its line end), which are empty, which are in doubt."""

    starts: Numbers
    ends: Numbers
    are_empty: Flags
    are_doubtful: Flags


def lines_of(data: bytes, layout: Layout) -> Lines:
    """Find the lines of a block. What stands behind the last line end is a line too, and in doubt."""
    content = np.frombuffer(data, np.uint8)
    low = np.flatnonzero(content < 32)
    codes = content[low]
    ends = low[codes == LF] + 1
    places = [low[_are_refused(layout)[codes]], _lone(low[codes == CR], content)]
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
        places.append(ends[-1:] - 1)
    starts = np.concatenate([[0], ends[:-1]])
    are_doubtful = ends - starts > layout.field_bytes
    are_doubtful[_lines_at(np.concatenate(places), ends)] = True
    lines = Lines(starts, ends, _are_empty(content, starts, ends), are_doubtful)
    _doubt_quotes_and_encoding(data, content, lines, layout)
    return lines


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
    lengths = ends - starts
    are_empty: Flags = (content[ends - 1] == LF) & ((lengths == 1) | ((lengths == 2) & (content[starts] == CR)))
    return are_empty


def _doubt_quotes_and_encoding(data: bytes, content: Bytes, lines: Lines, layout: Layout) -> None:
    offsets = np.concatenate([[0], lines.ends]).astype(np.int32)
    texts = pa.Array.from_buffers(pa.binary(), len(lines.ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    if b'"' in data:
        lines.are_doubtful[~flags(pc.match_substring_regex(texts, _well_quoted(layout.delimiter.decode())))] = True
    try:
        texts.cast(pa.string())
    except pa.ArrowInvalid:
        high = np.unique(_lines_at(np.flatnonzero(content >= 128), lines.ends))
        spans = zip(high.tolist(), lines.starts[high].tolist(), lines.ends[high].tolist(), strict=True)
        lines.are_doubtful[[line for line, start, end in spans if not _is_utf8(data[start:end])]] = True


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _well_quoted(delimiter: str) -> str:
    # A carriage return inside of quotes is left to load_slow, as is the field that goes over several lines.
    mark = re.escape(delimiter)
    field = rf'(?:[^"\r\n{mark}]*|"(?:[^"\r\n]|"")*")'
    return rf"\A{field}(?:{mark}{field})*\r?\n\z"
