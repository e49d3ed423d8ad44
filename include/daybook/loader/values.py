"""One field of a file to a value of its column's kind: the authority on values, one at a time.

Called by records.py for whole records, and by columns.py for the values that it cannot settle. Pure; imports only the
spec. A value that is not of its kind raises Unfit; nothing is guessed, rounded or filled.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from daybook.loader.numbers import as_declared, plainly
from daybook.spec import Column, said

# A number in its plain spelling. ASCII digits only: int() would also take "1_000" and Arabic digits.
INTEGER = re.compile("-?[0-9]+")
ZEROS = re.compile(r"\.0+$")
BLANKS = " \t"
# The blanks of Unicode (category Zs), among them those that do not break, and the tab.
TRIMMED = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
LOWEST_INTEGER, HIGHEST_INTEGER = -(2**63), 2**63 - 1
# strptime accepts one digit instead of two, and any run of blanks for one, so the shape is checked first.
SHAPES = {
    "Y": "[0-9]{4}",
    "f": "[0-9]{1,6}",
    "j": "(?P<day_of_year>[0-9]{3})",
    "z": "(?P<offset>Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
    "%": "%",
    **dict.fromkeys("mdHMSyI", "[0-9]{2}"),
    **dict.fromkeys("bBp", "[^0-9]+"),
}
# strftime does not write years below 1000 with four digits, and no supplier means them: 0026 is a typo for 2026.
FIRST_YEAR = 1000


class Unfit(Exception):
    """A value is not of its kind, or a record is malformed; `reason` never holds the value, `detail` may."""

    def __init__(self, reason: str, detail: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason
        self.detail = detail


def reader(column: Column, tokens: tuple[str, ...]) -> Callable[[str, bool], Any]:
    """Return a function (text, is_quoted) that parses a field into a value, or None if it is missing. It raises Unfit.

    Missing is an empty field without quotes, and for all kinds but text also each of `tokens`. A quoted empty field is
    empty text; for other kinds it is refused unless "" is a token. If "" is a boolean's own token, an empty field is
    that value, in quotes or not.
    """
    read = _reader(column, tokens)
    return (lambda text, is_quoted: read(text.strip(TRIMMED), is_quoted)) if column.is_trimmed else read


def _reader(column: Column, tokens: tuple[str, ...]) -> Callable[[str, bool], Any]:
    if column.kind == "text":
        return lambda text, is_quoted: text if text or is_quoted else None
    parse = PARSERS[column.kind](column)
    if is_empty_a_value(column):
        return lambda text, _: None if text in tokens else parse(text)
    blanks = BLANKS if column.kind in ("integer", "decimal") else ""

    def read(text: str, is_quoted: bool) -> Any:
        value = text.strip(blanks) if blanks else text
        if value in tokens or not (text or is_quoted):
            return None
        try:
            return parse(value)
        except Unfit as unfit:
            hint = "" if text else '; quotes make it a text: declare null_tokens=("",) if it means nothing'
            raise Unfit(unfit.reason, f"{unfit.detail}{hint}") from None

    return read


def is_empty_a_value(column: Column) -> bool:
    """Return whether an empty field is a value of a column: true or false, and not missing."""
    return column.kind == "boolean" and "" in column.true_tokens + column.false_tokens


def _integer(column: Column) -> Callable[[str], int]:
    plain, declared = plainly(column), as_declared(column) if said(column) else "an integer"

    def parse(text: str) -> int:
        number = plain(text) or ""
        number = ZEROS.sub("", number) if column.extra_zeros == "ignore" else number
        if not INTEGER.fullmatch(number):
            raise Unfit("not_an_integer", f"{shown(text)} is not {declared}")
        # int() refuses thousands of digits with another error, so the length is checked first.
        value = int(number) if len(number.lstrip("-0")) <= 19 else HIGHEST_INTEGER + 1
        if not LOWEST_INTEGER <= value <= HIGHEST_INTEGER:
            raise Unfit("integer_out_of_range", f"{shown(text)} does not fit 64 bits")
        return value

    return parse


def _decimal(column: Column) -> Callable[[str], Decimal]:
    plain, declared = plainly(column), as_declared(column)
    # Percent that are divided have two digits less after the point, and two more before it.
    shift = 2 if column.percent == "divide" else 0
    scale, places = column.scale - shift, column.digits - column.scale + shift

    def parse(text: str) -> Decimal:
        number = plain(text)
        if number is None:
            raise Unfit("not_a_decimal", f"{shown(text)} is not {declared}")
        whole, _, part = number.lstrip("-").partition(".")
        # Zeros are digits too, unless the spec says otherwise: 2.000 at scale 2 may be two thousand.
        if len(part.rstrip("0") if column.extra_zeros == "ignore" else part) > scale:
            raise Unfit("too_many_decimals", f"{shown(text)} has more than {scale} decimals")
        if len(whole.lstrip("0")) > places:
            raise Unfit("too_many_digits", f"{shown(text)} has more than {places} digits before the point")
        sign = "-" if number.startswith("-") else ""
        return Decimal(f"{sign}{whole.lstrip('0') or 0}.{part[:scale] or 0}").scaleb(-shift)

    return parse


def _date(column: Column) -> Callable[[str], date]:
    parse = _moment(column, "not_a_date", "no_such_date")
    return lambda text: parse(text).date()


def _timestamp(column: Column) -> Callable[[str], datetime]:
    parse = _moment(column, "not_a_timestamp", "no_such_time")

    def instant(text: str) -> datetime:
        moment = parse(text)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise Unfit("no_such_time", f"{shown(text)} is outside of the years 1000 to 9999 in UTC") from None

    return instant


def _moment(column: Column, not_in_format: str, no_such: str) -> Callable[[str], datetime]:
    form = column.format or ""
    shape = re.compile(_shape(form))

    def parse(text: str) -> datetime:
        found = shape.fullmatch(text)
        if not found:
            raise Unfit(not_in_format, f"{shown(text)} is not written as {form}")
        try:
            moment = datetime.strptime(_with_minutes(text, found), form)  # noqa: DTZ007 - the zone, or UTC, comes with the caller
        except ValueError:
            raise Unfit(no_such, f"{shown(text)} does not exist") from None
        # strptime takes day 366 of a year of 365 for the next year's first.
        if "day_of_year" in found.groupdict() and int(found["day_of_year"]) != moment.timetuple().tm_yday:
            raise Unfit(no_such, f"{shown(text)} does not exist")
        if moment.year < FIRST_YEAR:
            raise Unfit(no_such, f"{shown(text)} is before the year {FIRST_YEAR}")
        return moment

    return parse


def _with_minutes(text: str, found: re.Match[str]) -> str:
    # PostgreSQL writes an offset of whole hours so: +02. strptime wants its minutes too.
    if len(found.groupdict().get("offset", "")) != len("+02"):
        return text
    end = found.end("offset")
    return f"{text[:end]}00{text[end:]}"


def _boolean(column: Column) -> Callable[[str], bool]:
    values = {**dict.fromkeys(column.true_tokens, True), **dict.fromkeys(column.false_tokens, False)}

    def parse(text: str) -> bool:
        if text not in values:
            raise Unfit("not_a_boolean", f"{shown(text)} is none of {', '.join(map(repr, values))}")
        return values[text]

    return parse


PARSERS: dict[str, Callable[[Column], Callable[[str], Any]]] = {
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "timestamp": _timestamp,
    "boolean": _boolean,
}


def _shape(form: str) -> str:
    parts = re.findall(r"%.|[^%]", form, re.DOTALL)
    return "".join(SHAPES[part[1]] if part[0] == "%" else re.escape(part) for part in parts)


def shown(text: str) -> str:
    """Return a value for the refused rows' detail: quoted, and cut at 200 characters."""
    return repr(text if len(text) <= 200 else f"{text[:200]}…")
