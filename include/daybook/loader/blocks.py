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

import numpy as np

from daybook.loader.decode import Read
from daybook.loader.layout import Parsed
from daybook.loader.records import OPEN_QUOTE_LINES, RECORD_BYTES

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
    """Return what `parse` makes of each block, in order; at most two blocks more than threads are in memory."""
    workers = threads or min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(workers) as pool:
        begun = (Begun(block, is_last, pool.submit(parse, block, is_last)) for block, is_last in with_last(blocks))
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


def with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Return each block, and whether it is the last one; there is always one."""
    before = next(blocks, b"")
    for block in blocks:
        yield before, False
        before = block
    yield before, True


def cut_at_line_ends(read: Read, size: int) -> Iterator[bytes]:
    """Return what `read` gives in blocks of about `size` bytes that end with a line end, and it seems with a record.

    Only the last block may end without one, and one with a line that is longer than any record may be.
    """
    rest: list[bytes] = []
    while chunk := read(size):
        length, quotes = sum(map(len, rest)), sum(part.count(b'"') for part in rest)
        cut = _end_of_last_record(chunk, quotes) or (len(chunk) if length > RECORD_BYTES else 0)
        if cut:
            block, chunk = b"".join([*rest, memoryview(chunk)[:cut]]), chunk[cut:]
            # Not held on to meanwhile: the next chunk gets their memory, and none that the system has to clear.
            rest = []
            yield block
            del block
        rest.append(chunk)
    yield b"".join(rest)


def _end_of_last_record(chunk: bytes, quotes_before: int) -> int:
    """Return the last line end with an even number of quotes before it, for quotes hold an odd one's lines together.

    Where wrong quotes make that far off, give the last line end: a guess that costs time if it is wrong, no more.
    """
    last = at = chunk.rfind(b"\n") + 1
    # Of many quotes NumPy counts more in a second, and lets the other threads go on meanwhile.
    quotes = np.count_nonzero(np.frombuffer(chunk, np.uint8, at) == ord('"'))
    is_open = (quotes_before + quotes) % 2 == 1
    for _ in range(OPEN_QUOTE_LINES if is_open else 0):
        before = chunk.rfind(b"\n", 0, max(at - 1, 0)) + 1
        if not before:
            break
        if chunk.count(b'"', before, at) % 2:
            return before
        at = before
    return last
