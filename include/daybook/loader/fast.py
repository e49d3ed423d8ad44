"""A block of a file read as whole columns, optimistically: only the lines that fail go to records.py.

Called by blocks.py, on several threads at once. In order: put aside the lines whose quotes, encoding or line ends are
in doubt; cut the others into columns of text with Arrow, which reports the ragged ones; parse the columns into values;
read the lines put aside, record by record. Tests prove that the result is that of records.py for the whole block.
Pure: bytes in, columns out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.loader.columns import ParsedColumn, parsed_column
from daybook.loader.cut import TRAILING, Cut, cut
from daybook.loader.fields import END_OF_FILE, RECORD_BYTES, Damage
from daybook.loader.inner import inner_form
from daybook.loader.layout import Layout, Parsed, Record, kept_lines_of, kept_table, refused_table
from daybook.loader.lines import LF, Lines, lines_of, sound_lines
from daybook.loader.pieces import in_pieces
from daybook.loader.records import RecordReader, slow_block
from daybook.loader.texts import Flags, Numbers, flags
from daybook.loader.values import Unfit, reader
from daybook.spec.column import Column


def fast_block(data: bytes, layout: Layout, is_last: bool) -> Parsed:
    """Read a block that starts with a record; is_last: the file ends with it."""
    if not data:
        return Parsed(layout.schema.empty_table(), refused_table([]), 0, 0, 0, 0, 0)
    if lines := _only_line_ends(data):
        return Parsed(layout.schema.empty_table(), refused_table([]), lines, lines, len(data), lines, 0)
    read = RecordReader(layout, is_last)
    if too_long := _too_long(data, layout, read):
        return too_long
    if layout.is_rewritten:
        return _rewritten(data, layout, read) or in_pieces(data, partial(_piece, layout=layout, is_last=is_last))
    block = Block(data, data)
    return _sound(block, layout, read) or _in_doubt(block, layout, read) or slow_block(data, layout, is_last)


class Block(NamedTuple):
    """A block as it was delivered, which records.py reads, and in the inner form, with the lines that are comments."""

    data: bytes
    inner: bytes
    comments: Sequence[int] = ()

    def lines(self, layout: Layout, are_alone: bool = False) -> Lines:
        """Return the lines of the inner form."""
        return lines_of(self.inner, layout.inner, are_alone)

    def as_delivered(self, lines: Lines) -> Lines:
        """Return lines of the inner form with their places in the block as it was delivered."""
        if self.inner is self.data:
            return lines
        physical_ends = np.flatnonzero(np.frombuffer(self.data, np.uint8) == LF) + 1
        if not self.data.endswith(b"\n"):
            physical_ends = np.append(physical_ends, len(self.data))
        starts = np.concatenate([[0], physical_ends[:-1]])[lines.numbers]
        return lines._replace(starts=starts, ends=np.append(starts[1:], len(self.data)), physical_ends=physical_ends)


def _rewritten(data: bytes, layout: Layout, read: RecordReader) -> Parsed | None:
    """Read a block by its inner form; None if it has none, or its lines are not those of records."""
    inner = inner_form(data, layout)
    if inner is None:
        return None
    block = Block(data, *inner)
    # Arrow counts no empty lines, so the first look would fail at its end.
    return (None if block.comments else _sound(block, layout, read)) or _in_doubt(block, layout, read)


def _piece(data: bytes, is_end: bool, layout: Layout, is_last: bool) -> Parsed:
    is_last = is_last and is_end
    return _rewritten(data, layout, RecordReader(layout, is_last)) or slow_block(data, layout, is_last)


def _only_line_ends(data: bytes) -> int:
    """Return the number of empty lines if a block holds nothing else, or else 0."""
    if data[:64].strip(b"\r\n") or not data.endswith(b"\n") or data.translate(None, b"\r\n"):
        return 0
    return data.count(b"\n") if data.count(b"\r") == data.count(b"\r\n") else 0


def _too_long(data: bytes, layout: Layout, read: RecordReader) -> Parsed | None:
    """Return the damage of a block whose first line is longer than any record, before a field of it is looked at."""
    if len(data) <= RECORD_BYTES or data.find(b"\n", 0, RECORD_BYTES) >= 0:
        return None
    try:
        read(data, 0, 0)
    except Damage as damage:
        return Parsed(layout.schema.empty_table(), refused_table([]), 0, 0, 0, 0, 0, (0, str(damage)))
    return None


def _sound(block: Block, layout: Layout, read: RecordReader) -> Parsed | None:
    """Read a block if every line is a record: its bytes say so, and Arrow's number of rows confirms it."""
    count = sound_lines(block.inner, layout.inner)
    if not count:
        return None
    found = cut(block.inner, layout)
    if len(next(iter(found.columns.values()))) + len(found.ragged) != count:
        return None
    kept, failed = _typed(found, np.arange(count), layout)
    records = _read_lines(block.data, block.as_delivered(block.lines(layout)), failed, read) if len(failed) else []
    kept_lines = kept.num_rows + kept_lines_of(records)
    rows = _merged(kept, kept_table(records, layout))
    return Parsed(rows, refused_table(records), 0, count, len(block.data), count, kept_lines)


def _in_doubt(block: Block, layout: Layout, read: RecordReader) -> Parsed | None:
    """Read a block whose lines may be in doubt; None if the lines found are not those of records."""
    data, found = block.data, None
    # In the inner form a line that may stand in quotes is no line of its own.
    for are_alone in (False, True) if block.inner is data else (False,):
        lines = block.lines(layout, are_alone or not layout.field_line_ends)
        if found := _read_doubtful(data, block.as_delivered(lines), read):
            break
    if not found:
        return None
    doubtful = found
    kept, failed = _columns(block.inner, lines, ~(doubtful.are_taken | lines.are_empty), layout)
    lines = block.as_delivered(lines)
    records = sorted([*doubtful.records, *_read_lines(data, lines, failed, read)], key=lambda record: record.line)
    comments = np.searchsorted(lines.numbers, block.comments)
    comments = comments[~doubtful.are_taken[comments]]
    is_cut = doubtful.used == len(data) and not data.endswith(b"\n")
    read_lines = int(np.searchsorted(lines.physical_ends, doubtful.used, side="right"))
    return Parsed(
        kept=_merged(kept, kept_table(records, layout)),
        refused=refused_table(records),
        blank=doubtful.blank + int(np.count_nonzero(lines.are_empty & ~doubtful.are_taken)) - len(comments),
        lines=read_lines - is_cut,
        used=doubtful.used,
        read_lines=read_lines - (is_cut and not data[data.rfind(b"\n") + 1 :].strip(END_OF_FILE)),
        kept_lines=_physical_lines(kept, lines) + kept_lines_of(records),
        damage=doubtful.damage,
        comments=doubtful.comments + len(comments),
    )


def _physical_lines(kept: pa.Table, lines: Lines) -> int:
    """Return the number of physical lines that kept rows take."""
    heights = np.diff(np.append(lines.numbers, len(lines.physical_ends)))
    return int(heights[np.searchsorted(lines.numbers, kept.column(0).to_numpy())].sum())


class Doubtful(NamedTuple):
    """The lines in doubt as records.py read them: the records, the lines they took, how far the block was read, and the
    empty lines and comments among them."""

    records: list[Record]
    are_taken: Flags
    used: int
    blank: int
    damage: tuple[int, str] | None = None
    comments: int = 0


def _read_doubtful(data: bytes, lines: Lines, read: RecordReader) -> Doubtful | None:
    """Read a record from each line in doubt, which may extend over lines after it; None if one ends within a line."""
    records: list[Record] = []
    are_taken = np.zeros(len(lines.ends), bool)
    used = blank = comments = 0
    for line in np.flatnonzero(lines.are_doubtful).tolist():
        start = int(lines.starts[line])
        if start < used:
            continue
        try:
            found = read(data, start, int(lines.numbers[line]))
        except Damage as damage:
            are_taken[line:] = True
            place = data.count(b"\n", 0, damage.at), str(damage)
            return Doubtful(records, are_taken, start, blank, place, comments)
        if found is None:
            are_taken[line:] = True
            return Doubtful(records, are_taken, start, blank, None, comments)
        used, last = found.end, int(np.searchsorted(lines.ends, found.end))
        if lines.ends[last] != used:
            return None
        records += found.records
        blank, comments = blank + found.blank, comments + found.comments
        are_taken[line : last + 1] = True
    return Doubtful(records, are_taken, len(data), blank, None, comments)


def _read_lines(data: bytes, lines: Lines, places: Numbers, read: RecordReader) -> list[Record]:
    found = (read(data, int(lines.starts[place]), int(lines.numbers[place])) for place in places.tolist())
    return [record for reading in filter(None, found) for record in reading.records]


def _columns(data: bytes, lines: Lines, are_plain: Flags, layout: Layout) -> tuple[pa.Table, Numbers]:
    """Return the plain lines as typed columns, and the places of those that failed: ragged, or not of their kinds."""
    places = np.flatnonzero(are_plain)
    if not len(places):
        return layout.schema.empty_table(), places
    kept, failed = _typed(cut(_joined(data, lines, are_plain), layout), lines.numbers[places], layout)
    return kept, places[failed]


def _joined(data: bytes, lines: Lines, are_plain: Flags) -> bytes:
    if are_plain.all():
        return data
    view = memoryview(data)
    runs = np.flatnonzero(np.diff(are_plain, prepend=False, append=False)).reshape(-1, 2).tolist()
    return b"".join(view[lines.starts[first] : lines.ends[end - 1]] for first, end in runs)


def _typed(found: Cut, numbers: Numbers, layout: Layout) -> tuple[pa.Table, Numbers]:
    """Return the rows as typed columns, and which failed; numbers: the lines of all rows, ragged ones included."""
    texts, ragged = found
    rows = np.delete(np.arange(len(numbers)), ragged)
    dated = texts | {time: _joined_texts(texts[date], texts[time]) for time, date in layout.date_headers.items()}
    columns = {name: _parsed(dated[name], *layout.contract[name]) for name in layout.schema.names[1:]}
    are_failed = np.logical_or.reduce(
        [_doubtful_rows(texts, layout), *(column.are_unfit for column in columns.values())]
    )
    values = [pa.array(numbers[rows], pa.int64()), *(column.values for column in columns.values())]
    kept = pa.Table.from_arrays(values, schema=layout.schema)
    if are_failed.any():
        kept = kept.filter(pa.array(~are_failed))
    return kept, np.sort(np.concatenate([np.array(ragged, np.int64), rows[are_failed]]))


def _parsed(found: pa.Array, column: Column, tokens: tuple[str, ...]) -> ParsedColumn:
    if pa.types.is_integer(found.type):
        return ParsedColumn(found, np.zeros(len(found), bool))
    return parsed_column(found, column, tokens)


def _joined_texts(dates: pa.StringArray, times: pa.StringArray) -> pa.StringArray:
    """Return dates and times as one text each; null if either is."""
    return pc.binary_join_element_wise(dates, times, " ")


def _doubtful_rows(texts: Mapping[str, pa.Array], layout: Layout) -> Flags:
    """Return the rows that may repeat the header, hold only blanks, or have text after a trailing delimiter."""
    name, first = next(iter(texts.items()))
    are_doubtful = flags(pc.is_in(first, pa.array(_names_that_fit(name, layout), pa.string())))
    if b"" in layout.header[: len(layout.header) - layout.has_trailing_delimiter]:
        are_doubtful |= ~flags(first.is_valid())
    if len(layout.columns) == 1:
        are_doubtful |= flags(pc.fill_null(pc.equal(pc.ascii_trim(first, " \t"), ""), False))
    if layout.has_trailing_delimiter:
        are_doubtful |= flags(texts[TRAILING].is_valid())
    return are_doubtful


def _names_that_fit(header: str, layout: Layout) -> list[str]:
    """Return the names of the header that would be values of a column: those of a kind other than text fail there."""
    names = [name.decode() for name in layout.header]
    if header not in layout.contract or layout.contract[header][0].kind == "text":
        return names
    read = reader(*layout.contract[header])
    return [name for name in names if _fits(read, name)]


def _fits(read: Callable[[str, bool], Any], text: str) -> bool:
    try:
        read(text, False)
    except Unfit:
        return False
    return True


def _merged(kept: pa.Table, slowly: pa.Table) -> pa.Table:
    return pa.concat_tables([kept, slowly]).sort_by(kept.schema.names[0]).combine_chunks() if slowly.num_rows else kept
