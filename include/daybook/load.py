"""Raw bytes to typed rows: every record of a CSV file is kept, refused with its line and reason, or blank.

    load ─┬> load_gate      the first bytes: is this the file that was agreed, where does each column lie
          ├> load_blocks    the stream in blocks, side by side on the cores
          └> load_fast ─> load_slow ─> load_kinds     a block's columns; what they cannot settle, record by record

Step `load` of the nine. It never infers a type, never loads by position, never rounds, and never takes a word for
nothing that was not declared as such. Reads from the stream it is given, writes nothing, logs nothing.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.load_blocks import Placed, cut_at_line_ends, side_by_side
from daybook.load_gate import HEAD_BYTES, first_look
from daybook.load_layout import REFUSED, schema
from daybook.load_fast import fast_block
from daybook.spec import Source

__all__ = ["REFUSED", "Batch", "load", "schema"]

BLOCK_BYTES = 2**23


class Batch(NamedTuple):
    """The records of one block, in file order: rows kept, rows refused (schema REFUSED), and empty lines counted."""

    kept: pa.Table
    refused: pa.Table
    blank: int


def load(
    stream: BinaryIO, source: Source, *, name: str | None = None, block_bytes: int = BLOCK_BYTES, threads: int | None = None
) -> Iterator[Batch]:
    """Give the file's rows by its contract, block by block; records = kept + refused + blank.

    `name` begins the messages (default: the source's). Raises BadData where the file as a whole is refused, also at the
    end, when more rows were refused than the limits allow: nothing is to be published before the last batch.
    """
    name = name or source.name
    head = stream.read(HEAD_BYTES)
    layout, start = first_look(head, source, name)
    lines_before = 1 + head.count(b"\n", 0, start)
    blocks = cut_at_line_ends(head[start:], stream.read, block_bytes)
    for placed in side_by_side(blocks, lambda block, is_last: fast_block(block, layout, is_last), threads):
        yield _batch(placed, lines_before)
        if placed.parsed.damage:
            line, what = placed.parsed.damage
            raise BadData(f"{name}, line {lines_before + placed.lines_before + line}: {what}")


def _batch(placed: Placed, lines_before: int) -> Batch:
    first = placed.lines_before + lines_before
    return Batch(_moved(placed.parsed.kept, first), _moved(placed.parsed.refused, first), placed.parsed.blank)


def _moved(table: pa.Table, first: int) -> pa.Table:
    return table.set_column(0, table.schema.field(0), pc.add(table.column(0), first))
