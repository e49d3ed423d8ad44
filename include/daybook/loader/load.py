"""Raw bytes to typed rows: every record of a file is kept, refused with its line and reason, or blank.

    decode        unpacks the bytes, as UTF-8
    header        the first bytes: is this the file that was agreed, and where does each column lie?
    blocks        the stream in blocks, side by side on the cores
    fast          a block as whole columns, by lines, fixed_width and columns
    records       the lines that fast cannot settle, record by record, by fields and values: the authority
    mended        records that a person mended, instead of their originals
    limits        were too many refused?
    line_numbers  lines that are unique in a source, even if it is in parts
    find          single records again, by their lines
    other_formats files that are no CSV: their cells, read by the same columns and values

It never infers a type, never loads by position, never rounds, and treats no undeclared word as a missing value. It
reads from the caller's streams, writes nothing and logs nothing. A source in parts is loaded as one: each part by its
own header, with the limits over all of them; messages give a part's own name and lines.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.loader.blocks import Placed, cut_at_line_ends, side_by_side
from daybook.loader.cell_rows import check_no_rows, typed
from daybook.loader.decode import Decoded, Read, put_back, taken, unpacked
from daybook.loader.fast import fast_block
from daybook.loader.fields import BOM
from daybook.loader.footer import Line, WithoutFooter, lines_before
from daybook.loader.header import HEAD_BYTES, first_look
from daybook.loader.kinds import check_kind
from daybook.loader.layout import REFUSED_SCHEMA, Layout, Parsed, lines_of_refused, schema
from daybook.loader.limits import Tally
from daybook.loader.line_numbers import RawFile, line_in_source, own_line, part_of
from daybook.loader.mended import Mends
from daybook.loader.other_formats import BLOCK_ROWS, is_other, opened_other
from daybook.loader.records import RecordReader
from daybook.spec import Source

__all__ = ["BLOCK_BYTES", "REFUSED_SCHEMA", "Batch", "load", "opened", "schema"]

BLOCK_BYTES = 2**23


class Batch(NamedTuple):
    """The records of one block, in file order: rows kept, rows refused (REFUSED_SCHEMA), and a count of empty lines.

    read_lines: the physical lines of the block; kept_lines: those of rows kept. skipped: counts of the lines that the
    form makes no rows, by its word. Each line is one of a row kept, of a row refused, empty, or skipped.
    """

    kept: pa.Table
    refused: pa.Table
    blank: int
    read_lines: int
    kept_lines: int
    skipped: Mapping[str, int] = {}


def load(
    stream: BinaryIO,
    source: Source,
    *,
    name: str | None = None,
    mends: Mapping[int, bytes] | None = None,
    tally: Tally | None = None,
    block_bytes: int = BLOCK_BYTES,
    threads: int | None = None,
) -> Iterator[Batch]:
    """Return the file's rows by its contract, block by block; records = kept + refused + blank.

    name: the start of messages (default: the source's). mends: records that replace those on their lines, in UTF-8 and
    without line end. tally: counts other files of the source too; then the caller judges them together. Raises BadData
    if the file as a whole is refused, even at the end, if more rows were refused than the limits allow: publish nothing
    before the last batch.
    """
    name = name or source.name
    if source.form.may_be_empty and not _has_bytes(stream):
        return
    counted = tally or Tally(source.limits, name)
    if is_other(source):
        yield from _other(stream, source, name, mends or {}, counted, block_bytes)
    else:
        yield from _csv(stream, source, name, mends or {}, counted, block_bytes, threads)
    if tally is None:
        counted.judge()


def _other(
    stream: BinaryIO, source: Source, name: str, mends: Mapping[int, bytes], counted: Tally, block_bytes: int
) -> Iterator[Batch]:
    """Return the rows of a file that is no CSV; a row of it counts as a line."""
    file = opened_other(stream, source, name, min(BLOCK_ROWS, block_bytes))
    mended = Mends(mends, file.layout)
    for block in file.blocks():
        check_no_rows(block, file.layout, name)
        kept, refused = mended.put(*typed(block, file.layout))
        counted.add(kept.num_rows, refused, name, kept.num_rows)
        lines = len(block.numbers) + block.blank + sum(block.skipped.values())
        yield Batch(kept, refused, block.blank, lines, kept.num_rows, block.skipped)
    mended.check_all_put(name)
    file.check_end()


def _csv(
    stream: BinaryIO,
    source: Source,
    name: str,
    mends: Mapping[int, bytes],
    counted: Tally,
    block_bytes: int,
    threads: int | None,
) -> Iterator[Batch]:
    read, layout, first_line, decoded, header, below, footer = opened(stream, source, name)
    if source.form.is_fixed_width:
        _check_no_rows("header_line", header, layout, name)
    mended = Mends(mends, layout)

    def parse(block: bytes, is_last: bool) -> Parsed:
        return fast_block(block, layout, is_last)

    rows_before = counted.rows
    yield from _no_rows("lines_below_header", below, layout, name)
    for placed in side_by_side(cut_at_line_ends(read, block_bytes, layout.syntax.quote), parse, threads):
        batch = _batch(placed, first_line, mended)
        counted.add(batch.kept.num_rows, batch.refused, name, batch.kept_lines)
        yield batch
        _check_damage(placed, first_line, name)
    if decoded.looks_like_utf8:
        raise BadData(f"{name}: {_utf8(source)}; nothing is loaded")
    mended.check_all_put(name)
    if footer:
        yield from _no_rows("footer", footer.lines, layout, name)
        footer.check(counted.rows - rows_before)


def _has_bytes(stream: BinaryIO) -> bool:
    found = bool(stream.read(1))
    stream.seek(0)
    return found


def _no_rows(word: str, lines: list[Line], layout: Layout, name: str) -> Iterator[Batch]:
    """Return the lines that a word makes no rows as a batch of their own. Raises BadData if one is a row after all."""
    _check_no_rows(word, lines, layout, name)
    if lines:
        empty = layout.schema.empty_table(), REFUSED_SCHEMA.empty_table()
        yield Batch(*empty, blank=0, read_lines=len(lines), kept_lines=0, skipped={word: len(lines)})


def _check_no_rows(word: str, lines: list[Line], layout: Layout, name: str) -> None:
    is_row = RecordReader(layout, is_last=True).is_row
    for line in lines:
        if is_row(line.content):
            raise BadData(
                f"{name}, line {line.number:,}: it is a row by the contract, and should be none ({word}); nothing is "
                "loaded; the file may be cut, or the word not fit: have it delivered again"
            )


def layout_of(stream: BinaryIO, source: Source, name: str) -> Layout:
    """Return the layout of a file. Raises BadData if it is not the one that was agreed."""
    return (opened_other if is_other(source) else opened)(stream, source, name).layout


class Opened(NamedTuple):
    """A file whose header was read: a reader of its records, their layout, and the line number of the first one.

    decoded: the stream below, which knows more about its bytes once it is read to its end. header: the line that should
    be it, if there is one. below: the lines below the header that are no rows. footer: the stream that keeps the footer
    back, if there is one.
    """

    read: Read
    layout: Layout
    first_line: int
    decoded: Decoded
    header: list[Line]
    below: list[Line]
    footer: WithoutFooter | None


def opened(stream: BinaryIO, source: Source, name: str) -> Opened:
    """Read a file up to its header. Raises BadData if it is not the one that was agreed."""
    read = unpacked(stream, source, name)
    packed_head = taken(read, HEAD_BYTES)
    check_kind(packed_head, source.form, name)
    decoded = Decoded(put_back(packed_head, read), source.form)
    footer = WithoutFooter(decoded.read, source.form, name) if source.form.has_footer else None
    rows = footer.read if footer else decoded.read
    head = taken(rows, HEAD_BYTES).removeprefix(BOM)
    try:
        layout, start = first_look(head, source, name)
    except BadData as error:
        raise BadData(f"{error}; {_utf8(source)}" if decoded.looks_like_utf8 else str(error)) from None
    first_line = 1 + head.count(b"\n", 0, start)
    below = lines_before(head[:start], source.form.lines_below_header + 1)
    return Opened(put_back(head[start:], rows), layout, first_line, decoded, below[:1], below[1:], footer)


def _utf8(source: Source) -> str:
    return (
        f"all its bytes beyond ASCII are UTF-8, {source.form.encoding} agreed; declare the encoding 'utf-8', or "
        "is_encoding_certain if these letters are meant"
    )


def _check_damage(placed: Placed, first_line: int, name: str) -> None:
    if placed.parsed.damage:
        line, what = placed.parsed.damage
        raise BadData(f"{name}, line {first_line + placed.lines_before + line:,}: {what}; nothing is loaded")


def _batch(placed: Placed, first_line: int, mended: Mends) -> Batch:
    first, parsed = placed.lines_before + first_line, placed.parsed
    kept, refused = mended.put(_moved(parsed.kept, first), _moved(parsed.refused, first))
    newly_kept = lines_of_refused(parsed.refused) - lines_of_refused(refused)
    skipped = {"comment": parsed.comments} if parsed.comments else {}
    return Batch(kept, refused, parsed.blank, parsed.read_lines, parsed.kept_lines + newly_kept, skipped)


def _moved(table: pa.Table, first: int) -> pa.Table:
    return table.set_column(0, table.schema.field(0), pc.add(table.column(0), first))


def load_parts(
    files: list[RawFile],
    source: Source,
    name: str,
    opened: Callable[[RawFile], BinaryIO],
    mends: Mapping[int, bytes] | None = None,
) -> Iterator[Batch]:
    """Return the rows of all files, in their order, block by block.

    name: the start of messages about the whole. opened: opens a file. mends: records that replace those on their lines.
    Raises BadData as load does, and if two files with rows have the same bytes.
    """
    tally, seen = Tally(source.limits, name), dict[str, str]()
    for file in files:
        before = tally.rows
        with opened(file) as stream:
            for batch in load(stream, source, name=file.name, mends=_of(file, mends or {}), tally=tally):
                yield _placed(batch, file)
        # If rows are split over the parts by a key, several parts may be empty.
        if tally.rows > before:
            _check_not_twice(file, seen.setdefault(file.sha256, file.name))
    tally.judge()


def _of(file: RawFile, mends: Mapping[int, bytes]) -> dict[int, bytes]:
    return {own_line(line): record for line, record in mends.items() if part_of(line) == file.number}


def _placed(batch: Batch, file: RawFile) -> Batch:
    if not file.number:
        return batch
    refused = batch.refused
    places = [f"{file.at(line)}: {detail}" for line, detail in zip(*_lines_and_details(refused), strict=True)]
    placed = refused.set_column(3, refused.schema.field(3), pa.array(places, pa.string()))
    return batch._replace(kept=_moved_into_source(batch.kept, file), refused=_moved_into_source(placed, file))


def _lines_and_details(refused: pa.Table) -> tuple[list[int], list[str]]:
    return refused["line"].to_pylist(), refused["detail"].to_pylist()


def _moved_into_source(table: pa.Table, file: RawFile) -> pa.Table:
    return table.set_column(0, table.schema.field(0), pc.add(table.column(0), line_in_source(file.number, 0)))


def _check_not_twice(file: RawFile, first: str) -> None:
    if first != file.name:
        raise BadData(
            f"{file.name}: the same bytes as {first}; nothing is loaded; one part seems to have been delivered twice, "
            "and another not; ask the sender"
        )
