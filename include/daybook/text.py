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


def first_spans(numbers: Iterable[int], characters: int = 60) -> str:
    """Return numbers as spans, the first of them if all would take more characters: "2-5, 9, …"."""
    whole = spans(numbers)
    return whole if len(whole) <= characters else f"{whole[:characters].rpartition(',')[0]}, …"


def one_line(text: str) -> str:
    """Return someone else's text safe for a message: each line end, escape or direction mark becomes a `?`."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def spell(days: tuple[date, ...]) -> str:
    """Return days as a person writes them: runs as "first to last", the others one by one."""
    known = set(days)
    starts = [day for day in days if day - _DAY not in known]
    ends = [day for day in days if day + _DAY not in known]
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))
