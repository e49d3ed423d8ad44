"""The part of a spec about input: columns, and the sources that have them (spec/table.py, spec/file.py)."""

import codecs
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.format import check_format, check_instant_format
from daybook.spec.time_zone import check_time_zone
from daybook.spec.value import Name, Value

Twins = Literal["keep", "drop", "refuse"]
Kind = Literal["text", "integer", "decimal", "date", "timestamp", "boolean"]
NUMBERS: tuple[Kind, ...] = ("integer", "decimal")
# The rules that compare; what they compare with has to be a value of these kinds.
COMPARED = {"minimum": NUMBERS, "maximum": NUMBERS, "allowed": ("text", *NUMBERS), "pattern": ("text",)}
# What Python calls encodings and no file is in.
NO_TEXT = {
    "idna": "names of hosts",
    "punycode": "names of hosts",
    "unicode-escape": "Python's literals",
    "raw-unicode-escape": "Python's literals",
}


class Column(Value):
    """One column of a table or a file: how it is written there (`header`), its name here, its kind, its rules.

    `digits` (in all) and `scale` (after the point) are for decimals; `format` (strptime) for dates and timestamps;
    `true_tokens` and `false_tokens` for booleans; "" is an empty field. If `null_tokens` is None, those of the source
    apply. A number with more than `scale` digits after the point is refused, even if they are zeros: 2.000 may be two
    thousand. With `extra_zeros="ignore"` zeros are no digits, so 2.000 is two, in an integer too.
    `clean` refuses a row that breaks a rule (`is_required`, `minimum`, `maximum`, `allowed`, `pattern`). A number is
    compared exactly, however fine the rule is.
    """

    header: str
    name: Name
    kind: Kind
    # 18 digits fit a 64-bit integer: the engines compute with decimals as integers in units of the last digit.
    digits: int = Field(default=18, ge=1, le=18)
    scale: int = Field(default=0, ge=0, le=18)
    extra_zeros: Literal["refuse", "ignore"] = "refuse"
    format: str | None = None
    time_zone: str | None = Field(None, exclude_if=lambda name: name is None)
    """The time zone of a table's timestamps without time zone, an IANA name; else they are of UTC."""
    true_tokens: tuple[str, ...] = ("true", "t")
    false_tokens: tuple[str, ...] = ("false", "f")
    null_tokens: tuple[str, ...] | None = None
    is_required: bool = False
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None
    allowed: tuple[str, ...] = ()
    pattern: str | None = None

    @field_validator("scale")
    @classmethod
    def _fits_its_digits(cls, scale: int, others: ValidationInfo) -> int:
        digits = others.data.get("digits")
        if digits is not None and scale > digits:
            raise ValueError(f"{scale} digits after the point are more than its {digits} digits in all")
        return scale

    @field_validator("pattern")
    @classmethod
    def _is_linear(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            # The engines use RE2 and Rust's regex, whose time is linear in the text; they refuse patterns that would
            # need more, such as a look-ahead. pandas uses Python's `re`, so the pattern must be valid there as well.
            try:
                re.compile(pattern)
                pc.match_substring_regex(pa.array([""]), pattern)
            except (re.error, pa.ArrowInvalid) as error:
                raise ValueError(f"not a regular expression that every engine knows ({error})") from None
        return pattern

    @field_validator("format")
    @classmethod
    def _tells_the_day(cls, format: str | None, others: ValidationInfo) -> str | None:
        kind = others.data.get("kind")
        if format is not None and kind in ("date", "timestamp"):
            check_format(format)
            if kind == "timestamp":
                check_instant_format(format)
        return format

    @field_validator("time_zone")
    @classmethod
    def _is_of_a_timestamp(cls, name: str | None, others: ValidationInfo) -> str | None:
        if name is not None and (kind := others.data.get("kind")) not in (None, "timestamp"):
            raise ValueError(f"the column is {kind}; time_zone is for timestamp")
        return name and check_time_zone(name)

    @field_validator("false_tokens")
    @classmethod
    def _differ(cls, tokens: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if both := [token for token in tokens if token in others.data.get("true_tokens", ())]:
            raise ValueError(f"{', '.join(map(repr, both))} is in true_tokens too: a value is either")
        return tokens

    @field_validator(*COMPARED)
    @classmethod
    def _fits_its_kind(cls, rule: Any, others: ValidationInfo) -> Any:
        word, kind = others.field_name or "", others.data.get("kind")
        if rule not in (None, ()) and kind is not None and kind not in COMPARED[word]:
            raise ValueError(f"the column is {kind}; {word} is for {' and '.join(COMPARED[word])}")
        for number in (rule,) if word in ("minimum", "maximum") else ():
            check_fits_64_bits(number, others.data.get("scale", 0))
        return rule

    @field_validator("allowed")
    @classmethod
    def _are_values(cls, allowed: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if others.data.get("kind") in NUMBERS:
            for text in allowed:
                _check_is_value(text, others.data.get("scale", 0))
        return allowed


def check_fits_64_bits(number: int | Decimal | None, scale: int) -> None:
    """Check that a rule's number is one that a column could hold. Raises ValueError."""
    if number is not None and abs(Fraction(number) * 10**scale) > 2**63 - 1:
        raise ValueError("it does not fit 64 bits, and no value can reach it")


def _check_is_value(text: str, scale: int) -> None:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}(?:\.[0-9]+)?", text) or Decimal(text) != round(Decimal(text), scale):
        raise ValueError(f"{text!r} is not a number with at most {scale} digits after the point: no value equals it")


def arrow_type(column: Column) -> pa.DataType:
    """Return the Arrow type of a column: exact decimals, days, instants in UTC to the microsecond."""
    match column.kind:
        case "integer":
            return pa.int64()
        case "decimal":
            return pa.decimal128(column.digits, column.scale)
        case "date":
            return pa.date32()
        case "timestamp":
            return pa.timestamp("us", "UTC")
        case "boolean":
            return pa.bool_()
    return pa.string()


def _column(kind: Kind, header: str, name: str | None, words: dict[str, Any]) -> Column:
    return Column(header=header, name=name or header, kind=kind, **words)


def text(header: str, name: str | None = None, **words: Any) -> Column:
    """Return a column of text, kept as written."""
    return _column("text", header, name, words)


def integer(header: str, name: str | None = None, **words: Any) -> Column:
    """Return a column of whole numbers that fit 64 bits."""
    return _column("integer", header, name, words)


def decimal(header: str, name: str | None = None, *, digits: int, scale: int, **words: Any) -> Column:
    """Return a column of exact decimals: `digits` in all, `scale` of them after the point; never rounded."""
    return _column("decimal", header, name, {"digits": digits, "scale": scale, **words})


def day_date(header: str, name: str | None = None, *, format: str = "%Y-%m-%d", **words: Any) -> Column:
    """Return a column of dates written in one format."""
    return _column("date", header, name, {"format": format, **words})


def timestamp(header: str, name: str | None = None, *, format: str = "%Y-%m-%d %H:%M:%S", **words: Any) -> Column:
    """Return a column of instants. A format without %z is of UTC; it may say so with a literal Z, UTC or +00."""
    return _column("timestamp", header, name, {"format": format, **words})


def boolean(header: str, name: str | None = None, **words: Any) -> Column:
    """Return a column of yes or no, spelled as in `true_tokens` and `false_tokens`."""
    return _column("boolean", header, name, words)


class Form(Value):
    """How a file is written, if not in UTF-8 with line feeds and a header on line 1.

    Lines before `header_line` are skipped. `extra_columns`: what to do about columns that the contract does not name.
    A last line without a line end may be cut, so it is refused unless `is_last_line_end_needed` is False. A file whose
    bytes beyond ASCII are all UTF-8 is refused if another encoding is declared, unless `is_encoding_certain`. A file of
    0 bytes is waited for, and refused in the end, unless it `may_be_empty`: then it is a file without rows.
    """

    encoding: str = "utf-8"
    compression: Literal["none", "gzip", "zip"] = "none"
    """What it is packed with; a zip holds one file."""
    line_end: Literal["lf", "cr"] = "lf"
    """How its lines end: with a line feed, a carriage return before it or not, or with a carriage return alone."""
    header_line: int = Field(default=1, ge=1, le=1000)
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


class Source(Value):
    """Rows from elsewhere: a name, the id of an Airflow connection, columns, and their unique key.

    `null_tokens` are the spellings of a missing value; an empty unquoted field is one too, and no other text is.
    `twins`: what to do about equal rows. Rows are equal if their whole records are, as they came: with the columns that
    the contract ignores, and with what is finer than a type. "keep": each is a row. "drop": all but the first are
    dropped. "refuse": all of them are refused. The default is "keep" without a key, and "drop" with one, because two
    equal rows of one key are one row that was delivered twice.
    """

    name: Name
    """Its name in this pipeline, as `facts` and lookups use it."""
    connection: str
    columns: tuple[Column, ...] = Field(min_length=1)
    key: tuple[str, ...] = ()
    null_tokens: tuple[str, ...] = ()
    delimiter: str = ","
    """What stands between two fields of a file: one byte."""
    form: Form = Form()
    """How its files are written."""
    limits: Limits = Limits()
    """How many of its rows may be refused."""
    twins: Twins | None = None

    @model_validator(mode="after")
    def _equal_rows_have_one_key(self) -> Self:
        if self.key and self.twins == "keep":
            raise BadSpec(
                f"{self.name}, twins: 'keep' is refused: the key {', '.join(self.key)} is unique, so equal rows cannot "
                "all stay; it takes 'drop' or 'refuse', or leave out the key"
            )
        return self

    @property
    def on_twins(self) -> Twins:
        """Return what to do about equal rows: the word of the spec, or its default."""
        return self.twins or ("drop" if self.key else "keep")

    @model_validator(mode="after")
    def _tokens_mean_one_thing(self) -> Self:
        for column in (column for column in self.columns if column.kind == "boolean"):
            if both := [token for token in self.tokens(column) if token in column.true_tokens + column.false_tokens]:
                raise BadSpec(
                    f"{type(self).__name__} {self.name!r}, column {column.name!r}: {', '.join(map(repr, both))} is in "
                    "null_tokens, and in true_tokens or false_tokens too: a field is either missing or a value"
                )
        return self

    @field_validator("delimiter")
    @classmethod
    def _is_one_byte(cls, delimiter: str) -> str:
        if not re.fullmatch(r"[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]", delimiter):
            raise ValueError("a delimiter is one byte that is no letter, digit, quote or line end, such as ';'")
        return delimiter

    def column(self, name: str) -> Column | None:
        """Return the column of that name (the name here, not the header), or None."""
        return next((column for column in self.columns if column.name == name), None)

    def tokens(self, column: Column) -> tuple[str, ...]:
        """Return the spellings of a missing value in this column."""
        return self.null_tokens if column.null_tokens is None else column.null_tokens
