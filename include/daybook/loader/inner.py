"""A block in the form that the fast way reads: the same lines without what only the words of a layout make of them.

Called by fast.py. Each rewriting keeps the number of lines, and what every record means; it holds only if all quotes of
the block are in order, since else nobody knows which bytes are in quotes. Pure.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from daybook.loader.layout import Bytes, Layout, Numbers
from daybook.loader.lines import QUOTE, are_all_in_order


class Inner(NamedTuple):
    """A block's bytes in the inner form, and the physical lines that are comments: these are empty there."""

    data: bytes
    comments: list[int]


def inner_form(data: bytes, layout: Layout) -> Inner | None:
    """Return a block in the inner form; None if its quotes are not in order."""
    inner = _without_comments(data, layout) if layout.comment else Inner(data, [])
    return inner if _is_in_order(inner.data, layout) else None


def _is_in_order(data: bytes, layout: Layout) -> bool:
    content = np.frombuffer(data, np.uint8)
    return are_all_in_order(content, _quotes(data, content), layout.delimiter)


def _quotes(data: bytes, content: Bytes) -> Numbers:
    return np.flatnonzero(content == QUOTE) if b'"' in data else np.zeros(0, np.int64)


def _without_comments(data: bytes, layout: Layout) -> Inner:
    """Return a block with its comments as empty lines: those outside of quotes."""
    quotes = _quotes(data, np.frombuffer(data, np.uint8))
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
