"""The part of a spec about the layout of a file: how it is written, and how much of it may be wrong."""

import codecs
from typing import Literal

from pydantic import Field, field_validator

from daybook.spec.value import Value

# What Python calls encodings and no file is in.
NO_TEXT = {
    "idna": "names of hosts",
    "punycode": "names of hosts",
    "unicode-escape": "Python's literals",
    "raw-unicode-escape": "Python's literals",
}


class Form(Value):
    """How a file is written, if not in UTF-8 with line feeds and a header on line 1.

    Lines before `header_line` are skipped. With `header_line=0` there is no header, and the first line is a row: the
    columns stand in the order of the spec, or each at its `position`. `extra_columns`: what to do about columns that
    the contract does not name. A last line without a line end may be cut, so it is refused unless
    `is_last_line_end_needed` is False. A file whose bytes beyond ASCII are all UTF-8 is refused if another encoding is
    declared, unless `is_encoding_certain`. A file of 0 bytes is waited for, and refused in the end, unless it
    `may_be_empty`: then it is a file without rows.
    """

    encoding: str = "utf-8"
    compression: Literal["none", "gzip", "zip"] = "none"
    """What it is packed with; a zip holds one file."""
    line_end: Literal["lf", "cr"] = "lf"
    """How its lines end: with a line feed, a carriage return before it or not, or with a carriage return alone."""
    header_line: int = Field(default=1, ge=0, le=1000)
    extra_columns: Literal["refuse", "ignore"] = "refuse"
    has_trailing_delimiter: bool = False
    """Whether each line ends with one more delimiter."""
    is_last_line_end_needed: bool = True
    are_control_bytes_kept: bool = False
    """Whether control bytes are part of a text; else their row is refused."""
    is_encoding_certain: bool = False
    may_be_empty: bool = False

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            "a".encode(encoding)
            name = codecs.lookup(encoding).name
        except (LookupError, UnicodeError):
            raise ValueError("Python knows no such encoding of text") from None
        if name in NO_TEXT:
            raise ValueError(f"it is for {NO_TEXT[name]}, not for the text of files")
        return name


class Limits(Value):
    """How many refused rows a source may have; with more, all of it is refused, with fewer only these rows are.

    They hold for the rows that `load`, `clean` and `index` refuse together.

    A source is refused if its refused rows exceed both `refused_rows` and `refused_share`; or if there are at least
    `at_least` with the same reason in the same column on more than `systemic_share` of the rows (the contract does not
    fit), or with damage to quotes, encoding or line ends on more than `structural_share`; or if they are more than half
    of all rows; or if the header stands in it again more than `repeated_headers` times. A refused record of several
    lines counts by its lines. A field with more than `field_line_ends` line ends is refused, since a stray quote may
    have opened it; with 0, each line is a record of its own. `stored_rows` ends the count early. A packed file may
    unpack to at most `unpacked_bytes`, and to `unpacked_times` its size.
    """

    refused_rows: int = Field(default=20, ge=0)
    refused_share: float = Field(default=0.005, ge=0, le=1)
    systemic_share: float = Field(default=0.05, ge=0, le=1)
    structural_share: float = Field(default=0.001, ge=0, le=1)
    at_least: int = Field(default=10, ge=0)
    stored_rows: int = Field(default=100_000, ge=0)
    repeated_headers: int = Field(default=0, ge=0)
    field_bytes: int = Field(default=65_536, ge=1, le=1_048_576)
    """The longest field; a row with a longer one is refused."""
    field_line_ends: int = Field(default=50, ge=0, le=1000)
    unpacked_bytes: int = Field(default=64_000_000_000, ge=1)
    unpacked_times: int = Field(default=200, ge=1)
