"""A sheet of a workbook as blocks of cells: the rows below its header row, by their numbers in the sheet.

Called by other_formats.py. Whatever is no value (an error, a formula that nobody computed, a part of a merged cell)
refuses its row. Empty rows are counted, but for those at the end.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

import numpy as np

from daybook.errors import BadData
from daybook.loader.cell_blocks import Block
from daybook.loader.cells import Cell, Cells, as_json, cells_of
from daybook.loader.layout import Layout, Refusal
from daybook.loader.sheet_cells import cell_of, shown
from daybook.loader.sheet_head import SheetHead
from daybook.loader.sheet_xml import Raw, Row, letters
from daybook.spec.column import Column
from daybook.spec.source import Source
from daybook.text import counted


class SheetRows:
    """The rows of a sheet. Raises BadData if it is not the one that was agreed."""

    def __init__(self, head: SheetHead, source: Source, name: str, block_rows: int) -> None:
        self._source, self._name, self._block_rows = source, name, block_rows
        self._head, self.book = head, head.book
        self.layout = head.layout()
        self.names = _unique_names(self.layout)

    def blocks(self) -> Iterator[Block]:
        """Return the rows, block by block."""
        with self.book.errors():
            yield from self._blocks()

    def _blocks(self) -> Iterator[Block]:
        last = self._head.number + (below := self._source.form.lines_below_header)
        if below:
            yield self._no_rows("lines_below_header", self._head.rows_before(last + 1), below)
        held: list[Row] = []
        for rows in iter(lambda: list(islice(self._head.rows, self._block_rows)), []):
            held += rows
            cut = len(held) - self._source.form.footer_lines
            if cut > 0:
                yield self._block(held[:cut], last)
                last, held = held[cut - 1].number, held[cut:]
        yield from self._footer(held, last)

    def _footer(self, rows: list[Row], last: int) -> Iterator[Block]:
        """Return the last rows, which are none, as a block of their own."""
        most = self._source.form.footer_lines
        if len(rows) < most:
            raise BadData(
                f"{self._name}: it ends without its footer: {counted(most, 'row')} agreed, {len(rows)} found; "
                "nothing is loaded; it may be cut: have it delivered again"
            )
        if rows:
            blank = rows[-1].number - last - len(rows)
            yield self._no_rows("footer", rows, len(rows))._replace(blank=blank)

    def _no_rows(self, word: str, rows: list[Row], count: int) -> Block:
        """Return rows that are none by a word, as a block of their own."""
        cells = [(row.number, self._cells_by_header(row)) for row in rows]
        return self._block([], 0)._replace(skipped={word: count}, no_rows=cells)

    def _block(self, rows: list[Row], last: int) -> Block:
        """Return rows as a block. last: the number of the row before them."""
        blank = rows[-1].number - last - len(rows) if rows else 0
        numbers = np.array([row.number for row in rows], np.int64)
        return Block(numbers, partial(self._cells, rows), partial(self._raw, rows), blank)

    def _cells(self, rows: list[Row]) -> tuple[Mapping[str, Cells], Mapping[int, Refusal]]:
        columns = [(place, column) for place, column in enumerate(self.layout.columns) if column]
        with self.book.errors():
            cells = {
                column.header: cells_of([self._cell(row.cells.get(place), column) for row in rows])
                for place, column in columns
            }
            refusals = {place: refusal for place, row in enumerate(rows) if (refusal := self._refusal(row))}
        return cells, refusals

    def _cells_by_header(self, row: Row) -> dict[str, Cell]:
        columns = [(place, column) for place, column in enumerate(self.layout.columns) if column]
        cells = {column.header: self._cell(row.cells.get(place), column) for place, column in columns}
        return {header: cell for header, cell in cells.items() if cell}

    def _cell(self, raw: Raw | None, column: Column | None) -> Cell | None:
        return raw and cell_of(raw, column, self.book)

    def _refusal(self, row: Row) -> Refusal | None:
        for first, last in self._head.merged.get(row.number, ()):
            for place in range(first, min(last, len(self.layout.columns) - 1) + 1):
                if column := self.layout.columns[place]:
                    return Refusal(
                        column.header, "merged_cell", "the cell is merged with others: nobody knows which it is of"
                    )
        if not self.layout.are_others_ignored:
            for place in row.cells:
                if place >= len(self.names) or not (self.layout.columns[place] or self._has_name(place)):
                    return Refusal(None, "too_many_fields", f"a value in column {letters(place)}, which has no name")
        return self._repeated(row)

    def _has_name(self, place: int) -> bool:
        return bool(self.layout.header and self.layout.header[place])

    def _repeated(self, row: Row) -> Refusal | None:
        names = {place: name.decode() for place, name in enumerate(self.layout.header) if name}
        if not names or len(names) != len(row.cells) or names.keys() != row.cells.keys():
            return None
        if all(shown(self._cell(row.cells[place], None)) == name for place, name in names.items()):
            return Refusal(None, "repeated_header", "the row repeats the header")
        return None

    def _raw(self, rows: list[Row], places: Sequence[int]) -> list[bytes]:
        with self.book.errors():
            return [self._as_json(rows[place]) for place in places]

    def _as_json(self, row: Row) -> bytes:
        further = [place for place in sorted(row.cells) if place >= len(self.names)]
        names = [*self.names, *(f"field {place + 1}" for place in further)]
        columns = [*self.layout.columns, *(None for _ in further)]
        cells = [
            self._cell(row.cells.get(place), column)
            for place, column in zip([*range(len(self.names)), *further], columns, strict=True)
        ]
        return as_json(names, cells)


def _unique_names(layout: Layout) -> list[str]:
    """Return a name for each column of a sheet, under which a refused row shows its cell."""
    names = list[str]()
    for place, column in enumerate(layout.columns):
        name = column.header if column else (layout.header[place].decode() if layout.header else "")
        names.append(name if name and name not in names else f"field {place + 1}")
    return names
