"""One field of a file to a value of its column's kind: the authority on values, one at a time.

Called by records.py for whole records, and by columns.py for the values that it cannot settle. Pure; imports only the
spec. A value that is not of its kind raises Unfit; nothing is guessed, rounded or filled.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from daybook.loader.moments import CLOCK_DAY, CLOCK_DAY_FORMAT, EPOCH, NoSuch, NotWritten, moment
from daybook.loader.numbers import as_declared, plainly
from daybook.spec.column import Column
from daybook.spec.writing import said

# A number in its plain spelling. ASCII digits only: int() would also take "1_000" and Arabic digits.
INTEGER = re.compile("-?[0-9]+")
ZEROS = re.compile(r"\.0+$")
# A text that a spreadsheet shows as it is.
FORMULA = re.compile(r'\A="((?:[^"]|"")*)"\Z')
BLANKS = " \t"
# The blanks of Unicode (category Zs), among them those that do not break, and the tab.
TRIMMED = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
LOWEST_INTEGER, HIGHEST_INTEGER = -(2**63), 2**63 - 1
NO_TIME = timedelta(0)


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
    if column.formulas == "read":
        plain = _reader(column.model_copy(update={"formulas": None}), tokens)
        return lambda text, is_quoted: plain(_without_formula(text), is_quoted or bool(text))
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


def _without_formula(text: str) -> str:
    formula = FORMULA.match(text)
    return formula[1].replace('""', '"') if formula else text


def is_empty_a_value(column: Column) -> bool:
    """Return whether an empty field is a value of a column: true or false, and not missing."""
    return column.kind == "boolean" and "" in column.true_tokens + column.false_tokens


def _integer(column: Column) -> Callable[[str], int]:
    if column.is_clock:
        return _clock_time(column)
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


def _clock_time(column: Column) -> Callable[[str], int]:
    read = moment(f"{CLOCK_DAY_FORMAT}{column.format}", column, None, has_time=True)

    def parse(text: str) -> int:
        try:
            since_midnight = read(f"{CLOCK_DAY}{text}") - EPOCH.replace(tzinfo=None)
        except NotWritten:
            raise Unfit("not_a_clock_time", f"{shown(text)} is not written as {column.format}") from None
        except NoSuch as problem:
            raise Unfit("no_such_time", f"{shown(text)} {problem}") from None
        if since_midnight.microseconds:
            raise Unfit("not_a_clock_time", f"{shown(text)} is no whole number of seconds")
        return since_midnight // timedelta(seconds=1)

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
    zone = ZoneInfo(column.time_zone) if column.time_zone else UTC

    def instant(text: str) -> datetime:
        local = parse(text)
        offset = local.utcoffset() if local.tzinfo else _offset(text, local, zone, column)
        try:
            return (local.replace(tzinfo=None) - (offset or NO_TIME)).replace(tzinfo=UTC)
        except OverflowError:
            raise Unfit("no_such_time", f"{shown(text)} is outside of the years 1000 to 9999 in UTC") from None

    return instant


def _offset(text: str, local: datetime, zone: tzinfo, column: Column) -> timedelta | None:
    """Return the offset of a local time, which a change of the clock may have left out or repeated (PEP 495)."""
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() or NO_TIME for fold in (0, 1))
    if first > second and column.repeated_hour in (None, "refuse"):
        raise Unfit("repeated_hour", f"{shown(text)} comes twice in {column.time_zone}, where the clock goes back")
    if first < second and column.skipped_hour in (None, "refuse"):
        raise Unfit("skipped_hour", f"{shown(text)} is left out in {column.time_zone}, where the clock goes forward")
    # In an hour that is left out, the first offset is that before the change.
    return second if first > second and column.repeated_hour == "second" else first


def _moment(column: Column, not_in_format: str, no_such: str) -> Callable[[str], datetime]:
    form = column.format or ""
    read = moment(form, column, column.missing_day, has_time=column.kind == "timestamp")

    def parse(text: str) -> datetime:
        try:
            return read(text)
        except NotWritten:
            raise Unfit(not_in_format, f"{shown(text)} is not written as {form}") from None
        except NoSuch as problem:
            raise Unfit(no_such, f"{shown(text)} {problem}") from None

    return parse


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


def shown(text: str) -> str:
    """Return a value for the refused rows' detail: quoted, and cut at 200 characters."""
    return repr(text if len(text) <= 200 else f"{text[:200]}…")
