"""A block read piece by piece, each after the one before it: so that disorder in one costs only that one time.

Called by fast.py for blocks that have no inner form as a whole. Pure.
"""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from daybook.loader.layout import Parsed

PIECE_BYTES = 2**16


def in_pieces(data: bytes, parse: Callable[[bytes, bool], Parsed]) -> Parsed:
    """Return the result of `parse` for the pieces of a block, as one. parse: takes a piece, and whether it is the last.

    A piece begins with a record; if it ends with an open quote, it is read again together with the next one.
    """
    found: list[Parsed] = []
    at = end = lines = 0
    while end < len(data):
        end = data.find(b"\n", min(end + PIECE_BYTES, len(data) - 1)) + 1 or len(data)
        parsed = parse(data[at:end], end == len(data))
        if not parsed.used and not parsed.damage and end < len(data):
            continue
        found.append(_moved(parsed, lines))
        at, lines = at + parsed.used, lines + parsed.lines
        if parsed.damage:
            break
    return _joined(found)


def _moved(parsed: Parsed, lines: int) -> Parsed:
    damage = parsed.damage and (parsed.damage[0] + lines, parsed.damage[1])
    return parsed._replace(kept=_later(parsed.kept, lines), refused=_later(parsed.refused, lines), damage=damage)


def _later(table: pa.Table, lines: int) -> pa.Table:
    return table.set_column(0, table.schema.field(0), pc.add(table.column(0), lines))


def _joined(pieces: list[Parsed]) -> Parsed:
    return Parsed(
        kept=pa.concat_tables(piece.kept for piece in pieces).combine_chunks(),
        refused=pa.concat_tables(piece.refused for piece in pieces).combine_chunks(),
        blank=sum(piece.blank for piece in pieces),
        lines=sum(piece.lines for piece in pieces),
        used=sum(piece.used for piece in pieces),
        read_lines=sum(piece.read_lines for piece in pieces),
        kept_lines=sum(piece.kept_lines for piece in pieces),
        damage=pieces[-1].damage,
        comments=sum(piece.comments for piece in pieces),
    )
