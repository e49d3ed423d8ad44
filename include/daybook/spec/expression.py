"""Expressions over the columns of the facts: frozen values that say what to compute, as one writes it in Python.

    col("price") * (1 - col("discount"))

An expression computes nothing itself. `kinds.py` checks it against the columns when the spec is built, and
rules/evaluate.py computes it exactly.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from daybook.errors import BadSpec
from daybook.spec import literal
from daybook.spec.literal import Plain
from daybook.spec.written import written


@dataclass(frozen=True, eq=False, repr=False)
class Expression:
    """Something to compute for each row: an operator, the expressions that it is `of`, and its own words.

    Made by `col`, `lit` and `when`, and by the operators and methods of another expression. `==` makes an expression
    too; `equals` tells whether two of them are the same.
    """

    operator: str
    of: tuple["Expression", ...] = ()
    words: tuple[Plain, ...] = ()

    def dump(self) -> list[Any]:
        """Return it as lists and texts that are the same in each process, for a fingerprint."""
        words = [[type(word).__name__, str(word)] for word in self.words]
        return [self.operator, [one.dump() for one in self.of], words]

    def equals(self, other: object) -> bool:
        """Return whether another value is the same expression."""
        return isinstance(other, Expression) and self.dump() == other.dump()

    def names(self) -> tuple[str, ...]:
        """Return the names of the columns that it needs, each once, in the order in which they are written."""
        own = [str(self.words[0])] if self.operator == "column" else []
        return tuple(dict.fromkeys([*own, *(name for one in self.of for name in one.names())]))

    def operators(self) -> frozenset[str]:
        """Return the operators in it."""
        return frozenset({self.operator}).union(*(one.operators() for one in self.of))

    def refused_divisors(self) -> tuple[str, ...]:
        """Return the names of the columns in divisors of which a zero is refused, each once."""
        own = self.of[1].names() if self.operator == "divided_by" and "refuse" in self.words else ()
        return tuple(dict.fromkeys([*own, *(name for one in self.of for name in one.refused_divisors())]))

    def __repr__(self) -> str:
        return written(self)

    # As == makes an expression, a set or a dict can only know one by what it is, not by what it says.
    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise BadSpec(
            f"{self!r} has no truth of its own: it is computed for each row; write & for `and`, | for `or`, ~ for "
            "`not`, .is_in(…) for `in`, and (a < b) & (b < c) for a < b < c"
        )

    # Arithmetic: of integers and decimals; + also of texts, + and - also of dates and days.

    def __add__(self, other: Any) -> "Expression":
        return _of("+", self, other)

    def __radd__(self, other: Any) -> "Expression":
        return _of("+", other, self)

    def __sub__(self, other: Any) -> "Expression":
        return _of("-", self, other)

    def __rsub__(self, other: Any) -> "Expression":
        return _of("-", other, self)

    def __mul__(self, other: Any) -> "Expression":
        return _of("*", self, other)

    def __rmul__(self, other: Any) -> "Expression":
        return _of("*", other, self)

    def __neg__(self) -> "Expression":
        return _of("negate", self)

    def __abs__(self) -> "Expression":
        return _of("abs", self)

    def __round__(self, scale: int = 0) -> "Expression":
        return self.round(scale)

    def __truediv__(self, other: Any) -> NoReturn:
        raise BadSpec(
            f"{self!r} / {as_expression(other)!r}: a division needs a scale; write .divided_by(…, scale=4, "
            'by_zero="nothing")'
        )

    __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __truediv__

    def divided_by(self, other: Any, *, scale: int, by_zero: Literal["nothing", "refuse"]) -> "Expression":
        """Return the quotient with `scale` digits after the point, half away from zero.

        by_zero: a division by zero gives "nothing"; or refuses the row, in a derived column and a rule, or the day, in
        a measure.
        """
        if by_zero not in ("nothing", "refuse"):
            raise BadSpec(f'divided_by, by_zero: {by_zero!r} is refused: it takes "nothing" or "refuse"')
        return _of("divided_by", self, other, words=(literal.scale("divided_by", scale), by_zero))

    def round(self, scale: int = 0) -> "Expression":
        """Return the number with `scale` digits after the point, half away from zero; with 0 it is an integer."""
        return _of("round", self, words=(literal.scale("round", scale),))

    # Comparison: empty if a side is empty.

    def __eq__(self, other: Any) -> "Expression":  # type: ignore[override]
        return _of("==", self, other)

    def __ne__(self, other: Any) -> "Expression":  # type: ignore[override]
        return _of("!=", self, other)

    def __lt__(self, other: Any) -> "Expression":
        return _of("<", self, other)

    def __le__(self, other: Any) -> "Expression":
        return _of("<=", self, other)

    def __gt__(self, other: Any) -> "Expression":
        return _of(">", self, other)

    def __ge__(self, other: Any) -> "Expression":
        return _of(">=", self, other)

    def is_in(self, *values: Any) -> "Expression":
        """Return whether it is one of some values; empty if it is empty."""
        listed = [one for value in values for one in (value if isinstance(value, list | tuple | set) else [value])]
        are_values = all(value is not None and as_expression(value).operator == "literal" for value in listed)
        if not listed or not are_values:
            raise BadSpec(f"{self!r}.is_in: it takes one or more values; for a column, write ==; for nothing, is_null")
        # A set has no order of its own.
        ordered = sorted(listed, key=repr) if any(isinstance(value, set) for value in values) else listed
        return _of("is_in", self, *ordered)

    # Logic: true, false or empty, as in SQL.

    def __and__(self, other: Any) -> "Expression":
        return _of("&", self, other)

    def __rand__(self, other: Any) -> "Expression":
        return _of("&", other, self)

    def __or__(self, other: Any) -> "Expression":
        return _of("|", self, other)

    def __ror__(self, other: Any) -> "Expression":
        return _of("|", other, self)

    def __invert__(self) -> "Expression":
        return _of("~", self)

    def is_null(self) -> "Expression":
        """Return whether it is empty."""
        return _of("is_null", self)

    def fill(self, other: Any) -> "Expression":
        """Return it or, if it is empty, another value."""
        return _of("fill", self, other)

    # Parts of dates, and the local day and hour of instants.

    def year(self) -> "Expression":
        """Return the year of a date."""
        return _of("year", self)

    def quarter(self) -> "Expression":
        """Return the quarter of a date, 1 to 4."""
        return _of("quarter", self)

    def month(self) -> "Expression":
        """Return the month of a date, 1 to 12."""
        return _of("month", self)

    def day_of_month(self) -> "Expression":
        """Return the day of the month of a date, 1 to 31."""
        return _of("day_of_month", self)

    def weekday(self) -> "Expression":
        """Return the day of the week of a date, 1 for Monday to 7 for Sunday (ISO 8601)."""
        return _of("weekday", self)

    def iso_week(self) -> "Expression":
        """Return the week of a date, 1 to 53 (ISO 8601); it belongs to `iso_year`."""
        return _of("iso_week", self)

    def iso_year(self) -> "Expression":
        """Return the year that the week of a date belongs to (ISO 8601)."""
        return _of("iso_year", self)

    def first_of_month(self) -> "Expression":
        """Return the first day of the month of a date."""
        return _of("first_of_month", self)

    def local_date(self) -> "Expression":
        """Return the day of an instant, in the schedule's time zone."""
        return _of("local_date", self)

    def local_hour(self) -> "Expression":
        """Return the hour of an instant, 0 to 23, in the schedule's time zone."""
        return _of("local_hour", self)

    # Text, by characters (code points).

    def length(self) -> "Expression":
        """Return the number of characters of a text."""
        return _of("length", self)

    def slice(self, start: int, length: int | None = None) -> "Expression":
        """Return a part of a text: from character `start` on (the first is 0; -3 is the third from the end)."""
        if isinstance(start, bool) or not isinstance(start, int):
            raise BadSpec(f"slice, start: {start!r} is refused: it takes an integer")
        if length is not None and (isinstance(length, bool) or not isinstance(length, int) or length < 0):
            raise BadSpec(f"slice, length: {length!r} is refused: it takes an integer from 0, or nothing")
        return _of("slice", self, words=(start, length))

    def upper(self) -> "Expression":
        """Return a text in capitals, by Unicode's rules: "ß" becomes "SS"."""
        return _of("upper", self)

    def lower(self) -> "Expression":
        """Return a text in small letters, by Unicode's rules."""
        return _of("lower", self)

    def strip(self) -> "Expression":
        """Return a text without the white space at its ends."""
        return _of("strip", self)

    def starts_with(self, text: str) -> "Expression":
        """Return whether a text starts with another."""
        return _of("starts_with", self, words=(literal.text("starts_with", text),))

    def ends_with(self, text: str) -> "Expression":
        """Return whether a text ends with another."""
        return _of("ends_with", self, words=(literal.text("ends_with", text),))

    def contains(self, text: str) -> "Expression":
        """Return whether a text has another in it; no pattern, but plain text."""
        return _of("contains", self, words=(literal.text("contains", text),))

    def replace(self, old: str, new: str) -> "Expression":
        """Return a text with another for each place of `old`; no pattern, but plain text."""
        return _of(
            "replace", self, words=(literal.text("replace", old), literal.text("replace", new, may_be_empty=True))
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        dumped = core_schema.plain_serializer_function_ser_schema(cls.dump)
        return core_schema.is_instance_schema(cls, serialization=dumped)


def col(name: str) -> Expression:
    """Return the value of a column of the facts, or of a derived one before it."""
    if not isinstance(name, str):
        raise BadSpec(f"col({name!r}) is refused: it takes the name of a column")
    return Expression("column", words=(name,))


def instant(text: str) -> Expression:
    """Return an instant, as in instant("2013-01-01T00:00:00Z"), that is the same for each row.

    text: in ISO 8601, with its zone. Raises BadSpec.
    """
    return as_expression(literal.instant(text))


def lit(value: bool | int | Decimal | str | date | Expression) -> Expression:
    """Return a value that is the same for each row; beside an expression, the value alone does."""
    if value is None:
        raise BadSpec("lit(None) is refused: write None where `then` or `otherwise` takes it")
    return as_expression(value)


def _of(operator: str, *of: Any, words: tuple[Plain, ...] = ()) -> Expression:
    return Expression(operator, tuple(map(as_expression, of)), words)


def as_expression(value: Any) -> Expression:
    """Return an expression, or a value as one. Raises BadSpec if it is neither."""
    if isinstance(value, Expression):
        return value
    if why := literal.why_refused(value):
        raise BadSpec(f"{value!r} in an expression is refused: {why}")
    # Equal instants are the same expression, wherever they were written.
    return Expression("literal", words=(literal.in_utc(value) if isinstance(value, datetime) else value,))
