"""Refused rows as a file that any spreadsheet opens, with an empty column for a person's mends; and back.

CSV in UTF-8 with its mark, without which spreadsheets assume another encoding. Bytes that are not text are written as
\\xEB. A text that a spreadsheet would run as a formula gets a quote before it, which is removed when the file is read.
"""

import csv
import io
import os
import re
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from daybook.errors import BadData, BadSpec
from daybook.loader.fields import RECORD_BYTES
from daybook.text import FORMULA, counted

COLUMNS = ("source", "line", "step", "column", "reason", "detail", "raw", "mended", "file_sha256")
NEEDED = ("source", "line", "mended", "file_sha256")
DELIMITERS = (",", ";", "\t")
# Quotes before a formula too, so that our quote can be told from theirs.
RUN = re.compile(rf"\A'*(?:{FORMULA})")
# Control bytes except tabs and line ends, and bytes that are not UTF-8 (as Python's surrogateescape writes them).
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\udc80-\udcff]|\r(?!\n)")


class Filled(NamedTuple):
    """A row whose `mended` a person has filled: its place in the file (the header is row 1), and its cells.

    All is text as typed; a line end at the end of `mended` is not part of the record.
    """

    row: int
    source: str
    line: str
    file_sha256: str
    mended: str


def write_refused(path: Path, rows: pa.Table, file_sha256: dict[str, str]) -> None:
    """Write refused rows into a new file, readable by its owner only. rows, file_sha256: as for `refused_csv`.

    Raises BadSpec if the file exists: it may hold somebody's work.
    """
    _create(path, refused_csv(rows, file_sha256))


def refused_csv(rows: pa.Table, file_sha256: dict[str, str]) -> bytes:
    """Return the file of refused rows (STEP_SCHEMA of refused/rows.py). file_sha256: of each source's raw file."""
    content = io.StringIO(newline="")
    lines = csv.DictWriter(content, COLUMNS, lineterminator="\n")
    lines.writeheader()
    for row in rows.to_pylist():
        words = {**row, "raw": written(row["raw"] or b""), "file_sha256": file_sha256[row["source"]], "mended": ""}
        lines.writerow({name: _harmless(str(words[name] or "")) for name in COLUMNS})
    return content.getvalue().encode("utf-8-sig")


def read_filled(path: Path) -> list[Filled]:
    """Return the rows whose `mended` is filled. Raises BadSpec or BadData, without a value, if it is another file."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadData(f"{path.name}: it is not UTF-8; nothing was kept; save it as CSV in UTF-8") from None
    except OSError as error:
        raise BadSpec(f"{path}: {error.strerror}; nothing was kept") from None
    rows = _table(text, path.name)
    return [_filled(number, row) for number, row in enumerate(rows, 2) if row["mended"].strip()]


def written(raw: bytes) -> str:
    """Return bytes as text, with bytes that are not text, and control bytes except tabs and line ends, as \\xEB."""
    return NO_TEXT.sub(_escape, raw.decode(errors="surrogateescape"))


def record_of(mended: str, raw: bytes) -> bytes:
    """Return the bytes of a mended record. raw: the refused one's, for the bytes of the escapes still in the text."""
    record = mended.encode()
    for found in NO_TEXT.finditer(raw.decode(errors="surrogateescape")):
        record = record.replace(_escape(found).encode(), bytes([ord(found[0]) & 0xFF]))
    return record


def _escape(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]) & 0xFF:02X}"


def _harmless(cell: str) -> str:
    return f"'{cell}" if RUN.match(cell) else cell


def _as_meant(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and RUN.match(cell) else cell


def _create(path: Path, content: bytes) -> None:
    try:
        # The file exists at once, so it is removed if it cannot be written whole.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError:
        raise BadSpec(f"{path}: it is there already, and may hold mended rows; nothing was written") from None
    except OSError as error:
        if path.is_file():
            path.unlink()
        raise BadSpec(f"{path}: {error.strerror}; nothing was written") from None


def _table(text: str, name: str) -> list[dict[str, str]]:
    # csv's default limit is below that of a record with each byte written as \xEB. It is set for the whole process.
    csv.field_size_limit(4 * RECORD_BYTES)
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    try:
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)) or [[]]
    except csv.Error:
        raise BadData(f"{name}: it is not a whole CSV file; nothing was kept; save it as CSV again") from None
    _check_form(header, rows, delimiter, name)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _check_form(header: list[str], rows: list[list[str]], delimiter: str, name: str) -> None:
    missing = [repr(column) for column in NEEDED if column not in header]
    if missing:
        raise BadData(
            f"{name}: it has no column {', '.join(missing)}; nothing was kept; `./daybook refused --out` writes a file "
            "that has them"
        )
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise BadData(
                f"{name}, row {number}: {counted(len(row), 'cell')}, {len(header)} expected; "
                f"nothing was kept; a record with {delimiter!r} in it stands in quotes"
            )


def _filled(number: int, row: dict[str, str]) -> Filled:
    return Filled(number, row["source"], row["line"], row["file_sha256"], _as_meant(row["mended"]).rstrip("\r\n"))
