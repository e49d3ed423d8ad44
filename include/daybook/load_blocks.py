"""A stream cut into blocks at line ends, the blocks read side by side on the cores, their rows given in file order.

Called by load; decides nothing about data. A block is read as if it began with a record; where the block before it
turns out to end with an open quote, it is read again with what was left.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from daybook.load_bytes import Read
from daybook.load_layout import Parsed
from daybook.load_slow import RECORD_BYTES

MOST_THREADS = 8  # each holds a block and what it becomes, about 60 MB
Parse = Callable[[bytes, bool], Parsed]


class Placed(NamedTuple):
    """What a block gave, and the number of line ends before it."""

    parsed: Parsed
    lines_before: int


class Begun(NamedTuple):
    """A block whose reading has begun."""

    block: bytes
    is_last: bool
    parsed: Future[Parsed]


def side_by_side(blocks: Iterator[bytes], parse: Parse, threads: int | None) -> Iterator[Placed]:
    """Give what `parse` makes of each block, in order; at most two blocks more than threads are in memory."""
    workers = threads or min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(workers) as pool:
        begun = (Begun(block, is_last, pool.submit(parse, block, is_last)) for block, is_last in _with_last(blocks))
        yield from _in_order(_ahead(begun, workers), parse)


def _ahead(begun: Iterator[Begun], depth: int) -> Iterator[Begun]:
    held = deque(islice(begun, depth))
    while held:
        held.extend(islice(begun, 1))
        yield held.popleft()


def _in_order(begun: Iterator[Begun], parse: Parse) -> Iterator[Placed]:
    rest, lines = b"", 0
    for block, is_last, future in begun:
        parsed = parse(rest + block, is_last) if rest else future.result()
        yield Placed(parsed, lines)
        rest = (rest + block)[parsed.used :]
        lines += parsed.lines


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    before = next(blocks, b"")
    for block in blocks:
        yield before, False
        before = block
    yield before, True


def cut_at_line_ends(read: Read, size: int) -> Iterator[bytes]:
    """Give what `read` gives in blocks of about `size` bytes that end with a line end.

    Only the last block may end without one, and one with a line that is longer than any record may be.
    """
    rest: list[bytes] = []
    length = 0
    while chunk := read(size):
        cut = chunk.rfind(b"\n") + 1
        if cut or length > RECORD_BYTES:
            cut = cut or len(chunk)
            yield b"".join([*rest, memoryview(chunk)[:cut]])
            rest, length = [], 0
        rest.append(chunk[cut:])
        length += len(chunk) - cut
    yield b"".join(rest)
