"""Text for people: numbers as spans, someone else's text on one line, the nearest right word, days as we write them."""

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from typing import Any

# Signs of a text that change how a terminal, a page or another program shows what stands beside them: control
# characters (except tab and line ends, which CSV quotes), direction marks, and line ends that only some programs know.
_CONTROLS = [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)]
_MARKS = [0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
ODD = "".join(map(chr, [*_CONTROLS, *_MARKS]))
_ODD = re.compile(f"[{re.escape(ODD)}]")
# Signs that a spreadsheet, or a person, does not see before a formula: blanks, and signs without a width.
_UNSEEN = "\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
# The start of a formula (OWASP, "CSV Injection"), also in full width, as a regular expression of any engine.
FORMULA = f"[{_UNSEEN}]*[-=+@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212]|[\t\r\n]"


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


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as "1 record" or "2 records"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def verb(count: int, one: str = "is", more: str = "are") -> str:
    """Return the verb that goes with a count, as in "1 row is" and "2 rows are"."""
    return one if count == 1 else more


def portion(count: int, total: int, noun: str, one: str = "is", more: str = "are") -> str:
    """Return a part of a total with its verb, such as "1 of 3 rows is" or "2 of 3 rows are"."""
    return f"{count:,} of {counted(total, noun)} {verb(count, one, more)}"


def lines_from(line: int, height: int) -> str:
    """Return the line that a record begins on, and the last one if it has several: "1,001 to 1,900"."""
    return f"{line:,}" if height == 1 else f"{line:,} to {line + height - 1:,}"


def one_line(text: str) -> str:
    """Return someone else's text safe for a message: each sign that is not printed becomes an escape, such as \\x1b.

    These are line ends, control characters, direction marks and other signs without a width, and half characters.
    """
    return text if text.isprintable() else "".join(map(_printed, text))


def printable(text: str) -> str:
    """Return a message of one or more lines safe for a terminal and a log: `one_line` of each line."""
    return "\n".join(map(one_line, text.split("\n")))


def shown(text: str) -> str:
    """Return a text of the data safe for a page or a file that people open: each sign of ODD becomes an escape."""
    return _ODD.sub(lambda found: _printed(found[0]), text)


def escape(sign: str) -> str:
    """Return the escape of a sign, such as \\u202e."""
    return sign.encode("unicode_escape").decode()


def _printed(sign: str) -> str:
    return sign if sign.isprintable() else escape(sign)


def nearest(word: str, words: Any) -> str:
    """Return "; did you mean 'x'?" for the closest of the words, whatever their case, or "" if none is close."""
    by_plain: dict[str, str] = {}
    for other in map(str, words):
        by_plain.setdefault(other.casefold(), other)
    found = get_close_matches(word.casefold(), by_plain, n=1)
    return f"; did you mean {by_plain[found[0]]!r}?" if found else ""


def spell(days: tuple[date, ...]) -> str:
    """Return days as a person writes them: runs as "first to last", the others one by one."""
    # By numbers, because no day comes before the first of all or after the last of all.
    known = {day.toordinal() for day in days}
    starts = [day for day in days if day.toordinal() - 1 not in known]
    ends = [day for day in days if day.toordinal() + 1 not in known]
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))
