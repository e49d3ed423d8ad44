"""The plain values in expressions: which are taken, and why others are refused."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from daybook.errors import BadSpec

Plain = bool | int | Decimal | str | date | datetime | None
"""A value as it stands in an expression; None is nothing."""


def why_refused(value: Any) -> str | None:
    """Return why a value cannot stand in an expression, or None."""
    match value:
        case float():
            return f'a float is not exact; write Decimal("{value}")'
        case datetime():
            return (
                None if value.tzinfo else f"it has no time zone; write instant('{value.isoformat()}Z') if it is of UTC"
            )
        case Decimal():
            return _why_no_number(value)
        case bool() | str() | date() | None:
            return None
        case int():
            return None if abs(value) < 2**63 else "it does not fit 64 bits"
    return "it takes a number, a text, True, False, a date or an expression; a choice ends with .otherwise(…)"


def _why_no_number(value: Decimal) -> str | None:
    if not value.is_finite():
        return "it is not a number"
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or exponent < -18 or len(digits) + max(exponent, 0) > 18:
        return "it has more than 18 digits"
    return None


def instant(text: Any) -> datetime:
    """Return an instant that is written in ISO 8601, with its zone, in UTC. Raises BadSpec."""
    why = "it takes an instant as in '2013-01-01T00:00:00Z' or '2013-01-01T02:00:00+02:00'"
    if not isinstance(text, str):
        raise BadSpec(f"instant({text!r}) is refused: {why}")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadSpec(f"instant({text!r}) is refused: {why}") from None
    if found.tzinfo is None:
        raise BadSpec(f"instant({text!r}) is refused: it says no time zone; end it with Z, or with +01:00 or the like")
    # Python cuts further digits without a word.
    if re.search(r"[.,]\d{7}", text):
        raise BadSpec(f"instant({text!r}) is refused: an instant has at most six digits of a second")
    return in_utc(found)


def in_utc(value: datetime) -> datetime:
    """Return the same instant in UTC. Raises BadSpec if it is in no year from 1 to 9999."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise BadSpec(f"{value} in an expression is refused: in UTC it is in no year from 1 to 9999") from None


def scale(what: str, scale: Any) -> int:
    """Return a number of digits after the point. Raises BadSpec."""
    if isinstance(scale, bool) or not isinstance(scale, int) or not 0 <= scale <= 18:
        raise BadSpec(f"{what}, scale: {scale!r} is refused: it takes an integer from 0 to 18")
    return scale


def text(what: str, text: Any, *, may_be_empty: bool = False) -> str:
    """Return a plain text that another is compared with. Raises BadSpec."""
    if not isinstance(text, str) or not (text or may_be_empty):
        raise BadSpec(f"{what}: {text!r} is refused: it takes a text{'' if may_be_empty else ' that is not empty'}")
    return text
