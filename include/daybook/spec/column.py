"""The part of a spec about columns: how each is written, its name, its kind and its rules."""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.format import check_clock_format, check_format, check_instant_format
from daybook.spec.value import Name
from daybook.spec.writing import (
    NUMBERS,
    Kind,
    Writing,
    check_kind,
    check_moments,
)

# The rules that compare; what they compare with has to be a value of these kinds.
COMPARED = {"minimum": NUMBERS, "maximum": NUMBERS, "allowed": ("text", *NUMBERS), "pattern": ("text",)}


class Column(Writing):
    """One column of a table or a file: how it is written there (`header`), its name here, its kind, its rules.

    `position` (the first is 1) is for a column of a file that has no name of its own there, because the name is empty,
    stands twice, or there is no header line: `text("city", position=3)`. Then `header` is only what messages call it.
    `digits` (in all) and `scale` (after the point) are for decimals; `format` (strptime) for dates and timestamps, and
    for an integer that is written as a clock time, and is the seconds since midnight;
    `true_tokens` and `false_tokens` for booleans; "" is an empty field. If `null_tokens` is None, those of the source
    apply. A number with more than `scale` digits after the point is refused, even if they are zeros: 2.000 may be two
    thousand. With `extra_zeros="ignore"` zeros are no digits, so 2.000 is two, in an integer too.
    `clean` refuses a row that breaks a rule (`is_required`, `minimum`, `maximum`, `allowed`, `pattern`). A number is
    compared exactly, however fine the rule is.
    """

    added_later: ClassVar[frozenset[str]] = frozenset(
        {"position", "aliases", "missing_day", "date_column", "starts_at", "width"}
    )
    for_readers: ClassVar[frozenset[str]] = frozenset({"description", "unit"})

    header: str
    name: Name
    kind: Kind
    position: int | None = Field(default=None, ge=1, le=10_000)
    aliases: tuple[str, ...] = ()
    """Other headers that the column has, or had at other times; a file with two of them is refused."""
    starts_at: int | None = Field(default=None, ge=1, le=100_000)
    """In a file of fixed width: its first character in a line, which has number 1; if left out, it follows the column
    before it."""
    width: int | None = Field(default=None, ge=1, le=10_000)
    """In a file of fixed width: how many characters it has, with the blanks that fill it up."""
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
    description: str = ""
    """One line for readers: what it means."""
    unit: str = ""
    """What its numbers are counted in, for readers, such as "min" or "EUR"."""

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
        if format is not None and kind == "integer":
            check_clock_format(format)
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
        check_kind(self, self.kind, f"Column {self.name!r}", is_clock=self.is_clock)
        check_moments(self, self.format or "", f"Column {self.name!r}")
        if self.date_column and self.kind != "timestamp":
            raise BadSpec(
                f"Column {self.name!r}, date_column: {self.date_column!r} is refused: the column is {self.kind}; "
                "date_column is for timestamp"
            )
        return self

    @property
    def is_clock(self) -> bool:
        """Return whether its values are written as clock times, and are seconds since midnight."""
        return self.kind == "integer" and self.format is not None

    @property
    def headers(self) -> set[str]:
        """Return all the names that the column may have in a header."""
        return {self.header, *self.aliases}


class Span(NamedTuple):
    """A column of fixed width: its first character in a line (the first of all is 0), and the one after its last."""

    start: int
    end: int
    column: Column


def spans(columns: Sequence[Column]) -> list[Span]:
    """Return where columns stand, in their order in a line: each at its `starts_at`, or after the one before it."""
    found, end = list[Span](), 0
    for column in columns:
        start = column.starts_at - 1 if column.starts_at else end
        end = start + (column.width or 0)
        found.append(Span(start, end, column))
    return sorted(found, key=lambda span: span.start)


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


CLOCK_UNIT = "s since midnight"


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


def clock_time(header: str, name: str | None = None, *, format: str = "%H:%M", **words: Any) -> Column:
    """Return a column of clock times without a date: whole numbers of seconds since midnight, so 07:45 is 27900.

    With `hour_24="next_day"` 24:00 is 86400. %I needs %p, as in "%I:%M %p"; %-H may have no zero.
    """
    return _column("integer", header, name, {"format": format, "unit": CLOCK_UNIT, **words})


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
