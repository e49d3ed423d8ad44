"""Cells of files that are no CSV, as texts with the sort of value that each one has there.

Made by json_rows.py, parquet_rows.py and sheet_rows.py, and read by cell_rows.py. A number, a boolean, a date or an
instant has a type in these files: its text here is plain, and none of the words about spellings is for it. A text is
written by the supplier, and is read as that of a field of CSV in quotes. Pure.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from math import isinf, ulp
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.spec.column import Column
from daybook.spec.writing import Kind

# A double keeps 53 bits: two numbers of as many digits as a column has may be one double.
TOO_COARSE = "{} is a number of floating point, which may stand for several numbers of {} decimals"

# A date, as it is or as midnight.
DAY = r"^[^T:]*(?:T00:00:00(?:\.0*)?)?$"
CLOCK = r"^[0-9]{2}:[0-9]{2}(:|$)"


class Sort(StrEnum):
    """What a cell is: a text, a number, true or false, a date or time without a zone, an instant in UTC, or nothing
    that a column can hold, whose text then says what it is.
    """

    WRITTEN = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LOCAL = "local"
    INSTANT = "instant"
    WRONG = "wrong"


class Cell(NamedTuple):
    """A cell that is not empty."""

    sort: Sort
    text: str


# A column: for each sort that it has, its texts, null in the rows of another sort and of a missing value.
Cells = Mapping[Sort, pa.StringArray]


def cells_of(column: Sequence[Cell | None]) -> Cells:
    """Return a column of cells."""
    sorts = dict.fromkeys(cell.sort for cell in column if cell)
    return {
        sort: pa.array([cell.text if cell and cell.sort == sort else None for cell in column], pa.string())
        for sort in sorts
    }


def cell_at(cells: Cells, place: int) -> Cell | None:
    """Return the cell of a row, or None if it is missing."""
    found = ((sort, texts[place]) for sort, texts in cells.items())
    return next((Cell(sort, text.as_py()) for sort, text in found if text.is_valid), None)


def kind_in(cells: Cells) -> Kind | Literal["clock"] | None:
    """Return the kind of column that most of its values make by their type; "clock" for times alone, which are an
    integer with a format; None for texts and numbers."""
    counts = {sort: len(texts) - texts.null_count for sort, texts in cells.items() if sort != Sort.WRONG}
    match max(counts, key=counts.__getitem__, default=None):
        case Sort.BOOLEAN:
            return "boolean"
        case Sort.INSTANT:
            return "timestamp"
        case Sort.LOCAL:
            if pc.all(pc.match_substring_regex(cells[Sort.LOCAL], CLOCK)).as_py():
                return "clock"
            are_days = pc.match_substring_regex(cells[Sort.LOCAL], DAY)
            return "date" if pc.all(are_days).as_py() else "timestamp"
    return None


def is_too_coarse(text: str, column: Column) -> bool:
    """Return whether the number that a double stands for is not certain, with as many decimals as a column has.

    It is if the next double is further away than the next number of the column (Goldberg 1991, theorem 15).
    """
    if column.kind not in ("integer", "decimal", "text"):
        return False
    number = float(text)
    return isinf(number) or Fraction(ulp(number)) * 10**column.scale > 1


def as_json(names: Sequence[str], cells: Sequence[Cell | None]) -> bytes:
    """Return a row as an object of JSON on one line: what is kept of a refused row, and can be mended.

    A value of a type that JSON does not have is an object: its sort, and its text.
    """
    pairs = (f"{_quoted(name)}: {_value(cell)}" for name, cell in zip(names, cells, strict=True))
    return f"{{{', '.join(pairs)}}}".encode(errors="backslashreplace")


def _value(cell: Cell | None) -> str:
    match cell:
        case None:
            return "null"
        case Cell(Sort.WRITTEN, text):
            return _quoted(text)
        case Cell(Sort.NUMBER | Sort.BOOLEAN, text):
            return text
    return f"{{{_quoted(cell.sort)}: {_quoted(cell.text)}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
