"""How the dates and times of a column are written: every usual format that reads all of its texts."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from commands.spellings import DATES, INSTANTS, TIMES, UNPADDED_DATES, UNPADDED_INSTANTS, UNPADDED_TIMES
from daybook.errors import BadSpec
from daybook.loader.values import Unfit, reader
from daybook.spec import Column
from daybook.spec.format import NAMED, tells, tells_of_utc

# What may be a date or a time at all.
LIKELY = re.compile(r"(?=.*[0-9]).{6,40}", re.DOTALL)
# Digits alone are more often a number than a date: only whole dates of likely years are taken for one.
DIGITS = re.compile(r"[0-9]+")
LIKELY_DAYS = re.compile(r"(?:19[5-9]|20[0-9])[0-9]{5}")
OF_FRACTIONS: tuple[dict[str, str], ...] = (
    {},
    {"missing_fraction": "zero"},
    {"long_fraction": "cut"},
    {"missing_fraction": "zero", "long_fraction": "cut"},
)


class Moments(NamedTuple):
    """One way to read all texts of a column as dates or instants: its kind and words."""

    kind: str
    words: dict[str, Any]

    @property
    def format(self) -> str:
        """Return its format."""
        return str(self.words["format"])

    @property
    def is_local(self) -> bool:
        """Return whether it reads clock times without an offset."""
        return self.kind == "timestamp" and not tells_of_utc(self.format)

    @property
    def has_two_digits(self) -> bool:
        """Return whether the century is not written."""
        return self.format not in NAMED and tells(self.format, "y")


def ways_to_read(values: list[str]) -> list[Moments]:
    """Return each different way to read all texts: as dates, or else as instants."""
    if not values or not all(map(LIKELY.fullmatch, values)):
        return []
    if all(map(DIGITS.fullmatch, values)):
        return _of_digits(values)
    for formats in ((*DATES, *UNPADDED_DATES), (*INSTANTS, *UNPADDED_INSTANTS)):
        if ways := _different(values, formats):
            return ways
    return []


def of_clock_times(values: list[str]) -> dict[str, Any]:
    """Return the words with which all texts are clock times, with or without seconds; none if they are not."""
    for format in (*TIMES, *UNPADDED_TIMES) if all(":" in text for text in values) else ():
        for more in ({}, {"hour_24": "next_day"}) if "H" in format else ({},):
            read = None if "%f" in format else _reader("integer", format, tuple(more.items()))
            if read and _reads(read, values):
                return {"format": format} | more
    return {}


def _reads(read: Callable[[str, bool], Any], values: list[str]) -> bool:
    try:
        return bool([read(text, True) for text in values])
    except Unfit:
        return False


def by_format(format: str, values: list[str]) -> Moments | None:
    """Return how a format reads all texts, or None if it does not. Raises BadSpec if it is no format."""
    is_time = format in ("unix", "unix_ms") or (format not in NAMED and any(tells(format, word) for word in "HIMSfz"))
    kind = "timestamp" if is_time else "date"
    Column(header="x", name="x", kind=kind, format=format)
    return next((way for way, _ in _reading(values, kind, format)), None)


def days_by(way: Moments, values: list[str]) -> set[date]:
    """Return the days of all values by one way to read them, as they are written."""
    read = _reader(way.kind, way.format, tuple(item for item in way.words.items() if item[0] != "format"))
    found = [read(text, True) for text in values] if read else []
    return {value.date() if isinstance(value, datetime) else value for value in found}


def _of_digits(values: list[str]) -> list[Moments]:
    if {len(text) for text in values} != {8}:
        return []
    has_zeros = any(text.startswith("0") for text in values)
    is_likely = all(map(LIKELY_DAYS.fullmatch, values))
    formats = (*(["%Y%m%d"] if is_likely else []), *(["%d%m%Y", "%m%d%Y"] if has_zeros else []))
    return _different(values, formats)


def _different(values: list[str], formats: tuple[str, ...]) -> list[Moments]:
    ways: dict[tuple[Any, ...], Moments] = {}
    for format in formats:
        # A year first is followed by the month: nobody writes the day there.
        if format.startswith("%Y-%d"):
            continue
        kind = "date" if format in DATES or format in UNPADDED_DATES else "timestamp"
        for way, read in _reading(values, kind, format):
            ways.setdefault(read, way)
    return list(ways.values())


def _reading(values: list[str], kind: str, format: str) -> Iterator[tuple[Moments, tuple[Any, ...]]]:
    """Yield a way to read all values, with what they are by it."""
    for more in OF_FRACTIONS if re.search(r"[^%]%f", format) else OF_FRACTIONS[:1]:
        read = _reader(kind, format, tuple(more.items()))
        if read is None:
            return
        try:
            yield Moments(kind, {"format": format} | more), tuple(read(text, True) for text in values)
        except Unfit:
            continue
        return


@cache
def _reader(kind: Any, format: str, words: tuple[tuple[str, Any], ...]) -> Callable[[str, bool], Any] | None:
    try:
        return reader(Column(header="x", name="x", kind=kind, format=format, **dict(words)), ())
    except BadSpec:
        return None
