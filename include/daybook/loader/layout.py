"""The types that the loader's modules share: a file's layout, known from its header, and the result of a block."""

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.loader.fields import Syntax
from daybook.spec.column import Column, arrow_type
from daybook.spec.source import Source

# One refused record: the physical number of its first line (the file's first is 1), the header of the column, a code, a
# sentence that may hold the value, and the original bytes without line end: several lines whole, one up to RAW_BYTES.
REFUSED_SCHEMA = pa.schema(
    [
        ("line", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("raw", pa.binary()),
    ]
)
RAW_BYTES = 2**16
# A line is proven a row if it fits the contract, and so many of its values are not text: any text may hold a comma.
PROOF_VALUES = 2
# Stands for a delimiter of several bytes where a block is read as columns: Arrow knows only such of one byte of ASCII.
INNER_DELIMITER = b"\x7f"


class Layout(NamedTuple):
    """The layout of one file's records: the contract's column for each field, or None if the field is not loaded.

    header: its fields in their order; none without a header line. contract: each loaded column by its header, with
    its spellings of a missing value. schema: of the kept rows, in the order of the contract. not_all_integers:
    headers of columns in which some block had a value that is none; it is noted while the file is read, and only saves
    time.
    """

    header: list[bytes]
    columns: list[Column | None]
    contract: dict[str, tuple[Column, tuple[str, ...]]]
    schema: pa.Schema
    syntax: Syntax
    comment: bytes
    blanks: bytes
    encoding: str
    field_bytes: int
    field_line_ends: int
    has_trailing_delimiter: bool
    may_end_early: bool
    are_control_bytes_kept: bool
    is_last_line_end_needed: bool
    not_all_integers: set[str]
    format: str = "csv"
    are_others_ignored: bool = False

    @property
    def is_rewritten(self) -> bool:
        """Return whether the fast way reads a block in another form than it was delivered in."""
        return bool(self.comment or self.syntax.skipped_blanks or self.may_end_early or len(self.delimiter) > 1)

    @property
    def delimiter(self) -> bytes:
        """Return the delimiter."""
        return self.syntax.delimiter

    @property
    def inner(self) -> "Layout":
        """Return the layout of a block in the inner form: its delimiter has one byte, and no blank is skipped."""
        if len(self.delimiter) == 1 and not self.syntax.skipped_blanks:
            return self
        delimiter = self.delimiter if len(self.delimiter) == 1 else INNER_DELIMITER
        return self._replace(syntax=self.syntax._replace(delimiter=delimiter, skipped_blanks=b""))

    @property
    def date_headers(self) -> dict[str, str]:
        """Return the header of the column of its date, by the header of each timestamp that has one."""
        headers = {column.name: header for header, (column, _) in self.contract.items()}
        dated = ((header, column.date_column) for header, (column, _) in self.contract.items())
        return {header: headers[date] for header, date in dated if date}

    def name_of(self, place: int) -> str:
        """Return what messages call the field at a place (the first is 0)."""
        if column := self.columns[place]:
            return column.header
        return self.header[place].decode() if self.header else f"field {place + 1}"

    def is_header(self, fields: list[bytes]) -> bool:
        """Return whether a record has the names of the header, in any order."""
        return len(fields) == len(self.header) > 0 and sorted(fields) == sorted(self.header)


class Refusal(NamedTuple):
    """Why a record is refused: the header of the column if one is to blame, a code, and a sentence."""

    column: str | None
    reason: str
    detail: str


class Record(NamedTuple):
    """A record: its line (counted from 0 in its block), its bytes, and its values by field or why it is refused."""

    line: int
    raw: bytes
    values: list[Any]
    refusal: Refusal | None


class Parsed(NamedTuple):
    """The result of a block: rows kept and refused (`line` counts from 0 in the block), and the number of empty lines.

    lines: the line ends used up; used: the bytes; the rest is the start of a record with an open quote.
    read_lines: all lines read, a last one without its line end too; kept_lines: those of kept rows.
    damage: ends the file; the line and the problem. comments: the lines that are comments.
    """

    kept: pa.Table
    refused: pa.Table
    blank: int
    lines: int
    used: int
    read_lines: int
    kept_lines: int
    damage: tuple[int, str] | None = None
    comments: int = 0


def schema(source: Source) -> pa.Schema:
    """Return the schema of kept rows: `line`, then the contract's columns under their names in the file.

    If the file has a column of that name, the first one is called `line_`, and so on.
    """
    headers, line = {column.header for column in source.columns}, "line"
    while line in headers:
        line += "_"
    return pa.schema([(line, pa.int64()), *((column.header, arrow_type(column)) for column in source.columns)])


def kept_table(records: list[Record], layout: Layout) -> pa.Table:
    """Return the kept records as columns."""
    kept = [record for record in records if not record.refusal]
    places = {column.header: place for place, column in enumerate(layout.columns) if column}
    arrays = [pa.array([record.line for record in kept], pa.int64())]
    for field in list(layout.schema)[1:]:
        arrays.append(pa.array([record.values[places[field.name]] for record in kept], field.type))
    return pa.Table.from_arrays(arrays, schema=layout.schema)


def refused_table(records: list[Record]) -> pa.Table:
    """Return the refused records as columns of REFUSED_SCHEMA."""
    rows = [_refused_row(record, record.refusal) for record in records if record.refusal]
    return pa.table(
        dict(zip(REFUSED_SCHEMA.names, zip(*rows, strict=True), strict=True)) if rows else [[]] * 5,
        schema=REFUSED_SCHEMA,
    )


def _refused_row(record: Record, refusal: Refusal) -> tuple[int, str | None, str, str, bytes]:
    raw, detail = kept_raw(record.raw), refusal.detail
    if len(raw) < len(record.raw):
        detail = f"{detail}; the first {len(raw):,} of its {len(record.raw):,} bytes are kept here, the file has all"
    return record.line, refusal.column, refusal.reason, detail, raw


def kept_raw(raw: bytes) -> bytes:
    """Return the part of a refused record that is kept: all of several lines, so that none is lost, or RAW_BYTES."""
    return raw if b"\n" in raw else raw[:RAW_BYTES]


def kept_lines_of(records: list[Record]) -> int:
    """Return the number of lines that the kept ones of these records take in their file."""
    return sum(record.raw.count(b"\n") + 1 for record in records if not record.refusal)


def heights(refused: pa.Table) -> list[int]:
    """Return the number of lines that each refused record takes in its file."""
    ends = pc.count_substring(pc.fill_null(refused["raw"], b""), "\n")
    return [int(count) + 1 for count in ends.to_pylist()]


def lines_of_refused(refused: pa.Table) -> int:
    """Return the number of lines that all refused records take in their file."""
    return sum(heights(refused))
