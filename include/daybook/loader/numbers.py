"""One number as a file writes it, to its plain spelling: a minus or none, digits, and a point with more digits.

Called by values.py, the authority; number_columns.py does the same for whole columns. Pure.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from daybook.spec.writing import Writing, said

# A percent sign stands where a unit may stand.
PERCENT = "%"
BLANKS = "[ \u00a0\u202f]*"
WHOLE = "[0-9]+"
EXPONENT = r"(?:[eE](?P<exponent>[+-]?[0-9]{1,3}))?"
UNITS = ("before_sign", "before", "after", "after_sign")


def plainly(column: Writing) -> Callable[[str], str | None]:
    """Return a function that gives the plain spelling of a number, or None if it is not written as declared."""
    pattern = re.compile(_pattern(column))

    def plain(text: str) -> str | None:
        found = pattern.fullmatch(text)
        if not found or not _has_one_sign(found, column) or not _has_one_unit(found, column):
            return None
        return _plain(found, column)

    return plain


def as_declared(column: Writing) -> str:
    """Return how a column's numbers are declared to be written, for a message."""
    words = ", ".join(f"{word}={value!r}" for word, value in said(column).items())
    return f"a number as declared ({words})" if words else "a decimal number with a point"


def _pattern(column: Writing) -> str:
    opening, closing = "[-+(]", "[-)]"
    units = [re.escape(unit) for unit in sorted(column.units or (), key=len, reverse=True)]
    units += [PERCENT] if column.percent else []
    before, after, after_sign = "", "", ""
    if units:
        unit = "|".join(units)
        before, after = f"(?:(?P<before>{unit}){BLANKS})?", f"(?:{BLANKS}(?P<after>{unit}))?"
        after_sign = f"(?:{BLANKS}(?P<after_sign>{unit}))?"
    before_sign = before.replace("before", "before_sign")
    return f"{before_sign}(?P<open>{opening})?{before}{_digits(column)}{after}(?P<close>{closing})?{after_sign}"


def _digits(column: Writing) -> str:
    mark, point = column.thousands_mark, re.escape(column.decimal_mark or ".")
    grouped = f"[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+|" if mark else ""
    number = f"(?P<whole>{grouped}{WHOLE})(?:{point}(?P<part>[0-9]+))?"
    if column.bare_points == "read":
        # A digit on one side at least.
        number = f"(?={point}?[0-9])(?P<whole>{grouped}{WHOLE}|)(?:{point}(?P<part>[0-9]*))?"
    return number + (EXPONENT if column.exponents == "read" else "")


def _has_one_sign(found: re.Match[str], column: Writing) -> bool:
    allowed = column.negatives or ()
    match found["open"], found["close"]:
        case (None | "-" | "+", None):
            return True
        case (None, "-"):
            return "trailing" in allowed
        case ("(", ")"):
            return "parentheses" in allowed
    return False


def _has_one_unit(found: re.Match[str], column: Writing) -> bool:
    units = [unit for name in UNITS if (unit := found.groupdict().get(name))]
    return len(units) <= 1 and (column.percent != "divide" or units == [PERCENT])


def _plain(found: re.Match[str], column: Writing) -> str:
    whole, part = found["whole"].replace(column.thousands_mark or "", ""), found["part"] or ""
    sign = "-" if found["open"] in ("-", "(") or found["close"] else ""
    number = f"{sign}{whole or 0}.{part}" if part else f"{sign}{whole or 0}"
    exponent = found.groupdict().get("exponent")
    # The constructor of Decimal is exact, however many digits there are.
    return f"{Decimal(f'{number}E{exponent}'):f}" if exponent else number
