"""Text for people: numbers as spans, someone else's text on one line, days as a person writes them."""

from collections.abc import Iterable
from datetime import date


def spans(numbers: Iterable[int]) -> str:
    """Return numbers in order, each run by its ends: "2-5, 9"."""
    known = set(numbers)
    starts = sorted(number for number in known if number - 1 not in known)
    ends = sorted(number for number in known if number + 1 not in known)
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def one_line(text: str) -> str:
    """Return someone else's text safe for a message: each line end, escape or direction mark becomes a `?`."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def spell(days: tuple[date, ...]) -> str:
    """Return days as a person writes them: runs as "first to last", the others one by one."""
    # By numbers, because no day comes before the first of all or after the last of all.
    known = {day.toordinal() for day in days}
    starts = [day for day in days if day.toordinal() - 1 not in known]
    ends = [day for day in days if day.toordinal() + 1 not in known]
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))
