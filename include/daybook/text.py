"""Text for people: numbers as spans, someone else's text on one line, days as a person writes them."""

from collections.abc import Iterable
from datetime import date, timedelta

_DAY = timedelta(days=1)


def spans(numbers: Iterable[int]) -> str:
    """Return numbers in order, each run by its ends: "2-5, 9"."""
    known = set(numbers)
    starts = sorted(number for number in known if number - 1 not in known)
    ends = sorted(number for number in known if number + 1 not in known)
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as "1 record" or "2 records"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def lines_from(line: int, height: int) -> str:
    """Return the line that a record begins on, and the last one if it has several: "1,001 to 1,900"."""
    return f"{line:,}" if height == 1 else f"{line:,} to {line + height - 1:,}"


def one_line(text: str) -> str:
    """Return someone else's text safe for a message: each line end, escape or direction mark becomes a `?`."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def spell(days: tuple[date, ...]) -> str:
    """Return days as a person writes them: runs as "first to last", the others one by one."""
    known = set(days)
    starts = [day for day in days if day - _DAY not in known]
    ends = [day for day in days if day + _DAY not in known]
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))
