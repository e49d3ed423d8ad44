"""Blocks of cells to typed rows: the loader's columns and values for files that are no CSV.

Called by load.py, and by mended.py for single rows. Whole columns are parsed by columns.py; a row that fails
there is read value by value, by values.py, which says why. Tests prove that both read alike. Pure.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.loader.cells import Block, Cell, Cells, Sort, cell_at, cells_of
from daybook.loader.columns import ParsedColumn, parsed_column
from daybook.loader.layout import PROOF_VALUES, Layout, Record, Refusal, kept_table, refused_table
from daybook.loader.texts import Flags, content_of, flagged, flags, holders
from daybook.loader.values import Unfit, is_empty_a_value, reader, shown
from daybook.spec import Column, arrow_type, said
from daybook.spec.writing import OF_LOCAL_TIMES

# Allowed are tabs and line ends, as in CSV.
CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f]")
# A date that a program has stored as an instant.
MIDNIGHT = r"T00:00:00(\.0*)?$"
LOCAL_FORMAT = "%Y-%m-%dT%H:%M:%S.%f"
# What a column that is text says about values with a type: nobody knows how they were shown.
NO_TEXT = {
    Sort.BOOLEAN: "true or false and no text; declare a boolean",
    Sort.LOCAL: "a date or a time and no text; a program may have made it of a text like a date, or declare its kind",
    Sort.INSTANT: "an instant and no text; declare a timestamp",
}


class Rows(NamedTuple):
    """The rows of a block: kept, and refused."""

    kept: pa.Table
    refused: pa.Table


def typed(block: Block, layout: Layout) -> Rows:
    """Return the rows of a block by their contract."""
    cells, refusals = block.cells()
    columns = {
        header: _parsed(_dated(cells, header, layout), layout.contract[header], len(block.numbers))
        for header in layout.schema.names[1:]
    }
    are_failed = flagged(np.array(sorted(refusals), np.int64), len(block.numbers))
    for header in columns:
        are_failed |= columns[header].are_unfit | _with_odd_signs(cells[header], layout, len(block.numbers))
    values = [pa.array(block.numbers, pa.int64()), *(column.values for column in columns.values())]
    kept = pa.Table.from_arrays(values, schema=layout.schema).filter(pa.array(~are_failed))
    records = _records(block, np.flatnonzero(are_failed).tolist(), cells, refusals, layout)
    slowly = kept_table(records, layout)
    kept = pa.concat_tables([kept, slowly]).sort_by(kept.schema.names[0]) if slowly.num_rows else kept
    return Rows(kept.combine_chunks(), refused_table(records))


def check_no_rows(block: Block, layout: Layout, name: str) -> None:
    """Check that the rows which a word makes none are none by the contract. Raises BadData."""
    read = CellReader(layout)
    for number, cells in block.no_rows:
        record = read(number, b"", cells)
        typed = zip(layout.columns, record.values, strict=False)
        proofs = sum(column is not None and column.kind != "text" and value is not None for column, value in typed)
        if not record.refusal and proofs >= PROOF_VALUES:
            raise BadData(
                f"{name}, row {number:,}: it is a row by the contract, and should be none "
                f"({', '.join(block.skipped)}); nothing is loaded; the sheet may be cut, or the word not fit: have it "
                "delivered again"
            )


def _records(
    block: Block, places: list[int], cells: Mapping[str, Cells], refusals: Mapping[int, Refusal], layout: Layout
) -> list[Record]:
    read = CellReader(layout)
    found = []
    for place, raw in zip(places, block.raw(places) if places else [], strict=True):
        row = {header: cell for header, column in cells.items() if (cell := cell_at(column, place))}
        found.append(read(int(block.numbers[place]), raw, row, refusals.get(place)))
    return found


def _dated(cells: Mapping[str, Cells], header: str, layout: Layout) -> Cells:
    """Return a column's cells, behind those of the column of its date if it has one."""
    date = layout.date_headers.get(header)
    if not date:
        return cells[header]
    places = range(len(next(iter({**cells[date], **cells[header]}.values()), ())))
    return cells_of([_behind(cell_at(cells[date], n), cell_at(cells[header], n)) for n in places])


def _behind(date: Cell | None, time: Cell | None) -> Cell | None:
    """Return a time behind its date, as one cell; None if either is missing."""
    if date is None or time is None or Sort.WRONG in (date.sort, time.sort):
        return date and time and (date if date.sort == Sort.WRONG else time)
    if date.sort == time.sort == Sort.LOCAL:
        return Cell(Sort.LOCAL, f"{re.sub(MIDNIGHT, '', date.text)}T{time.text}")
    return Cell(Sort.WRITTEN, f"{date.text} {time.text}")


def _parsed(cells: Cells, contract: tuple[Column, tuple[str, ...]], size: int) -> ParsedColumn:
    column, tokens = contract
    values, are_unfit = pa.nulls(size, arrow_type(column)), np.zeros(size, bool)
    # The written ones come last: a null may be a value there, if "" is a token of a boolean.
    is_written = Sort.WRITTEN in cells or is_empty_a_value(column)
    for sort in (*(sort for sort in cells if sort != Sort.WRITTEN), *([Sort.WRITTEN] if is_written else [])):
        texts = cells.get(sort, pa.nulls(size, pa.string()))
        as_read = _as_read(column, sort)
        if as_read is None:
            are_unfit |= flags(texts.is_valid())
            continue
        parsed = parsed_column(_plain(texts, sort, column), _fast(as_read, texts, sort), tokens)
        values, are_unfit = pc.coalesce(values, parsed.values), are_unfit | parsed.are_unfit
    return ParsedColumn(values, are_unfit)


def _as_read(column: Column, sort: Sort) -> Column | None:
    """Return the column that reads cells of a sort: none of its words about spellings is for values with a type.

    None if no such value is one of the column.
    """
    if sort == Sort.WRITTEN:
        return column
    if sort == Sort.WRONG or (column.kind == "text" and sort in NO_TEXT):
        return None
    return column.model_copy(update=_words(column, sort))


def _words(column: Column, sort: Sort) -> dict[str, Any]:
    if column.kind in ("date", "timestamp") and sort == Sort.NUMBER:
        return {"decimal_mark": None}
    kept = {"long_fraction", *(OF_LOCAL_TIMES if sort == Sort.LOCAL else ())}
    words: dict[str, Any] = dict.fromkeys(said(column).keys() - kept) | {"missing_day": None}
    match column.kind, sort:
        case (("integer" | "decimal"), Sort.NUMBER):
            # The number is what counts: 1E+2 and 100.00 are a hundred.
            return words | {"exponents": "read", "extra_zeros": "ignore"}
        case "boolean", Sort.BOOLEAN:
            return words | {"true_tokens": ("true",), "false_tokens": ("false",)}
        case "boolean", _:
            return words | {"true_tokens": _spelled(column.true_tokens), "false_tokens": _spelled(column.false_tokens)}
        case "date", (Sort.LOCAL | Sort.INSTANT):
            return words | {"format": "%Y-%m-%d"}
        case "timestamp", Sort.LOCAL:
            return words | {"format": LOCAL_FORMAT, "missing_fraction": "zero"}
        case "timestamp", Sort.INSTANT:
            return words | {"format": f"{LOCAL_FORMAT}Z"}
    return words


def _spelled(tokens: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(token for token in tokens if token)


def _plain(texts: pa.StringArray, sort: Sort, column: Column) -> pa.StringArray:
    is_day = column.kind == "date" and sort == Sort.LOCAL
    return pc.replace_substring_regex(texts, MIDNIGHT, "") if is_day else texts


def _fast(column: Column, texts: pa.StringArray, sort: Sort) -> Column:
    """Return a column with no word that its texts do not need, since a plain column of numbers is read faster."""
    if sort != Sort.NUMBER or column.kind not in ("integer", "decimal"):
        return column
    content, _ = content_of(texts)
    has_points = bool(((content < ord("0")) & (content != ord("-")) | (content > ord("9"))).any())
    return column if has_points else column.model_copy(update={"exponents": None, "extra_zeros": "refuse"})


def _with_odd_signs(cells: Cells, layout: Layout, size: int) -> Flags:
    """Return the rows with texts that are too long, or hold signs that no text may hold."""
    if Sort.WRITTEN not in cells:
        return np.zeros(size, bool)
    content, offsets = content_of(cells[Sort.WRITTEN])
    are_odd = content == 0 if layout.are_control_bytes_kept else ODD_BYTES[content]
    return flagged(holders(np.flatnonzero(are_odd), offsets), size) | (np.diff(offsets) > layout.field_bytes)


ODD_BYTES = np.zeros(256, bool)
ODD_BYTES[[*range(9), 11, 12, *range(14, 32)]] = True


class CellReader:
    """Reads one row after another, value by value: the authority on rows of cells."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._readers: dict[tuple[str, Sort], Callable[[str, bool], Any]] = {}
        self.places = {column.header: place for place, column in enumerate(layout.columns) if column}

    def __call__(self, number: int, raw: bytes, row: Mapping[str, Cell], refusal: Refusal | None = None) -> Record:
        """Return a row as a record. row: its cells by header, without the empty ones. refusal: why it is none."""
        values: list[Any] = [None] * len(self.layout.columns)
        try:
            if refusal:
                raise Unfit(refusal.reason, refusal.detail, refusal.column)
            for header, place in self.places.items():
                values[place] = self._value(header, row)
        except Unfit as unfit:
            return Record(number, raw, [], Refusal(unfit.column, unfit.reason, unfit.detail))
        return Record(number, raw, values, None)

    def _value(self, header: str, row: Mapping[str, Cell]) -> Any:
        date = self.layout.date_headers.get(header)
        try:
            _check_text(row.get(header), self.layout)
            return self._read(header, _behind(row.get(date), row.get(header)) if date else row.get(header))
        except Unfit as unfit:
            raise Unfit(unfit.reason, unfit.detail, header) from None

    def _read(self, header: str, cell: Cell | None) -> Any:
        if cell is None:
            return self._reader(header, Sort.WRITTEN)("", False)
        if cell.sort == Sort.WRONG:
            raise Unfit("not_a_value", cell.text)
        column, _ = self.layout.contract[header]
        if column.kind == "text" and cell.sort in NO_TEXT:
            raise Unfit("not_a_text", f"{shown(cell.text)} is {NO_TEXT[cell.sort]}")
        is_day = column.kind == "date" and cell.sort == Sort.LOCAL
        return self._reader(header, cell.sort)(re.sub(MIDNIGHT, "", cell.text) if is_day else cell.text, True)

    def _reader(self, header: str, sort: Sort) -> Callable[[str, bool], Any]:
        if (header, sort) not in self._readers:
            column, tokens = self.layout.contract[header]
            self._readers[header, sort] = reader(_as_read(column, sort) or column, tokens)
        return self._readers[header, sort]


def _check_text(cell: Cell | None, layout: Layout) -> None:
    if cell is None or cell.sort != Sort.WRITTEN:
        return
    if (size := len(cell.text.encode())) > layout.field_bytes:
        raise Unfit("field_too_long", f"{size:,} bytes, limit {layout.field_bytes:,}")
    if "\0" in cell.text:
        raise Unfit("nul_byte", f"NUL byte at offset {len(cell.text[: cell.text.index(chr(0))].encode())}")
    control = None if layout.are_control_bytes_kept else CONTROL.search(cell.text)
    if control:
        raise Unfit("control_byte", f"control byte 0x{ord(control[0]):02X}")
