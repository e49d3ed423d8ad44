"""Files that are no CSV, opened: JSON lines, Parquet, and sheets of a workbook, as blocks of cells.

    json_lines, parquet_rows, sheet_rows   a file as blocks of cells: texts with the sort of each value
    cell_rows                              a block to rows kept and refused, by the columns and values of CSV

Called by load, and by find.py for single rows. Reads from the caller's stream, block by block; of a workbook its shared
texts are in memory.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, NamedTuple

from daybook.loader.cell_blocks import Block
from daybook.loader.cells import kind_in
from daybook.loader.decode import put_back, taken, unpacked
from daybook.loader.header import HEAD_BYTES, layout_by_places
from daybook.loader.json_lines import JsonLines, first_keys
from daybook.loader.kinds import check_format
from daybook.loader.layout import Layout
from daybook.loader.parquet_rows import ParquetFile, ParquetRows
from daybook.loader.sheet_head import SheetHead, opened_workbook
from daybook.loader.sheet_rows import SheetRows
from daybook.spec import Kind, Source

BLOCK_BYTES = 2**22
BLOCK_ROWS = 2**14


class OtherFile(NamedTuple):
    """A file whose columns are known: their layout, its rows, and what is to be checked after the last of them."""

    layout: Layout
    blocks: Callable[[], Iterator[Block]]
    check_end: Callable[[], None] = lambda: None


def is_other(source: Source) -> bool:
    """Return whether the files of a source are no CSV."""
    return source.form.format != "csv"


def opened_other(stream: BinaryIO, source: Source, name: str, block_rows: int = BLOCK_ROWS) -> OtherFile:
    """Open a file that is no CSV. Raises BadData if it is not the one that was agreed."""
    if source.form.format == "json_lines":
        read = unpacked(stream, source, name)
        head = taken(read, HEAD_BYTES)
        check_format(head, source.form, name)
        lines = JsonLines(put_back(head, read), layout_by_places(source), name, min(BLOCK_BYTES, 256 * block_rows))
        return OtherFile(
            lines.layout, lines.blocks, lines.check_names if not source.form.may_lack_keys else lambda: None
        )
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    check_format(head, source.form, name)
    if source.form.format == "parquet":
        parquet = ParquetRows(ParquetFile(stream, name), source, name, block_rows)
        return OtherFile(parquet.layout, parquet.blocks)
    sheet = SheetRows(SheetHead(stream, source, name), source, name, block_rows)
    return OtherFile(sheet.layout, sheet.blocks)


def names_of(stream: BinaryIO, source: Source, name: str) -> list[str]:
    """Return the names of the columns that a file has, whatever the contract says. Raises BadData.

    Of JSON lines, those of its first rows.
    """
    match source.form.format:
        case "json_lines":
            return first_keys(unpacked(stream, source, name))
        case "parquet":
            return ParquetFile(stream, name).names
    return SheetHead(stream, source, name).names


def kinds_in(stream: BinaryIO, source: Source, name: str) -> dict[str, Kind | Literal["clock"]]:
    """Return the kinds of columns whose values have a type that is none of text, by header, as its first rows tell."""
    block = next(opened_other(stream, source, name).blocks(), None)
    cells = block.cells()[0] if block else {}
    return {header: kind for header, column in cells.items() if (kind := kind_in(column))}


def sheets_in(stream: BinaryIO, source: Source, name: str) -> list[str]:
    """Return the names of a workbook's sheets. Raises BadData."""
    return list(opened_workbook(stream, source, name).sheets)
