"""The part of a spec about the layout of a file: how it is written, and how much of it may be wrong."""

import codecs
import re
from typing import ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.value import Value

# What Python calls encodings and no file is in.
NO_TEXT = {
    "idna": "names of hosts",
    "punycode": "names of hosts",
    "unicode-escape": "Python's literals",
    "raw-unicode-escape": "Python's literals",
}


# The groups of a footer's pattern: what it counts.
COUNTED = ("rows", "lines")
# The words of a form that say something about a format; CSV has all but the last ones.
OF_ALL = frozenset({"format", "extra_columns", "are_control_bytes_kept", "may_be_empty"})
OF_OTHERS = {
    "json_lines": OF_ALL | {"compression", "may_lack_keys"},
    "parquet": OF_ALL,
    "xlsx": OF_ALL | {"sheet", "header_line", "lines_below_header", "footer_lines"},
}
NOT_OF_CSV = frozenset({"sheet", "may_lack_keys"})


class Form(Value):
    """How a file is written, if not in UTF-8 with line feeds and a header on line 1.

    Lines before `header_line` are skipped. With `header_line=0` there is no header, and the first line is a row: the
    columns stand in the order of the spec, or each at its `position`. `extra_columns`: what to do about columns that
    the contract does not name. A last line without a line end may be cut, so it is refused unless
    `is_last_line_end_needed` is False. A file whose bytes beyond ASCII are all UTF-8 is refused if another encoding is
    declared, unless `is_encoding_certain`. A file of 0 bytes is waited for, and refused in the end, unless it
    `may_be_empty`: then it is a file without rows.

    Lines that are no rows are counted with the dropped rows. A line that begins with the sign `comment` is one, where a
    record could begin; such lines are not counted for `header_line`. So are the `lines_below_header`, with units or a
    rule, and the footer: the last `footer_lines` that are not empty, or the last lines that match `footer`, a regular
    expression; with both, so many lines that match. A group of it, `(?P<rows>[0-9]+)`, is the number of rows that the
    file must have, or `(?P<lines>[0-9]+)` that of all its lines. A file without its footer, with another count, or with
    a row in its place is refused: it may be cut.

    A file of another `format` is read by the same contract: its columns by the names of its schema, by the keys of each
    object, or by the cells of its header row. `header_line`, `lines_below_header` and `footer_lines` are rows of a
    sheet. A word that says nothing about the format is refused. Values that have a type in the file, as numbers, dates
    and booleans do, are taken as they are; a text is read as one of CSV is.
    """

    added_later: ClassVar[frozenset[str]] = frozenset(
        {"lines_below_header", "comment", "footer_lines", "footer", "format", "sheet", "may_lack_keys"}
        | {"quote", "escape", "may_end_early", "has_blanks_after_delimiter", "is_fixed_width"}
    )

    format: Literal["csv", "json_lines", "parquet", "xlsx"] = "csv"
    """What the file is: CSV, an object of JSON on each line, Parquet, or a workbook of Excel."""
    sheet: str | None = Field(default=None, min_length=1, max_length=31)
    """The name of a workbook's sheet; if left out, there may be only one."""
    may_lack_keys: bool = False
    """Whether a file of JSON lines may have no row with the key of a column, as if each were null."""

    encoding: str = "utf-8"
    compression: Literal["none", "gzip", "zip"] = "none"
    """What it is packed with; a zip holds one file."""
    line_end: Literal["lf", "cr", "crcrlf"] = "lf"
    """How its lines end: with a line feed, a carriage return before it or not ("lf"), or two of them ("crcrlf", as if
    translated twice); or with a carriage return alone ("cr")."""
    header_line: int | Literal["find"] = 1
    """On which line the header is; 0: nowhere; "find": on the only one that has the names of all columns."""
    lines_below_header: int = Field(default=0, ge=0, le=10)
    """How many lines after the header are no rows, such as one of units."""
    comment: str = ""
    """The sign that a comment begins with, such as "#"."""
    footer_lines: int = Field(default=0, ge=0, le=100)
    footer: str | None = None
    extra_columns: Literal["refuse", "ignore"] = "refuse"
    is_fixed_width: bool = False
    """Whether columns have widths and no delimiter: each says its own, in characters of the text and not in bytes.
    Blanks that fill a column up are no part of its value: after a text, and round all others. There are no quotes, and
    no names: `header_line` says which line to skip up to, and 0 that there is none."""
    has_trailing_delimiter: bool = False
    """Whether each line ends with one more delimiter."""
    may_end_early: bool = False
    """Whether empty fields may be left out at the end of a row, and the blanks at the end of one of fixed width."""
    quote: str | None = '"'
    """The sign that texts stand in; None: there is none, and a quote is a letter as any other."""
    escape: str | None = None
    """The sign before a quote, a delimiter or itself that makes it a letter, such as a backslash."""
    has_blanks_after_delimiter: bool = False
    """Whether blanks at the start of a field are no part of it, before a quote too."""
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

    @field_validator("header_line", mode="before")
    @classmethod
    def _is_a_line(cls, line: object) -> object:
        if line != "find" and not (isinstance(line, int) and 0 <= line <= 1000):
            raise ValueError("it takes the number of a line up to 1000, 0 if there is no header, or 'find'")
        return line

    @field_validator("quote", "escape")
    @classmethod
    def _is_one_sign(cls, sign: str | None) -> str | None:
        if sign is not None and not re.fullmatch(r"[!-/:-@\[-`{-~]", sign):
            raise ValueError("it takes one sign of ASCII that is no letter, digit or blank, or None")
        return sign

    @field_validator("may_end_early")
    @classmethod
    def _has_no_last_delimiter(cls, may_end_early: bool, others: ValidationInfo) -> bool:
        if may_end_early and others.data.get("has_trailing_delimiter"):
            raise ValueError("with has_trailing_delimiter nobody knows which delimiter is the last one")
        return may_end_early

    @field_validator("lines_below_header")
    @classmethod
    def _is_below_a_header(cls, lines: int, others: ValidationInfo) -> int:
        if lines and others.data.get("header_line") == 0:
            raise ValueError("there is no header (header_line=0) that they could be below")
        return lines

    @field_validator("comment")
    @classmethod
    def _is_a_sign(cls, comment: str) -> str:
        if comment and not re.fullmatch(r"[!-/:-@\[-`{-~][!-~]{0,7}", comment):
            raise ValueError("a comment begins with a sign of ASCII that is no letter, digit or blank, such as '#'")
        return comment

    @field_validator("footer")
    @classmethod
    def _is_a_pattern(cls, footer: str | None) -> str | None:
        if footer is None:
            return None
        try:
            found = re.compile(footer)
            pc.match_substring_regex(pa.array([""]), footer)
        except (re.error, pa.ArrowInvalid) as error:
            raise ValueError(f"not a regular expression whose time is linear in the text ({error})") from None
        if found.fullmatch(""):
            raise ValueError("it matches an empty line")
        if found.groupindex.keys() - {*COUNTED} or len(found.groupindex) > 1:
            raise ValueError("its named group is (?P<rows>…), the number of rows, or (?P<lines>…), that of all lines")
        return footer

    @model_validator(mode="after")
    def _words_are_of_its_format(self) -> Self:
        known = {"csv": type(self).model_fields.keys() - NOT_OF_CSV, **OF_OTHERS}
        for word, field in type(self).model_fields.items():
            if word not in known[self.format] and (value := getattr(self, word)) != field.default:
                others = " and ".join(name for name, words in known.items() if word in words)
                raise BadSpec(
                    f"Form, {word}: {value!r} is refused: it is for {others}, and the format is {self.format!r}; leave "
                    "it out, or declare another format"
                )
        return self

    @model_validator(mode="after")
    def _is_fixed_or_delimited(self) -> Self:
        if not self.is_fixed_width:
            return self
        if "header_line" not in self.model_fields_set or self.header_line == "find":
            raise BadSpec(
                "Form, header_line: is missing: with is_fixed_width no names tell whether the first line is a row; it "
                "takes 0 if there is no header, or the line to skip up to"
            )
        for word in ("escape", "has_blanks_after_delimiter", "has_trailing_delimiter"):
            if getattr(self, word):
                raise BadSpec(f"Form, {word}: {getattr(self, word)!r} is refused: is_fixed_width has no place for it")
        if self.quote not in (None, Form.model_fields["quote"].default):
            raise BadSpec(f"Form, quote: {self.quote!r} is refused: is_fixed_width: quotes are letters there")
        return self

    @property
    def has_names(self) -> bool:
        """Return whether a header has the names of the columns."""
        return self.header_line != 0 and not self.is_fixed_width

    @property
    def has_footer(self) -> bool:
        """Return whether the last lines are no rows."""
        return bool(self.footer_lines or self.footer)


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
