"""The part of a spec about input: columns, and the sources that have them (spec/table.py, spec/file.py)."""

import re
from collections.abc import Collection, Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.form import Form, Limits
from daybook.spec.format import check_format, check_instant_format, tells_of_utc
from daybook.spec.value import Name
from daybook.spec.writing import (
    NUMBERS,
    OF_LOCAL_TIMES,
    WORDS,
    Kind,
    Writing,
    check_kind,
    check_marks,
    check_moments,
    check_zone,
    said,
)
from daybook.text import nearest

Twins = Literal["keep", "drop", "refuse"]
# The rules that compare; what they compare with has to be a value of these kinds.
COMPARED = {"minimum": NUMBERS, "maximum": NUMBERS, "allowed": ("text", *NUMBERS), "pattern": ("text",)}


class Column(Writing):
    """One column of a table or a file: how it is written there (`header`), its name here, its kind, its rules.

    `position` (the first is 1) is for a column of a file that has no name of its own there, because the name is empty,
    stands twice, or there is no header line: `text("city", position=3)`. Then `header` is only what messages call it.
    `digits` (in all) and `scale` (after the point) are for decimals; `format` (strptime) for dates and timestamps;
    `true_tokens` and `false_tokens` for booleans; "" is an empty field. If `null_tokens` is None, those of the source
    apply. A number with more than `scale` digits after the point is refused, even if they are zeros: 2.000 may be two
    thousand. With `extra_zeros="ignore"` zeros are no digits, so 2.000 is two, in an integer too.
    `clean` refuses a row that breaks a rule (`is_required`, `minimum`, `maximum`, `allowed`, `pattern`). A number is
    compared exactly, however fine the rule is.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"position", "aliases", "missing_day", "date_column"})

    header: str
    name: Name
    kind: Kind
    position: int | None = Field(default=None, ge=1, le=10_000)
    aliases: tuple[str, ...] = ()
    """Other headers that the column has, or had at other times; a file with two of them is refused."""
    # 18 digits fit a 64-bit integer: the engines compute with decimals as integers in units of the last digit.
    digits: int = Field(default=18, ge=1, le=18)
    scale: int = Field(default=0, ge=0, le=18)
    extra_zeros: Literal["refuse", "ignore"] = "refuse"
    date_column: str | None = None
    """The column of a timestamp's date, by its name here, if the file has date and time in two columns: its text, a
    blank and this column's own are read by `format`. If either is missing, so is the timestamp."""
    missing_day: Literal["first", "last"] | None = None
    """Which day of the month is meant by a date that tells only year and month."""
    format: str | None = None
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
            check_format(format, others.data.get("missing_day"))
            if kind == "timestamp":
                check_instant_format(format)
        return format

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

    @model_validator(mode="after")
    def _words_are_for_its_kind(self) -> Self:
        check_kind(self, self.kind, f"Column {self.name!r}")
        check_moments(self, self.format or "", f"Column {self.name!r}")
        if self.date_column and self.kind != "timestamp":
            raise BadSpec(
                f"Column {self.name!r}, date_column: {self.date_column!r} is refused: the column is {self.kind}; "
                "date_column is for timestamp"
            )
        return self

    @property
    def headers(self) -> set[str]:
        """Return all the names that the column may have in a header."""
        return {self.header, *self.aliases}


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
    """Return a column of dates written in one format; %-d and %-m may have no zero, "excel" is a number of days."""
    return _column("date", header, name, {"format": format, **words})


def timestamp(header: str, name: str | None = None, *, format: str = "%Y-%m-%d %H:%M:%S", **words: Any) -> Column:
    """Return a column of instants. A format without %z is of UTC, or of the `time_zone` of the column or its source.

    It may say UTC with a literal Z, UTC or +00. "unix" is a number of seconds, "unix_ms" of milliseconds since 1970 in
    UTC, and "excel" one of days, to the nearest millisecond.
    """
    return _column("timestamp", header, name, {"format": format, **words})


def boolean(header: str, name: str | None = None, **words: Any) -> Column:
    """Return a column of yes or no, spelled as in `true_tokens` and `false_tokens`."""
    return _column("boolean", header, name, words)


class Source(Writing):
    """Rows from elsewhere: a name, the id of an Airflow connection, columns, and their unique key.

    `null_tokens` are the spellings of a missing value; an empty unquoted field is one too, and no other text is.
    `twins`: what to do about equal rows. Rows are equal if their whole records are, as they came: with the columns that
    the contract ignores, and with what is finer than a type. "keep": each is a row. "drop": all but the first are
    dropped. "refuse": all of them are refused. The default is "keep" without a key, and "drop" with one, because two
    equal rows of one key are one row that was delivered twice.
    """

    # A table's values have types; a file's are written, and its columns stand at places.
    is_written: ClassVar[bool] = True
    added_later: ClassVar[frozenset[str]] = frozenset({"has_other_days"})

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
    has_other_days: bool = False
    """Whether the facts come with rows of other days, as a month in a file: these are dropped, and count as other_day
    and not as refused, so that no limit holds for them."""

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

    @model_validator(mode="after")
    def _dates_are_there(self) -> Self:
        known = [column.name for column in self.columns if column.kind in ("date", "text")]
        for column in self.columns:
            if column.date_column and column.date_column not in known:
                raise BadSpec(
                    f"{type(self).__name__} {self.name!r}, column {column.name!r}, date_column: {column.date_column!r} "
                    f"is refused: it takes a column of the kind date or text{nearest(column.date_column, known)}"
                )
        return self

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        for column in map(self.as_written, self.columns) if self.is_written else ():
            where = f"{type(self).__name__} {self.name!r}, column {column.name!r}"
            check_marks(column, column.scale, self.delimiter, where)
        for column in map(self.as_written, self.columns):
            check_zone(column, f"{type(self).__name__} {self.name!r}, column {column.name!r}")
        return self

    def as_written(self, column: Column) -> Column:
        """Return a column with the words of this source about how it is written, if it has none of its own."""
        words = {word: value for word, value in said(self).items() if column.kind in WORDS[word]}
        if column.format and tells_of_utc(column.format):
            words = {word: value for word, value in words.items() if word not in OF_LOCAL_TIMES}
        return column.model_copy(update=words | said(column)) if words else column

    @model_validator(mode="after")
    def _places_are_clear(self) -> Self:
        if problem := next(chain(_problems_of_places(self), _problems_of_form(self)), None):
            raise BadSpec(f"{type(self).__name__} {self.name!r}, {problem}")
        return self

    @property
    def placed(self) -> list[tuple[int, Column]]:
        """Return the columns that are found by their place, from 1 on; all others are found by their names.

        Without a header line these are all: a column without a `position` follows the one before it.
        """
        placed: list[tuple[int, Column]] = []
        for column in self.columns:
            if column.position or self.form.header_line == 0:
                placed.append((column.position or (placed[-1][0] + 1 if placed else 1), column))
        return placed

    @property
    def named(self) -> list[Column]:
        """Return the columns that are found by their names in the header."""
        return [column for column in self.columns if not column.position and self.form.header_line != 0]

    def are_all_in(self, names: Collection[str]) -> bool:
        """Return whether these names of a header have each column that is found by its name."""
        return all(not column.headers.isdisjoint(names) for column in self.named)

    @field_validator("delimiter")
    @classmethod
    def _is_a_delimiter(cls, delimiter: str) -> str:
        if not re.fullmatch(r"(?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]){1,8}", delimiter):
            raise ValueError(
                "a delimiter is one byte of ASCII or up to eight, none a letter, digit, quote or line end, such as ';'"
            )
        return delimiter

    def column(self, name: str) -> Column | None:
        """Return the column of that name (the name here, not the header), or None."""
        return next((column for column in self.columns if column.name == name), None)

    def tokens(self, column: Column) -> tuple[str, ...]:
        """Return the spellings of a missing value in this column."""
        return self.null_tokens if column.null_tokens is None else column.null_tokens


def _problems_of_places(source: Source) -> Iterator[str]:
    taken = dict[int, Column]()
    for place, column in source.placed:
        if not source.is_written:
            yield f"column {column.name!r}, position: {place} is refused: a table's columns have names"
        if place in taken:
            yield (
                f"column {column.name!r}, position: {place} is refused: column {taken[place].name!r} stands there; "
                "give each column a place of its own"
            )
        taken[place] = column
    gaps = [place for place in range(1, max(taken, default=0)) if place not in taken]
    if gaps and source.form.header_line == 0 and source.form.extra_columns == "refuse":
        yield (
            f"column {taken[max(taken)].name!r}, position: {max(taken)} is refused: no column stands at {gaps[0]}; "
            'declare one, or extra_columns="ignore"'
        )


def _problems_of_form(source: Source) -> Iterator[str]:
    form, delimiter = source.form, source.delimiter
    if not source.is_written:
        used = [word for word in form.added_later | {"header_line"} if getattr(form, word) != getattr(Form(), word)]
        yield from (f"form.{word}: is refused: it is for files, and Daybook copies a table itself" for word in used)
    if form.header_line == "find" and not source.named:
        yield "form.header_line: 'find' is refused: every column has a position, so no name tells which line it is"
    seen = dict[str, Column]()
    for column in source.columns:
        if column.aliases and (not source.is_written or column not in source.named):
            yield f"column {column.name!r}, aliases: {column.aliases!r} is refused: no header names the column here"
        for name in dict.fromkeys([column.header, *column.aliases]):
            if (other := seen.setdefault(name, column)) is not column and (column.aliases or other.aliases):
                yield f"column {column.name!r}, aliases: {name!r} is refused: column {other.name!r} has that name too"
    for word, sign in (("quote", form.quote), ("escape", form.escape)):
        if sign and (sign in delimiter or delimiter in sign):
            yield f"form.{word}: {sign!r} is refused: the delimiter is {delimiter!r}; it takes another sign"
    if form.escape and form.escape == form.quote:
        yield f"form.escape: {form.escape!r} is refused: it is the quote; two quotes are one without a word"
    if form.escape and len(delimiter) > 1:
        yield f"form.escape: {form.escape!r} is refused: the delimiter has several bytes, and which would it escape?"
    if form.has_blanks_after_delimiter and delimiter.strip(" \t") != delimiter:
        yield f"form.has_blanks_after_delimiter: True is refused: the delimiter is a blank itself ({delimiter!r})"
    if form.comment and (form.comment[0] in (form.quote, form.escape) or form.comment.startswith(delimiter)):
        yield f"form.comment: {form.comment!r} is refused: a row may begin with it; it takes a sign of its own, as '#'"
    for column in source.named if form.comment else ():
        for name in (column.header, *column.aliases):
            if name.startswith(form.comment):
                yield f"form.comment: {form.comment!r} is refused: the header may begin with {name!r}"
