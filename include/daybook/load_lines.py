"""A block of bytes seen as lines: where each ends, and which of them cannot be taken as they look.

Called by load_fast. It knows nothing of columns: only of quotes, encoding, control bytes and line ends. Pure.
"""

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.load_columns import flags, misfits
from daybook.load_layout import Layout

Flags = np.ndarray[Any, np.dtype[np.bool_]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
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
    returns = low[codes == CR]
    places = [low[_are_refused(layout)[codes]], _lone(returns, content)]
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
        places.append(ends[-1:] - 1)
    starts = np.concatenate([[0], ends[:-1]])
    are_doubtful = _doubtful(data, ends, layout)
    are_doubtful[np.searchsorted(ends, np.concatenate(places), side="right")] = True
    are_doubtful |= ends - starts > layout.field_bytes
    return Lines(starts, ends, _are_empty(content, starts, ends), are_doubtful)


def _are_refused(layout: Layout) -> Flags:
    """Give which of the bytes below 32 no field may hold."""
    are_refused = np.full(32, not layout.are_control_bytes_kept)
    are_refused[[TAB, LF, CR]] = False
    are_refused[[code for code in layout.delimiter if code < 32]] = False
    are_refused[0] = True
    return are_refused


def _lone(returns: Numbers, content: Any) -> Numbers:
    # The last byte of a block is a line end, or its line is in doubt in any case.
    lone: Numbers = returns[content[np.minimum(returns + 1, len(content) - 1)] != LF]
    return lone


def _are_empty(content: Any, starts: Numbers, ends: Numbers) -> Flags:
    lengths = ends - starts
    are_empty: Flags = (content[ends - 1] == LF) & ((lengths == 1) | ((lengths == 2) & (content[starts] == CR)))
    return are_empty


def _doubtful(data: bytes, ends: Numbers, layout: Layout) -> Flags:
    """Give the lines that are not UTF-8, or whose quotes are not all as RFC 4180 has them."""
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    lines = pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    are_doubtful = np.zeros(len(ends), bool)
    if b'"' in data:
        are_doubtful |= ~flags(pc.match_substring_regex(lines, _well_quoted(layout.delimiter.decode())))
    if not data.isascii():
        are_doubtful[misfits(lines, pa.string(), 0)] = True
    return are_doubtful


def _well_quoted(delimiter: str) -> str:
    # A carriage return inside of quotes is left to load_slow, as is the field that goes over several lines.
    mark = re.escape(delimiter)
    field = rf'(?:[^"\r\n{mark}]*|"(?:[^"\r\n]|"")*")'
    return rf"\A{field}(?:{mark}{field})*\r?\n\z"
