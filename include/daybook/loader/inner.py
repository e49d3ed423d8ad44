"""A block in the form that the fast way reads: the same lines as RFC 4180 has them, without the words of a layout.

Called by fast.py. In order: one byte for a delimiter of several; comments as empty lines; no blanks at the start of a
field; the empty fields that were left out at the end of a record. Each keeps the number of lines, and what every record
means; it holds only if all quotes of the block are in order, since else nobody knows which bytes are in quotes. Pure.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from daybook.loader.layout import INNER_DELIMITER, Layout
from daybook.loader.lines import CR, LF, are_all_in_order, are_among, marks_of
from daybook.loader.texts import Flags, Numbers


class Inner(NamedTuple):
    """A block's bytes in the inner form, and the physical lines that are comments: these are empty there."""

    data: bytes
    comments: list[int]


def inner_form(data: bytes, layout: Layout) -> Inner | None:
    """Return a block in the inner form; None if its quotes are not in order."""
    if len(layout.delimiter) > 1:
        # A line with the byte that stands for the delimiter is read by records.py, as every line with a NUL.
        data = data.replace(INNER_DELIMITER, b"\0").replace(layout.delimiter, INNER_DELIMITER)
    inner = _without_comments(data, layout) if layout.comment else Inner(data, [])
    if layout.syntax.skipped_blanks:
        inner = inner._replace(data=_without_blanks(inner.data, layout))
    if not _is_in_order(inner.data, layout):
        return None
    return inner._replace(data=_filled(inner.data, layout)) if layout.may_end_early else inner


def _is_in_order(data: bytes, layout: Layout) -> bool:
    content, syntax = np.frombuffer(data, np.uint8), layout.inner.syntax
    marks = marks_of(data, content, syntax)
    if not len(marks.quotes):
        return True
    # After a carriage return that ends no line, outside of quotes, the record ends with its line.
    returns = _unquoted(np.flatnonzero(content == CR), marks.quotes)
    is_lone = (content[np.minimum(returns + 1, len(content) - 1)] != LF).any()
    return not is_lone and are_all_in_order(content, marks, syntax)


def _without_comments(data: bytes, layout: Layout) -> Inner:
    """Return a block with its comments as empty lines: those outside of quotes."""
    quotes = marks_of(data, np.frombuffer(data, np.uint8), layout.inner.syntax).quotes
    spans, comments, in_comments, lines, at = [0], list[int](), 0, 0, 0
    for start in _beginnings(data, layout.comment):
        before, end = np.searchsorted(quotes, start), data.find(b"\n", start)
        if (before - in_comments) % 2 == 0 and end >= 0:
            lines, at = lines + data.count(b"\n", at, start), start
            comments.append(lines)
            spans += [start, end]
            in_comments += int(np.searchsorted(quotes, end) - before)
    view, spans = memoryview(data), [*spans, len(data)]
    kept = list(pairwise(spans))[::2]
    return Inner(b"".join(view[start:end] for start, end in kept) if comments else data, comments)


def _beginnings(data: bytes, sign: bytes) -> list[int]:
    """Return the places where a line begins with a sign."""
    found = [0] if data.startswith(sign) else []
    at = data.find(b"\n" + sign)
    while at >= 0:
        found.append(at + 1)
        at = data.find(b"\n" + sign, at + 1)
    return found


def _without_blanks(data: bytes, layout: Layout) -> bytes:
    """Return a block without the blanks at the start of fields; a line of blanks alone stays, since it is refused."""
    content, syntax = np.frombuffer(data, np.uint8), layout.inner.syntax
    are_blanks = np.zeros(256, bool)
    are_blanks[[*layout.syntax.skipped_blanks]] = True
    are_blank = are_blanks[content]
    marks = marks_of(data, content, syntax)
    begin = np.flatnonzero(are_blank & ~np.concatenate([[False], are_blank[:-1]]))
    end = np.flatnonzero(are_blank & ~np.concatenate([are_blank[1:], [False]])) + 1
    before = content[begin - 1]
    begin_line = (begin == 0) | (before == LF)
    begin_field = (before == syntax.delimiter[0]) & ~are_among(begin - 1, marks.escaped, len(content))
    after = content[np.minimum(end, len(content) - 1)]
    are_alone = begin_line & ((after == LF) | (after == CR) | (end == len(content)))
    are_outside = np.searchsorted(marks.quotes, begin) % 2 == 0
    are_dropped = (begin_line | begin_field) & are_outside & ~are_alone
    return (
        content[_outside(begin[are_dropped], end[are_dropped], len(content))].tobytes() if are_dropped.any() else data
    )


def _outside(begin: Numbers, end: Numbers, size: int) -> Flags:
    """Return which places lie in none of these spans."""
    steps = np.zeros(size + 1, np.int8)
    steps[begin], steps[end] = 1, -1
    are_outside: Flags = np.cumsum(steps[:-1], dtype=np.int8) == 0
    return are_outside


def _filled(data: bytes, layout: Layout) -> bytes:
    """Return a block with the empty fields that were left out at the end of records."""
    content, syntax = np.frombuffer(data, np.uint8), layout.inner.syntax
    marks = marks_of(data, content, syntax)
    ends = _unquoted(np.flatnonzero(content == LF), marks.quotes)
    delimiters = _unquoted(np.flatnonzero(content == syntax.delimiter[0]), marks.quotes)
    if len(marks.escaped):
        delimiters = delimiters[~are_among(delimiters, marks.escaped, len(content))]
    found = np.diff(np.searchsorted(delimiters, ends), prepend=0)
    places = ends - ((content[ends - 1] == CR) & (ends > 0))
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    are_short = (found < len(layout.columns) - 1) & (places > starts)
    are_short[are_short & (found == 0)] = _hold_a_value(data, starts, places, are_short & (found == 0), layout.blanks)
    missing = len(layout.columns) - 1 - found[are_short]
    if not len(missing):
        return data
    return np.insert(content, np.repeat(places[are_short], missing), syntax.delimiter[0]).tobytes()


def _unquoted(places: Numbers, quotes: Numbers) -> Numbers:
    return places[np.searchsorted(quotes, places) % 2 == 0] if len(quotes) else places


def _hold_a_value(data: bytes, starts: Numbers, ends: Numbers, are_looked_at: Flags, blanks: bytes) -> list[bool]:
    """Return which of these lines hold more than blanks."""
    spans = zip(starts[are_looked_at].tolist(), ends[are_looked_at].tolist(), strict=True)
    return [bool(data[start:end].strip(blanks)) for start, end in spans]
