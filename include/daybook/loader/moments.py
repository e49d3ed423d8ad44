"""One date or instant as a file writes it: by a format of strptime's directives, or as a number of days or seconds.

Called by values.py, the authority; moment_columns.py does the same for whole columns. It reads each directive strictly:
strptime would accept one digit instead of two, and any run of blanks for one. Names of months are English. Pure.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from daybook.spec.format import directives
from daybook.spec.writing import Writing

# strftime does not write years below 1000 with four digits, and no supplier means them: 0026 is a typo for 2026.
FIRST_YEAR = 1000
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTH_OF = {name: number for number, name in enumerate(MONTHS, 1)} | {m[:3]: n for n, m in enumerate(MONTHS, 1)}
# Without a word, two digits are the year that strptime takes them for: 69 to 99 are of the 20th century.
PIVOT_YEAR = 1969
SHAPES = {
    "Y": "[0-9]{4}",
    "j": "[0-9]{3}",
    "z": "Z|[+-][0-9]{2}(?::?[0-9]{2})?",
    **dict.fromkeys("ymdHIMS", "[0-9]{2}"),
    **dict.fromkeys("bBp", "[^0-9]+"),
}
# A clock time is read as one of this day.
CLOCK_DAY, CLOCK_DAY_FORMAT = "1970-01-01 ", "%Y-%m-%d "
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Excel counts 1900 as a leap year, so only from its day 61 on, 1 March 1900, are its days those of the calendar.
EXCEL_ZERO, EXCEL_FIRST, EXCEL_LAST = datetime(1899, 12, 30), 61, 2_958_465  # noqa: DTZ001 - a local time
DAY_MS = 86_400_000


class NotWritten(Exception):
    """A text is not written in the format."""


class NoSuch(Exception):
    """A text is written in the format, but no such moment exists; the message says why."""


Parse = Callable[[str], datetime]


def moment(format: str, words: Writing, missing_day: str | None, has_time: bool) -> Parse:
    """Return a function that parses a text into a moment, local unless the text tells an offset or counts seconds.

    Raises NotWritten and NoSuch.
    """
    match format:
        case "excel":
            return _excel(words.decimal_mark or ".", has_time)
        case "unix":
            return _unix(words)
        case "unix_ms":
            return _unix_ms
    return _by_format(format, words, missing_day)


def _by_format(format: str, words: Writing, missing_day: str | None) -> Parse:
    shape = re.compile(_shape(format, words))

    def parse(text: str) -> datetime:
        found = shape.fullmatch(text)
        if not found:
            raise NotWritten
        try:
            return _moment({name: text for name, text in found.groupdict().items() if text}, words, missing_day)
        except (ValueError, OverflowError, KeyError):
            raise NoSuch("does not exist") from None

    return parse


def _shape(format: str, words: Writing) -> str:
    most = 9 if words.long_fraction == "cut" else 6
    shapes, parts = SHAPES | {"f": f"[0-9]{{1,{most}}}"}, directives(format)
    pattern = ""
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        if following == "%f" and words.missing_fraction == "zero":
            pattern += f"(?:{re.escape(part)}"
        elif part == "%f" and words.missing_fraction == "zero":
            pattern += f"(?P<f>{shapes['f']}))?"
        elif part.startswith("%") and part != "%%":
            pattern += f"(?P<{part[-1]}>{'[0-9]{1,2}' if part[1] == '-' else shapes[part[-1]]})"
        else:
            pattern += re.escape(part[-1])
    return pattern


def _moment(found: dict[str, str], words: Writing, missing_day: str | None) -> datetime:
    day, hour = _day(found, words, missing_day), _hour(found)
    minute, second, fraction = (int(found.get(name, "0")[:6].ljust(6 * (name == "f"), "0")) for name in "MSf")
    days_later = hour == 24 and words.hour_24 == "next_day" and not (minute or second or fraction)
    local = datetime(day.year, day.month, day.day, 0 if days_later else hour, minute, second, fraction)  # noqa: DTZ001 - the caller knows the zone
    if local.year < FIRST_YEAR:
        raise NoSuch(f"is before the year {FIRST_YEAR}")
    return (local + timedelta(days=days_later)).replace(tzinfo=_offset(found.get("z")))


def _day(found: dict[str, str], words: Writing, missing_day: str | None) -> date:
    year = int(found["Y"]) if "Y" in found else _year(int(found["y"]), words.pivot_year or PIVOT_YEAR)
    if "j" in found:
        day = date(year, 1, 1) + timedelta(days=int(found["j"]) - 1)
        if day.year != year:
            raise ValueError
        return day
    month = int(found["m"]) if "m" in found else _month(found)
    return date(year, month, monthrange(year, month)[1] if missing_day == "last" else int(found.get("d", 1)))


def _year(two_digits: int, pivot: int) -> int:
    return pivot + (two_digits - pivot) % 100


def _month(found: dict[str, str]) -> int:
    name = found.get("B") or found["b"]
    if ("B" in found) != (name.lower() in MONTHS) and name.lower() != "may":
        raise ValueError
    return MONTH_OF[name.lower()]


def _hour(found: dict[str, str]) -> int:
    if "p" not in found:
        return int(found.get("H", 0))
    if not 1 <= int(found["I"]) <= 12:
        raise ValueError
    return int(found["I"]) % 12 + {"am": 0, "pm": 12}[found["p"].lower()]


def _offset(written: str | None) -> timezone | None:
    if written is None:
        return None
    if written == "Z":
        return UTC
    hours, minutes = int(written[1:3]), int(written[3:].removeprefix(":") or 0)
    if minutes > 59:
        raise ValueError
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if written[0] == "-" else 1))


def _excel(mark: str, has_time: bool) -> Parse:
    fraction = f"(?:{re.escape(mark)}([0-9]{{1,18}}))?" if has_time else "()"
    shape = re.compile(f"([0-9]{{1,7}}){fraction}")

    def parse(text: str) -> datetime:
        days, part = _matched(shape, text)
        # To the nearest millisecond, which is as fine as Excel shows: a fraction of a day is hardly ever exact.
        ms = (2 * int(part or 0) * DAY_MS + 10 ** len(part or "")) // (2 * 10 ** len(part or ""))
        if not EXCEL_FIRST <= int(days) <= EXCEL_LAST:
            raise NoSuch("is not a day of Excel's from 1 March 1900 to the end of 9999")
        try:
            return EXCEL_ZERO + timedelta(days=int(days), milliseconds=ms)
        except OverflowError:
            raise NoSuch("is after the year 9999") from None

    return parse


def _unix(words: Writing) -> Parse:
    most = 9 if words.long_fraction == "cut" else 6
    shape = re.compile(f"(-?)([0-9]{{1,12}})(?:{re.escape(words.decimal_mark or '.')}([0-9]{{1,{most}}}))?")

    def parse(text: str) -> datetime:
        sign, seconds, part = _matched(shape, text)
        micros = int(seconds) * 1_000_000 + int((part or "")[:6].ljust(6, "0"))
        return _since_1970(-micros if sign else micros)

    return parse


MILLISECONDS = re.compile("(-?[0-9]{1,15})")


def _unix_ms(text: str) -> datetime:
    return _since_1970(int(_matched(MILLISECONDS, text)[0]) * 1000)


def _matched(shape: re.Pattern[str], text: str) -> tuple[Any, ...]:
    found = shape.fullmatch(text)
    if not found:
        raise NotWritten
    return found.groups()


def _since_1970(micros: int) -> datetime:
    try:
        found = EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise NoSuch("is outside of the years 1000 to 9999") from None
    if found.year < FIRST_YEAR:
        raise NoSuch("is outside of the years 1000 to 9999")
    return found
