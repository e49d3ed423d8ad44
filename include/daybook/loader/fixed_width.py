"""Lines of fixed width as columns of text: a whole block at once, exactly as fields.py cuts them one by one.

Called by fast.py, with lines that are UTF-8 and end with a line feed. Widths are in characters; where a block is ASCII,
these are its bytes. Pure.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.loader.fields import Places
from daybook.loader.lines import CR, LF
from daybook.loader.texts import Bytes, Flags, Numbers, flags

# More than any line has characters.
LINE = 2**32


class Cut(NamedTuple):
    """Columns of text, null if empty, and the numbers of the lines left to records.py; empty lines have no number."""

    texts: list[pa.StringArray]
    odd: list[int]


class _Lines(NamedTuple):
    """Lines by their first byte and their number of characters; further: the bytes beyond one for each character."""

    content: Bytes
    starts: Numbers
    sizes: Numbers
    further: "_Further | None"

    def of(self, are_wanted: Flags) -> "_Lines":
        """Return some of the lines."""
        if are_wanted.all():
            return self
        further = self.further and self.further.of(are_wanted)
        return _Lines(self.content, self.starts[are_wanted], self.sizes[are_wanted], further)

    def bytes_of(self, place: int) -> Numbers:
        """Return where the character at a place of each line begins; the end of a line that has fewer."""
        places = np.minimum(place, self.sizes)
        return self.starts + places + (self.further.before(places) if self.further else 0)


class _Further(NamedTuple):
    """The bytes that go on with a character, by the line and the place after that character, in order.

    lines: the numbers of lines. first: how many such bytes there are before each line.
    """

    places: Numbers
    lines: Numbers
    first: Numbers

    def of(self, are_wanted: Flags) -> "_Further":
        """Return those of some of the lines."""
        return self._replace(lines=self.lines[are_wanted], first=self.first[are_wanted])

    def before(self, places: Numbers) -> Numbers:
        """Return how many such bytes there are in each line before the character at a place."""
        found: Numbers = np.searchsorted(self.places, self.lines * LINE + places, side="right") - self.first
        return found


def texts_at_places(data: bytes, places: Places) -> Cut:
    """Return the fields of all lines as columns of text, without the blanks that fill them up.

    Left out are the lines of another length than the places have, and those without any value.
    """
    lines = _lines(data)
    are_fit: Flags = np.ones(len(lines.sizes), bool)
    if not places.may_be_longer:
        are_fit &= lines.sizes <= places.width
    if not places.may_be_shorter:
        are_fit &= lines.sizes >= places.width
    kinds = zip(places.spans, places.are_texts, strict=True)
    fit = lines.of(are_fit)
    texts = [_trimmed(_slices(fit, *span), is_text=is_text) for span, is_text in kinds]
    are_empty: Flags = np.logical_and.reduce([~flags(text.is_valid()) for text in texts])
    if are_empty.any():
        texts = [text.filter(pa.array(~are_empty)) for text in texts]
        are_fit[np.flatnonzero(are_fit)[are_empty]] = False
    return Cut(texts, np.flatnonzero(~are_fit).tolist())


def _lines(data: bytes) -> _Lines:
    content = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(content == LF)
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    ends = ends - ((content[ends - 1] == CR) & (ends > starts))
    are_filled = ends > starts
    starts, ends = starts[are_filled], ends[are_filled]
    if data.isascii():
        return _Lines(content, starts, ends - starts, None)
    # These two bits of a byte say that it goes on with a character (RFC 3629, 3).
    places = np.flatnonzero((content & 0xC0) == 0x80)
    first, last = np.searchsorted(places, starts), np.searchsorted(places, ends)
    lines = np.repeat(np.arange(len(starts)), last - first)
    after = places - starts[lines] - (np.arange(len(places)) - first[lines])
    further = _Further(lines * LINE + after, np.arange(len(starts)), first)
    return _Lines(content, starts, ends - starts - (last - first), further)


def _slices(lines: _Lines, start: int, end: int) -> pa.StringArray:
    """Return the characters of each line from one on to before another; fewer if it ends there."""
    begins, ends = lines.bytes_of(start), lines.bytes_of(end)
    sizes = ends - begins
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    content = _gathered(lines.content, begins, sizes, offsets)
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(content))]
    return pa.StringArray.from_buffers(len(sizes), *buffers[1:], buffers[0])


def _gathered(content: Bytes, begins: Numbers, sizes: Numbers, offsets: Numbers) -> Bytes:
    width = int(sizes[0]) if len(sizes) else 0
    if width and (sizes == width).all():
        equally_long: Bytes = np.lib.stride_tricks.sliding_window_view(content, width)[begins].reshape(-1)
        return equally_long
    some: Bytes = content[np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], sizes)]
    return some


def _trimmed(texts: pa.StringArray, *, is_text: bool) -> pa.StringArray:
    trimmed = pc.ascii_rtrim(texts, " ") if is_text else pc.ascii_trim(texts, " ")
    return pc.if_else(pc.equal(pc.binary_length(trimmed), 0), None, trimmed)
