"""How values are written: words that a source has for all of its columns, and a column for itself."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from daybook.errors import BadSpec
from daybook.spec.format import problem_of_fraction, tells, tells_of_utc
from daybook.spec.value import Value
from daybook.spec.zones import known_zone

Kind = Literal["text", "integer", "decimal", "date", "timestamp", "boolean"]
NUMBERS: tuple[Kind, ...] = ("integer", "decimal")
# The kinds of column that each word is for. An integer has no digits after a point, and an exponent has lost its last
# digits, so those words are for decimals.
WORDS: dict[str, tuple[Kind, ...]] = {
    "decimal_mark": (*NUMBERS, "date", "timestamp"),
    "thousands_mark": NUMBERS,
    "are_marks_quoted": NUMBERS,
    "units": NUMBERS,
    "percent": ("decimal",),
    "negatives": NUMBERS,
    "bare_points": ("decimal",),
    "exponents": ("decimal",),
    "is_trimmed": ("text", "integer", "decimal", "date", "timestamp", "boolean"),
    "formulas": ("text", *NUMBERS, "date", "timestamp"),
    "pivot_year": ("date", "timestamp"),
    "hour_24": ("timestamp",),
    "missing_fraction": ("timestamp",),
    "long_fraction": ("timestamp",),
    "time_zone": ("timestamp",),
    "repeated_hour": ("timestamp",),
    "skipped_hour": ("timestamp",),
}
# Those for a clock time, which is an integer of seconds.
OF_CLOCK_TIMES = ("is_trimmed", "formulas", "hour_24")
# They say what a local time means, wherever it comes from; the others are about a spelling.
OF_LOCAL_TIMES = ("time_zone", "repeated_hour", "skipped_hour")
DECIMAL_MARKS = r"[.,;:'_|/]"
THOUSANDS_MARKS = (".", ",", "'", "\u2019", " ", "\u00a0", "\u202f", "_")


class Writing(Value):
    """How the values of a column are written, if not plainly; on a source, how those of all its columns are.

    A column's own word goes before its source's, which holds for the columns of the kinds that the word is for. A
    number is plain if it has a point before its decimals, no other marks, and its sign before it. Whatever is not
    written as declared is refused; nothing is guessed.
    """

    added_later: ClassVar[frozenset[str]] = frozenset(WORDS)

    decimal_mark: str | None = None
    """What stands before the decimals of a number, or of a date that is one: a sign such as ",", or else a point."""
    thousands_mark: str | None = None
    """What may stand between groups of three digits: a point, a comma, an apostrophe (straight or curly), "_", a blank,
    or one that does not break (U+00A0, U+202F). Other groups are refused."""
    are_marks_quoted: bool | None = None
    """Whether numbers stand in quotes, so that a mark may be the delimiter, as in "1,234.56"."""
    units: tuple[str, ...] | None = None
    """What may stand before or after a number, one of them, and is taken off, such as ("€", "EUR")."""
    percent: Literal["divide", "keep"] | None = None
    """What a percent sign does: "divide" makes 12.5% into 0.125, exactly, and refuses a number without the sign; "keep"
    makes it into 12.5."""
    negatives: tuple[Literal["trailing", "parentheses"], ...] | None = None
    """How a number may be negative, beside a minus before it: "trailing" is 12.50-, "parentheses" is (12.50)."""
    bare_points: Literal["refuse", "read"] | None = None
    """What happens to .5 and 5. without a digit on one side."""
    exponents: Literal["refuse", "read"] | None = None
    """What happens to 1.2e-05; it is read exactly, and has to fit the digits and the scale."""
    formulas: Literal["keep", "read"] | None = None
    """What happens to ="0012", as spreadsheets are made to keep zeros; read, it is 0012. It stands in quotes, its own
    doubled, or bare: if a column reads formulas, a bare one is a field in all columns, and else a wrong quote."""
    pivot_year: int | None = Field(default=None, ge=1000, le=9900)
    """The first of the hundred years that two digits mean: with 1930, 29 is 2029 and 30 is 1930; 1969 if left out."""
    hour_24: Literal["refuse", "next_day"] | None = None
    """What happens to 24:00; it may be the next day's 00:00."""
    missing_fraction: Literal["refuse", "zero"] | None = None
    """What happens to a time without a fraction of a second and the sign before it, if the format has them."""
    long_fraction: Literal["refuse", "cut"] | None = None
    """What happens to a fraction of 7 to 9 digits; it may be cut to microseconds."""
    time_zone: str | None = None
    """The zone of local times (an IANA name), which have no offset; UTC if left out."""
    repeated_hour: Literal["refuse", "first", "second"] | None = None
    """Which one a time is that comes twice, where the clock goes back."""
    skipped_hour: Literal["refuse", "shift"] | None = None
    """What happens to a time that is left out, where the clock goes forward; "shift" reads it as if the clock had not
    changed: 02:30 is 03:30."""

    is_trimmed: bool | None = None
    """Whether blanks, tabs and blanks that do not break (U+00A0 and the like) around a value are no part of it. A field
    without quotes that holds nothing else is empty."""

    @field_validator("decimal_mark")
    @classmethod
    def _is_a_sign(cls, mark: str | None) -> str | None:
        if mark is not None and not re.fullmatch(DECIMAL_MARKS, mark):
            raise ValueError("a decimal mark is one sign, such as ',' or '.'")
        return mark

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str | None) -> str | None:
        return name and known_zone(name)

    @field_validator("thousands_mark")
    @classmethod
    def _is_a_known_mark(cls, mark: str | None) -> str | None:
        if mark is not None and mark not in THOUSANDS_MARKS:
            raise ValueError(f"a thousands mark is one of {', '.join(map(ascii, THOUSANDS_MARKS))}")
        return mark

    @field_validator("units")
    @classmethod
    def _are_no_numbers(cls, units: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for unit in units or ():
            if unit.strip() != unit or not unit or re.search(r'[0-9+\-()"%\x00-\x1f\x7f]', unit):
                raise ValueError(
                    f"{unit!r}: a unit has no digits, signs, parentheses, quotes or blanks round it"
                    + ("; a percent sign has a word of its own: percent" if "%" in unit else "")
                )
        return units


def said(words: Writing) -> dict[str, Any]:
    """Return the words about writing that a column or a source has, with their values."""
    return {word: value for word in WORDS if (value := getattr(words, word)) is not None}


def is_for(word: str, kind: Kind, *, is_clock: bool) -> bool:
    """Return whether a word about writing is for columns of a kind. is_clock: for those of clock times."""
    return word in OF_CLOCK_TIMES if is_clock else kind in WORDS[word]


def check_kind(words: Writing, kind: Kind, where: str, *, is_clock: bool) -> None:
    """Check that a column's own words are for its kind. Raises BadSpec."""
    for word, value in said(words).items():
        if is_clock and not is_for(word, kind, is_clock=True):
            raise BadSpec(
                f"{where}, {word}: {value!r} is refused: the column is a clock time; its words are "
                f"{', '.join(OF_CLOCK_TIMES)}"
            )
        if not is_for(word, kind, is_clock=is_clock):
            raise BadSpec(
                f"{where}, {word}: {value!r} is refused: the column is {kind}; {word} is for "
                f"{' and '.join(WORDS[word])}{HINTS.get((word, kind), '')}"
            )


HINTS = {
    ("exponents", "integer"): ", since an exponent has lost digits: declare a decimal of scale 0",
    ("percent", "integer"): ": declare a decimal",
}


def check_marks(words: Writing, scale: int, delimiter: str, where: str) -> None:
    """Check that the words of a column, its source's among them, do not contradict each other. Raises BadSpec."""
    for word, value, problem in _contradictions(words, scale, delimiter):
        raise BadSpec(f"{where}, {word}: {value!r} is refused: {problem}")


def _contradictions(words: Writing, scale: int, delimiter: str) -> Iterator[tuple[str, Any, str]]:
    point, mark = words.decimal_mark or ".", words.thousands_mark
    if mark == point:
        yield "thousands_mark", mark, f"the decimal mark is {point!r} too; declare the other one: decimal_mark"
    for word, sign in (("decimal_mark", words.decimal_mark), ("thousands_mark", mark)):
        if sign == delimiter and not words.are_marks_quoted:
            yield (
                word,
                sign,
                "it is the delimiter too, and would end the field; if the numbers stand in quotes, declare "
                "are_marks_quoted=True",
            )
    if words.percent == "divide" and scale < 2:
        yield "percent", "divide", f"a hundredth has 2 more digits after the point, and the scale is {scale}"
    for unit in words.units or ():
        if unit in (point, mark):
            yield "units", words.units, f"{unit!r} is a mark of the number too"


def check_moments(words: Writing, format: str, where: str) -> None:
    """Check that a column's own words about dates say something about its format. Raises BadSpec."""
    for word, value, problem in _idle_words(words, format):
        raise BadSpec(f"{where}, {word}: {value!r} is refused: {problem}")


def _idle_words(words: Writing, format: str) -> Iterator[tuple[str, Any, str]]:
    for word, directive in (("pivot_year", "y"), ("hour_24", "H")):
        if (value := getattr(words, word)) and not tells(format, directive):
            yield word, value, f"the format {format!r} has no %{directive}"
    if words.time_zone and tells_of_utc(format):
        yield "time_zone", words.time_zone, f"the format {format!r} tells instants, so there is no local time"
    if words.missing_fraction or (words.long_fraction and format != "unix"):
        word = "missing_fraction" if words.missing_fraction else "long_fraction"
        if problem := problem_of_fraction(format):
            yield word, getattr(words, word), problem


def check_zone(words: Writing, where: str) -> None:
    """Check that a zone is declared if something is said about its hours. Raises BadSpec."""
    for word in OF_LOCAL_TIMES[1:]:
        if getattr(words, word) and not words.time_zone:
            raise BadSpec(
                f"{where}, {word}: {getattr(words, word)!r} is refused: it needs the time_zone of local times"
            )
