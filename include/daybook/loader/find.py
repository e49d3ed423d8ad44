"""The raw bytes of single records, found by their lines, as the loader sees them: unpacked and in UTF-8.

Called by the steps for rows refused after `load`, of which only the lines are known, and for rows that may be equal.
Reads from the caller's stream.
"""

import hashlib
from collections.abc import Callable, Collection
from typing import BinaryIO

import numpy as np

from daybook.loader.blocks import cut_at_line_ends, with_last
from daybook.loader.fields import Syntax, split
from daybook.loader.layout import kept_raw
from daybook.loader.load import BLOCK_BYTES, opened
from daybook.loader.other_formats import is_other, opened_other
from daybook.spec import Source

LF = 10


def hashed(record: bytes) -> bytes:
    """Return the SHA-256 of a whole record, to tell equal ones."""
    return hashlib.sha256(record).digest()


def raw_records(
    stream: BinaryIO,
    source: Source,
    lines: Collection[int],
    kept_as: Callable[[bytes], bytes] = kept_raw,
    *,
    name: str | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> dict[int, bytes]:
    """Return the records that begin on these lines, by line, without their line end, each as `kept_as` makes it;
    of a file that is no CSV, as JSON.

    The file must be one that `load` has loaded.
    """
    if not lines:
        return {}
    if is_other(source):
        return _raw_rows(stream, source, lines, kept_as, name or source.name)
    file = opened(stream, source, name or source.name)
    search = _Search(sorted(lines), file.first_line, file.layout.syntax, kept_as)
    for block, is_last in with_last(cut_at_line_ends(file.read, block_bytes, file.layout.syntax.quote)):
        search.look_through(block, is_last)
    return search.found


def _raw_rows(
    stream: BinaryIO, source: Source, lines: Collection[int], kept_as: Callable[[bytes], bytes], name: str
) -> dict[int, bytes]:
    """Return the rows of these numbers, each as `kept_as` makes it: lines of JSON."""
    wanted, found = set(lines), dict[int, bytes]()
    for block in opened_other(stream, source, name).blocks():
        numbers = block.numbers.tolist()
        places = [place for place, number in enumerate(numbers) if number in wanted]
        if places:
            found |= {numbers[place]: kept_as(raw) for place, raw in zip(places, block.raw(places), strict=True)}
        if len(found) == len(wanted):
            break
    return found


class _Search:
    """The lines still wanted, the records found, and the start of a record whose quote is open at a block's end."""

    def __init__(self, lines: list[int], first: int, syntax: Syntax, kept_as: Callable[[bytes], bytes]) -> None:
        self.wanted = [line for line in reversed(lines) if line >= first]
        self.first = first
        self.syntax = syntax
        self.kept_as = kept_as
        self.rest = b""
        self.found: dict[int, bytes] = {}

    def look_through(self, block: bytes, is_last: bool) -> None:
        """Find the wanted records in a block that begins with line `first`, or with the rest of it."""
        data, self.rest = self.rest + block, b""
        starts = [0, *(np.flatnonzero(np.frombuffer(data, np.uint8) == LF) + 1).tolist()]
        while self.wanted and self.wanted[-1] - self.first < len(starts):
            start = starts[self.wanted[-1] - self.first]
            if start == len(data):
                break
            cut = split(data, start, self.syntax, is_last)
            if cut is None:
                self.rest, self.first = data[start:], self.wanted[-1]
                return
            self.found[self.wanted.pop()] = self.kept_as(_without_line_end(data[start : cut.end]))
        self.first += len(starts) - 1


def _without_line_end(record: bytes) -> bytes:
    return record.removesuffix(b"\n").removesuffix(b"\r") if record.endswith(b"\n") else record
