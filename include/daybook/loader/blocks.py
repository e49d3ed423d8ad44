"""A stream cut into blocks at line ends; the blocks are read side by side on the cores, and returned in file order.

Called by load; decides nothing about data. A block is read as if it began with a record; if the block before it turns
out to end with an open quote, it is read again together with that rest.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from daybook.loader.decode import Read
from daybook.loader.fields import OPEN_QUOTE_LINES, RECORD_BYTES
from daybook.loader.layout import Parsed

MOST_THREADS = 8  # each holds a block and its rows, about 60 MB
# A block of more lines, which are hardly longer than their line ends, is cut again: each line takes a hundred bytes.
MOST_LINES = 2**19
Parse = Callable[[bytes, bool], Parsed]


class Placed(NamedTuple):
    """The result of a block, and the number of line ends before it."""

    parsed: Parsed
    lines_before: int


class Begun(NamedTuple):
    """A block whose reading has begun."""

    block: bytes
    is_last: bool
    parsed: Future[Parsed]


def side_by_side(blocks: Iterator[bytes], parse: Parse, threads: int | None) -> Iterator[Placed]:
    """Return the result of `parse` for each block, in order; at most two blocks more than threads are in memory."""
    marked = with_last(blocks)
    first, is_only = next(marked)
    if is_only:
        # A day's file is often that small, and a thread takes as long to start as its rows to read.
        yield Placed(parse(first, True), 0)
        return
    workers = threads or min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(workers) as pool:
        following = chain([(first, False)], marked)
        begun = (Begun(block, is_last, pool.submit(parse, block, is_last)) for block, is_last in following)
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


def cut_at_line_ends(read: Read, size: int, quote: bytes = b'"') -> Iterator[bytes]:
    """Cut the bytes of `read` into blocks of about `size` bytes that end with a line end, and probably with a record.

    Only the last block may end without one, or one with a line that is too long for any record.
    """
    rest: list[bytes] = []
    while chunk := read(size):
        length, quotes = sum(map(len, rest)), sum(part.count(quote) for part in rest if quote)
        cut = _end_of_last_record(chunk, quotes, quote) or (len(chunk) if length > RECORD_BYTES else 0)
        if cut:
            block, chunk = b"".join([*rest, memoryview(chunk)[:cut]]), chunk[cut:]
            # Drop the bytes before the next read, which then reuses their memory instead of new, cleared pages.
            rest = []
            yield from _of_fewer_lines(block)
            del block
        rest.append(chunk)
    yield from _of_fewer_lines(b"".join(rest))


def _of_fewer_lines(block: bytes) -> Iterator[bytes]:
    """Cut a block at line ends into blocks of no more than some MOST_LINES lines."""
    size = len(block)
    lines = int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n"))) if size > MOST_LINES else 0
    if lines <= MOST_LINES:
        yield block
        return
    start = 0
    while start < size:
        end = block.find(b"\n", min(start + size * MOST_LINES // lines, size) - 1) + 1 or size
        yield block[start:end]
        start = end


def _end_of_last_record(chunk: bytes, quotes_before: int, quote: bytes) -> int:
    """Return the last line end with an even number of quotes before it; after an odd number a quote is still open.

    If wrong quotes make that far off, return the last line end: a wrong guess only costs time.
    """
    last = at = chunk.rfind(b"\n") + 1
    if not quote:
        return last
    # NumPy counts many quotes faster than bytes.count, and lets the other threads run; most files have none.
    quotes = np.count_nonzero(np.frombuffer(chunk, np.uint8, at) == quote[0]) if quote in chunk else 0
    is_open = (quotes_before + quotes) % 2 == 1
    for _ in range(OPEN_QUOTE_LINES if is_open else 0):
        before = chunk.rfind(b"\n", 0, max(at - 1, 0)) + 1
        if not before:
            break
        if chunk.count(quote, before, at) % 2:
            return before
        at = before
    return last
