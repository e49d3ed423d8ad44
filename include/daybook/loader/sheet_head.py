"""The start of a sheet: which of its first rows is the header, and where each column lies.

Called by sheet_rows.py and other_formats.py. Reads from the caller's stream, and leaves the rows after the header.
"""

from functools import partial
from itertools import chain, islice
from typing import BinaryIO

from daybook.errors import BadData
from daybook.loader.decode import check_size
from daybook.loader.header import layout_by_names, layout_by_places
from daybook.loader.layout import Layout
from daybook.loader.sheet_cells import cell_of, shown
from daybook.loader.sheet_xml import Row, merged_places, rows_of
from daybook.loader.workbook import Workbook
from daybook.spec.source import Source

# A header is looked for in so many rows that are not empty.
HEAD_ROWS = 1000
SHOWN_ROWS = 20


def opened_workbook(stream: BinaryIO, source: Source, name: str) -> Workbook:
    """Open a workbook. Raises BadData if it is none."""
    return Workbook(stream, name, partial(check_size, limits=source.limits, name=name))


class SheetHead:
    """A sheet whose first rows were read: its workbook, its merged cells, its rows, and the number of the header.

    The number is 0 if there is no header. Raises BadData if there is no such sheet, or no such row.
    """

    def __init__(self, stream: BinaryIO, source: Source, name: str) -> None:
        self._source, self._name = source, name
        self.book = opened_workbook(stream, source, name)
        with self.book.errors():
            self.merged = merged_places(self.book.chunks_of(source.form.sheet))
            self.rows = rows_of(self.book.chunks_of(source.form.sheet))
            self._first = list(islice(self.rows, HEAD_ROWS))
            self.rows = chain(self._first, self.rows)
            self.number = self._number()

    def rows_before(self, number: int) -> list[Row]:
        """Take the rows before that of a number from those that are left."""
        taken = list[Row]()
        for row in self.rows:
            if row.number >= number:
                self.rows = chain([row], self.rows)
                break
            taken.append(row)
        return taken

    @property
    def names(self) -> list[str]:
        """Return the names of the columns; "column 1" and so on without a header."""
        with self.book.errors():
            if not self.number:
                return [f"column {place}" for place in range(1, self._width + 1)]
            return next((self._names(row) for row in self._first if row.number == self.number), [])

    def layout(self) -> Layout:
        """Return the layout of the rows, which are then those that are left. Raises BadData."""
        if not self.number:
            return layout_by_places(self._source, self._width if self._source.form.extra_columns == "ignore" else 0)
        names = self.names
        if not self._source.are_all_in(set(names)):
            self._check_not_elsewhere()
        if not names:
            raise BadData(
                f"{self._name}: row {self.number} is empty, and should be the header; nothing is loaded; declare "
                'header_line, or "find"'
            )
        with self.book.errors():
            self.rows_before(self.number + 1)
        return layout_by_names(names, self._source, self._name)

    def _check_not_elsewhere(self) -> None:
        with self.book.errors():
            found = [row.number for row in self._first if self._has_all(row)]
        if found:
            raise BadData(
                f"{self._name}: the header is on row {found[0]}, {self.number} agreed; declare "
                f'header_line={found[0]} if that is meant, or "find" if it varies; nothing is loaded'
            )

    @property
    def _width(self) -> int:
        return max((max(row.cells) + 1 for row in self._first), default=0)

    def _number(self) -> int:
        line = self._source.form.header_line
        if line != "find":
            return int(line)
        found = [row.number for row in self._first if self._has_all(row)]
        if len(found) == 1:
            return found[0]
        rows = f"rows {', '.join(map(str, found[:SHOWN_ROWS]))} all have" if found else "no row has"
        raise BadData(
            f'{self._name}: {rows} the names of all columns, and one header agreed (header_line="find"); looked at the '
            f"first {HEAD_ROWS:,} rows; nothing is loaded"
        )

    def _has_all(self, row: Row) -> bool:
        return self._source.are_all_in(set(self._names(row)))

    def _names(self, row: Row) -> list[str]:
        cells = {place: cell_of(raw, None, self.book) for place, raw in row.cells.items()}
        return [shown(cells.get(place)) for place in range(max(cells, default=-1) + 1)]
