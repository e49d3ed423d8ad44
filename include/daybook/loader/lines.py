"""The lines of a block of bytes: where each one ends, and which are in doubt.

Called by fast.py. It knows nothing about columns, only about encoding, control bytes, line ends and quotes: which line
ends are inside quotes, and which lines have quotes out of order. It looks at the bytes on both sides of each quote, for
a whole block at once. Pure.
"""

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.loader.fields import BOM, Syntax
from daybook.loader.layout import Layout
from daybook.loader.texts import Bytes, Flags, Numbers

LF, CR, EQUALS = b"\n\r="


class Marks(NamedTuple):
    """The places in a block of the quotes that no escape stands before, and of the bytes after an escape."""

    quotes: Numbers
    escaped: Numbers


def marks_of(data: bytes, content: Bytes, syntax: Syntax) -> Marks:
    """Return the places of quotes and of escaped bytes."""
    none = np.zeros(0, np.int64)
    quotes = np.flatnonzero(content == syntax.quote[0]) if syntax.quote and syntax.quote in data else none
    if not syntax.escape or syntax.escape not in data:
        return Marks(quotes, none)
    places = np.flatnonzero(content == syntax.escape[0])
    # Of escapes side by side every other one is escaped itself.
    number = np.arange(len(places))
    first_of_run = np.maximum.accumulate(np.where(np.diff(places, prepend=-2) > 1, number, 0))
    escaped = places[(number - first_of_run) % 2 == 0] + 1
    return Marks(quotes[~are_among(quotes, escaped, len(data))], escaped)


def are_among(places: Numbers, others: Numbers, size: int) -> Flags:
    """Return which places of a block of this size are among others."""
    are_others = np.zeros(size + 1, bool)
    are_others[others] = True
    return are_others[places]


def unknown_escapes(content: Bytes, marks: Marks, syntax: Syntax) -> Numbers:
    """Return the places of the bytes that an escape stands before for nothing."""
    are_known = np.zeros(256, bool)
    are_known[[sign[0] for sign in syntax.escapable]] = True
    # An escape at the end of a block escapes nothing.
    unknown: Numbers = marks.escaped[~are_known[content[np.minimum(marks.escaped, len(content) - 1)]]]
    return np.append(unknown, marks.escaped[marks.escaped == len(content)] - 1)


def are_all_in_order(content: Bytes, marks: Marks, syntax: Syntax) -> bool:
    """Return whether all quotes are in order, with the whole block seen as one line."""
    return bool(_are_well_quoted(content, marks, np.array([len(content)]), syntax).all())


def together(
    data: bytes, ends: Numbers, lone: Numbers, marks: Marks, syntax: Syntax, are_alone: bool = False
) -> tuple[Numbers, Flags]:
    """Return the records' last physical lines, and whether their quotes are in doubt.

    `ends`: the ends of the physical lines. `lone`: the carriage returns that end no line. If all quotes are in order, a
    line end ends a record if an even number of quotes comes before it. If any record found so is not in order, this
    rule proves nothing, and each physical line counts as a record, as with `are_alone`.
    """
    every = np.arange(len(ends))
    content = np.frombuffer(data, np.uint8)
    are_well_alone = _are_well_quoted(content, marks, ends, syntax)
    if are_alone or are_well_alone.all():
        return every, ~are_well_alone
    are_closed = _are_closed(ends, marks.quotes)
    last = np.flatnonzero(are_closed)
    # No field without quotes holds a carriage return.
    are_well = _are_well_quoted(content, marks, ends[last], syntax)
    are_well[_quoted_lines_at(lone[_are_closed(lone, marks.quotes)], ends[last])] = False
    rest = data[ends[last[-1]] if len(last) else 0 :]
    if not are_well[np.diff(last, prepend=-1) > 1].all() or not _is_well_opened(rest, syntax):
        return every, ~are_well_alone
    return (last, ~are_well) if are_closed[-1] else (np.append(last, len(ends) - 1), np.append(~are_well, True))


def _are_closed(places: Numbers, quotes: Numbers) -> Flags:
    """Return whether the number of quotes before each of these places is even."""
    are_closed: Flags = np.searchsorted(quotes, places) % 2 == 0
    return are_closed


def _quoted_lines_at(places: Numbers, ends: Numbers) -> Numbers:
    """Return the line of each place; places after the last line end are left out."""
    return np.searchsorted(ends, places[: np.searchsorted(places, ends[-1])] if len(ends) else places[:0], side="right")


def _are_well_quoted(content: Bytes, marks: Marks, ends: Numbers, syntax: Syntax) -> Flags:
    """Return whether the quotes of each line follow RFC 4180 (section 2, 5 to 7).

    They open and close in turn: one opens at the start of a field, one closes at its end; of two side by side the first
    closes and the second opens again.
    """
    lines = _quoted_lines_at(marks.quotes, ends)
    quotes = marks.quotes[: len(lines)]
    are_opening = (np.arange(len(lines)) - np.searchsorted(lines, lines)) % 2 == 0
    are_marks = np.zeros(256, bool)
    are_marks[[LF, *syntax.quote, *syntax.delimiter]] = True
    # Past the end of the block its last byte counts: a line end, or part of a line that is in doubt anyway.
    after, second = (content[np.minimum(quotes + ahead, len(content) - 1)] for ahead in (1, 2))
    begin_well = (quotes == 0) | are_marks[content[quotes - 1]]
    if len(marks.escaped):
        begin_well &= ~are_among(quotes - 1, marks.escaped, len(content))
    end_well = are_marks[after] | ((after == CR) & (second == LF))
    if syntax.has_formulas:
        begin_well |= _open_a_formula(content, quotes, syntax)
    are_well: Flags = np.bincount(lines, minlength=len(ends)) % 2 == 0
    are_well[lines[~np.where(are_opening, begin_well, end_well)]] = False
    return are_well


def _open_a_formula(content: Bytes, quotes: Numbers, syntax: Syntax) -> Flags:
    """Return which quotes open a formula that Arrow reads as a field: no mark and no quote stands in its text."""
    are_ends = np.zeros(256, bool)
    are_ends[[LF, *syntax.delimiter]] = True
    are_opening: Flags = (quotes > 0) & (content[quotes - 1] == EQUALS)
    are_opening &= (quotes == 1) | are_ends[content[np.maximum(quotes - 2, 0)]]
    places = np.flatnonzero(are_opening[:-1])
    if len(places) < np.count_nonzero(are_opening):
        are_opening[-1] = False
    are_ends[CR] = True
    ends = np.flatnonzero(are_ends[content])
    inside = np.searchsorted(ends, quotes[places + 1]) - np.searchsorted(ends, quotes[places])
    is_doubled = content[np.minimum(quotes[places + 1] + 1, len(content) - 1)] == syntax.quote[0]
    are_opening[places[(inside > 0) | is_doubled]] = False
    return are_opening


def _is_well_opened(rest: bytes, syntax: Syntax) -> bool:
    """Return whether the rest of a block is empty, or the start of a record with an open quote."""
    mark, quote, escape = (re.escape(sign.decode()) for sign in (syntax.delimiter, syntax.quote, syntax.escape))
    escaped = f"|{escape}[^\r\n]" if escape else ""
    inside = rf"(?:[^{quote}{escape}]|{quote}{quote}{escaped})*"
    formula = "=?" if syntax.has_formulas else ""
    field = rf"(?:(?:[^{quote}{escape}\r\n{mark}]{escaped})*|{formula}{quote}{inside}{quote})"
    opened = rf"\A(?:{field}{mark})*{formula}{quote}{inside}\z"
    return not rest or pc.match_substring_regex(pa.array([rest], pa.binary()), opened)[0].as_py()


TAB = 9
PIECE_BYTES, LEAST_PART_BYTES = 2**18, 2**12


class Lines(NamedTuple):
    """The lines of a block, each with its start and end (after its line end); quoted line ends do not split a line.

    numbers: the physical line that each starts on, counted from 0. physical_ends: the ends of all physical lines.
    are_doubtful: records.py reads a record from the start of each of these.
    """

    starts: Numbers
    ends: Numbers
    numbers: Numbers
    physical_ends: Numbers
    are_empty: Flags
    are_doubtful: Flags


def sound_lines(data: bytes, layout: Layout) -> int:
    """Return the number of line ends in a block if its bytes leave no line in doubt, or else 0.

    A cheap first look, piece by piece, so that the data stays in the processor's cache. Arrow confirms that each line
    end ends a record, by returning as many rows.
    """
    content = np.frombuffer(data, np.uint8)
    # A line longer than the limit of a field has at least one such chunk without a line end.
    part_bytes = min(layout.field_bytes // 2, PIECE_BYTES)
    if part_bytes < LEAST_PART_BYTES or not data.endswith(b"\n") or _has_marks(data):
        return 0
    line_ends = 0
    for at in range(0, len(content), PIECE_BYTES):
        piece = content[at : at + PIECE_BYTES]
        are_ends = piece == LF
        found = np.count_nonzero(are_ends)
        parts = np.arange(0, len(piece), part_bytes)
        if found != np.count_nonzero(piece < 32) or not np.logical_or.reduceat(are_ends, parts).all():
            return 0
        line_ends += int(found)
    marks = marks_of(data, content, layout.syntax)
    if len(unknown_escapes(content, marks, layout.syntax)) or not are_all_in_order(content, marks, layout.syntax):
        return 0
    return line_ends if _is_all_utf8(data) else 0


def _has_marks(data: bytes) -> bool:
    return not data.isascii() and (data.startswith(BOM) or b"\n" + BOM in data)


def lines_of(data: bytes, layout: Layout, are_alone: bool = False) -> Lines:
    """Find the lines of a block. The rest after the last line end is a line too, and in doubt.

    are_alone: each line is one even if its line end is in quotes; records.py reads those that are not.
    """
    content = np.frombuffer(data, np.uint8)
    low = np.flatnonzero(content < 32)
    codes = content[low]
    physical_ends = low[codes == LF] + 1
    lone = _lone(low[codes == CR], content)
    places = [low[_are_refused(layout)[codes]], lone]
    if not data.endswith(b"\n"):
        physical_ends = np.append(physical_ends, len(data))
        places.append(physical_ends[-1:] - 1)
    marks = marks_of(data, content, layout.syntax)
    places.append(unknown_escapes(content, marks, layout.syntax))
    last, are_doubtful = together(data, physical_ends, lone, marks, layout.syntax, are_alone)
    ends = physical_ends[last]
    starts = np.concatenate([[0], ends[:-1]])
    are_doubtful |= (ends - starts > layout.field_bytes) | _may_have_swallowed(content, physical_ends, last, layout)
    are_doubtful |= _begin_with_mark(data, content, starts)
    are_doubtful[_lines_at(np.concatenate(places), ends)] = True
    are_doubtful[_not_utf8(data, content, starts, ends)] = True
    numbers = np.concatenate([[0], last[:-1] + 1])
    return Lines(starts, ends, numbers, physical_ends, _are_empty(content, starts, ends), are_doubtful)


def _may_have_swallowed(content: Bytes, physical_ends: Numbers, last: Numbers, layout: Layout) -> Flags:
    """Return which records have too many lines for one field, or a line inside that has as many fields as a row."""
    heights = np.diff(last, prepend=-1)
    are_tall = heights - 1 > layout.field_line_ends
    if (heights <= 2).all():
        return are_tall
    delimiters = np.flatnonzero(content == layout.delimiter[0])
    widths = np.diff(np.searchsorted(delimiters, physical_ends), prepend=0)
    are_inside = np.ones(len(physical_ends), bool)
    are_inside[last] = are_inside[last - heights + 1] = False
    are_wide = (widths > 0) if layout.may_end_early else (widths == len(layout.columns) - 1)
    are_like_rows = np.flatnonzero(are_inside & are_wide)
    are_tall[np.searchsorted(last, are_like_rows)] = True
    return are_tall


def _begin_with_mark(data: bytes, content: Bytes, starts: Numbers) -> Flags:
    """Return which lines begin with a byte order mark, as where files were joined."""
    if data.isascii() or BOM not in data:
        return np.zeros(len(starts), bool)
    places = (content[np.minimum(starts + ahead, len(content) - 1)] == byte for ahead, byte in enumerate(BOM))
    are_marked: Flags = np.logical_and.reduce(list(places))
    return are_marked


def _lines_at(places: Numbers, ends: Numbers) -> Numbers:
    return np.searchsorted(ends, places, side="right")


def _are_refused(layout: Layout) -> Flags:
    """Return which bytes below 32 are refused in a field."""
    are_refused = np.full(32, not layout.are_control_bytes_kept)
    are_refused[[TAB, LF, CR]] = False
    are_refused[[code for code in layout.delimiter if code < 32]] = False
    are_refused[0] = True
    return are_refused


def _lone(returns: Numbers, content: Bytes) -> Numbers:
    # The last byte of a block is a line end, or its line is in doubt anyway.
    lone: Numbers = returns[content[np.minimum(returns + 1, len(content) - 1)] != LF]
    return lone


def _are_empty(content: Bytes, starts: Numbers, ends: Numbers) -> Flags:
    # Only lines of at most two bytes can be empty, and few are so short.
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
    # Validating it as one Arrow text is faster than decoding it.
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
