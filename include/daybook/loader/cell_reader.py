"""A row of cells read value by value: the authority on rows of files that are no CSV.

Called by cell_rows.py for the rows that it cannot settle, and by mended.py for mended ones. Pure.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from daybook.loader.cells import Cell, Sort
from daybook.loader.layout import Layout, Record, Refusal
from daybook.loader.values import Unfit, reader, shown
from daybook.spec.column import Column
from daybook.spec.writing import OF_LOCAL_TIMES, said

# Allowed are tabs and line ends, as in CSV.
CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f]")
# A date that a program has stored as an instant.
MIDNIGHT = r"T00:00:00(\.0*)?$"
CLOCK_FORMAT = "%H:%M:%S.%f"
LOCAL_FORMAT = "%Y-%m-%dT%H:%M:%S.%f"
# What a column that is text says about values with a type: nobody knows how they were shown.
NO_TEXT = {
    Sort.BOOLEAN: "true or false and no text; declare a boolean",
    Sort.LOCAL: "a date or a time and no text; a program may have made it of a text like a date, or declare its kind",
    Sort.INSTANT: "an instant and no text; declare a timestamp",
}


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
            return self._read(header, behind(row.get(date), row.get(header)) if date else row.get(header))
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
            self._readers[header, sort] = reader(as_read(column, sort) or column, tokens)
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


def behind(date: Cell | None, time: Cell | None) -> Cell | None:
    """Return a time behind its date, as one cell; None if either is missing."""
    if date is None or time is None or Sort.WRONG in (date.sort, time.sort):
        return date and time and (date if date.sort == Sort.WRONG else time)
    if date.sort == time.sort == Sort.LOCAL:
        return Cell(Sort.LOCAL, f"{re.sub(MIDNIGHT, '', date.text)}T{time.text}")
    return Cell(Sort.WRITTEN, f"{date.text} {time.text}")


def as_read(column: Column, sort: Sort) -> Column | None:
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
        case "integer", Sort.LOCAL if column.is_clock:
            return words | {"format": CLOCK_FORMAT, "missing_fraction": "zero"}
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
