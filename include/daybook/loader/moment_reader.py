"""Dates and instants of any width, read directive by directive from a place of its own in each text.

Called by moment_columns.py for all texts that it does not know by their width. Pure.
"""

import re
from itertools import pairwise
from typing import Any

import numpy as np

from daybook.loader.moments import FIRST_YEAR, MONTHS, PIVOT_YEAR
from daybook.loader.texts import Bytes, Flags, Numbers
from daybook.spec.column import Column
from daybook.spec.format import directives

ZERO = np.uint8(ord("0"))
SMALL = np.uint8(32)  # the bit that tells small letters from capitals in ASCII
DAY_MICROS, SECOND_MICROS = 86_400_000_000, np.int64(1_000_000)
# The first day of each month from January of FIRST_YEAR on, counted from 1970-01-01.
MONTH_STARTS = np.arange(f"{FIRST_YEAR}-01", "10000-02", dtype="M8[M]").astype("M8[D]").astype(np.int32)
# Lowest, highest, and the value if the format does not have it.
RANGES = {
    "%Y": (FIRST_YEAR, 9999, 1900),
    "%m": (1, 12, 1),
    "%d": (1, 31, 1),
    "%H": (0, 23, 0),
    "%M": (0, 59, 0),
    "%S": (0, 59, 0),
    "%f": (0, 999_999, 0),
}
DIGITS = {"Y": 4, "j": 3, **dict.fromkeys("ymdHIMS", 2)}
MONTH_CODES = [int.from_bytes(month[:3].encode()) for month in MONTHS]
EXCEL_ZERO, EXCEL_FIRST, EXCEL_LAST = -25_569, 61, 2_958_465
NAMES = ("%b", "%B", "%p")


def is_clear(form: str) -> bool:
    """Return whether the end of each directive is clear: no two meet that could share their bytes."""
    parts = directives(form)
    digits, names = "%[YymdHIMSjf-]|[0-9]", [part for part in parts if part in NAMES]
    return not any(
        (part in ("%f", "%z") and re.match(digits, after))
        or (part == "%z" and after == ":")
        or (part in names and after in names)
        for part, after in pairwise(parts)
    )


class MomentReader:
    """Reads texts at once; `at` is the place in each where its next directive or literal begins."""

    def __init__(self, content: Bytes, starts: Numbers, ends: Numbers, column: Column) -> None:
        self.content, self.at, self.ends, self.column = content, starts, ends, column
        self.are_right = np.ones(len(starts), bool)
        none = np.zeros(len(starts), np.int64)
        self.numbers: dict[str, Numbers] = dict.fromkeys("HMSfz", none) | dict.fromkeys("md", none + 1)

    def read(self) -> tuple[Numbers, Flags]:
        """Return the microseconds since 1970, and which texts could be read."""
        match self.column.format:
            case "excel":
                values = self._excel()
            case "unix":
                values = self._in_time(self._sign() * (self._count(12) * SECOND_MICROS + self._fraction(self._mark())))
            case "unix_ms":
                values = self._in_time(self._sign() * self._count(15) * 1000)
            case _:
                self._directives()
                values = self._moment()
        self.are_right &= self.at == self.ends
        return np.where(self.are_right, values, 0), self.are_right

    def _in_time(self, micros: Numbers) -> Numbers:
        first, end = (int(day) * DAY_MICROS for day in (MONTH_STARTS[0], MONTH_STARTS[-1]))
        self.are_right &= (first <= micros) & (micros < end)
        return micros

    def _directives(self) -> None:
        parts = directives(self.column.format or "")
        is_optional = self.column.missing_fraction == "zero"
        for part, after in zip(parts, [*parts[1:], ""], strict=True):
            if after == "%f" and is_optional:
                self.numbers["f"] = self._fraction(self._have(part[-1].encode()))
            elif part == "%f":
                self.numbers["f"] = self.numbers["f"] if is_optional else self._fraction(self.ends > 0)
            elif part.startswith("%") and part != "%%":
                self._directive(part[-1], is_padded=part[1] != "-")
            else:
                self.are_right &= self._have(part[-1].encode())

    def _directive(self, word: str, is_padded: bool) -> None:
        match word:
            case "z":
                self.numbers["z"] = self._offset()
            case "p":
                self.numbers["p"] = self._half()
            case "b" | "B":
                self.numbers["m"] = self._month(is_whole=word == "B")
            case _:
                self.numbers[word] = self._fixed(DIGITS[word]) if is_padded else self._one_or_two()

    def _moment(self) -> Numbers:
        numbers = self.numbers
        if "y" in numbers:
            pivot = self.column.pivot_year or PIVOT_YEAR
            numbers["Y"] = pivot + (numbers["y"] - pivot) % 100
        if "p" in numbers:
            self.are_right &= (numbers["I"] >= 1) & (numbers["I"] <= 12)
            numbers["H"] = numbers["I"] % 12 + 12 * numbers["p"]
        self._check_ranges()
        seconds = (numbers["H"] * 60 + numbers["M"]) * 60 + numbers["S"]
        # A date is the day that the text tells, whatever its offset.
        seconds = seconds - numbers["z"] if self.column.kind == "timestamp" else seconds
        micros: Numbers = self._day() * DAY_MICROS + (seconds * SECOND_MICROS + numbers["f"])
        return micros

    def _check_ranges(self) -> None:
        numbers = self.numbers
        for word in "YmHMS":
            lowest, highest, _ = RANGES[f"%{word}"]
            self.are_right &= (lowest <= numbers[word]) & (numbers[word] <= highest + (word == "H"))
        is_full = (numbers["M"] == 0) & (numbers["S"] == 0) & (numbers["f"] == 0)
        self.are_right &= (numbers["H"] < 24) | is_full & (self.column.hour_24 == "next_day")

    def _day(self) -> Numbers:
        numbers = self.numbers
        month = np.where(self.are_right, (numbers["Y"] - FIRST_YEAR) * 12 + numbers["m"] - 1, 0)
        start, end = MONTH_STARTS[month].astype(np.int64), MONTH_STARTS[month + 1].astype(np.int64)
        if "j" in numbers:
            end = MONTH_STARTS[np.minimum(month + 12, len(MONTH_STARTS) - 1)].astype(np.int64)
        if self.column.missing_day == "last":
            start = end - 1
        day: Numbers = start + numbers.get("j", numbers["d"]) - 1
        self.are_right &= (start <= day) & (day < end)
        return day

    def _byte(self, ahead: int = 0) -> Bytes:
        places = np.minimum(self.at + ahead, len(self.content) - 1)
        return np.where(self.at + ahead < self.ends, self.content[places], np.uint8(0))

    def _have(self, text: bytes) -> Flags:
        """Return which texts go on with these bytes, and pass them there."""
        have = np.ones(len(self.at), bool)
        for ahead, byte in enumerate(text):
            have &= self._byte(ahead) == byte
        self.at = self.at + have * len(text)
        return have

    def _fixed(self, width: int) -> Numbers:
        number = np.zeros(len(self.at), np.int64)
        for ahead in range(width):
            digit = self._byte(ahead) - ZERO
            self.are_right &= digit <= 9
            number = number * 10 + digit
        self.at = self.at + width
        return number

    def _one_or_two(self) -> Numbers:
        number, count = self._digits(2)
        self.are_right &= count > 0
        return number

    def _digits(self, most: int, where: Any = True) -> tuple[Numbers, Numbers]:
        """Return the number that the next digits make, and how many they are."""
        number, count = np.zeros(len(self.at), np.int64), np.zeros(len(self.at), np.int64)
        are_more = np.broadcast_to(where, self.at.shape)
        for _ in range(most):
            digit = self._byte() - ZERO
            are_more = are_more & (digit <= 9)
            if not are_more.any():
                break
            number = np.where(are_more, number * 10 + digit, number)
            count, self.at = count + are_more, self.at + are_more
        return number, count

    def _count(self, most: int) -> Numbers:
        number, count = self._digits(most)
        self.are_right &= count > 0
        return number

    def _fraction(self, where: Flags) -> Numbers:
        """Return the microseconds of a fraction of a second; those of more than six digits are cut."""
        number, count = self._digits(9 if self.column.long_fraction == "cut" else 6, where)
        self.are_right &= ~where | (count > 0)
        micros: Numbers = number * 10 ** np.maximum(6 - count, 0) // 10 ** np.maximum(count - 6, 0)
        return micros

    def _half(self) -> Numbers:
        first, second = self._byte() | SMALL, self._byte(1) | SMALL
        self.are_right &= ((first == ord("a")) | (first == ord("p"))) & (second == ord("m"))
        self.at = self.at + 2
        half: Numbers = (first == ord("p")).astype(np.int64)
        return half

    def _month(self, is_whole: bool) -> Numbers:
        letters = [(self._byte(ahead) | SMALL).astype(np.int64) for ahead in range(3)]
        code = (letters[0] << 16) + (letters[1] << 8) + letters[2]
        month = np.zeros(len(self.at), np.int64)
        for number, known in enumerate(MONTH_CODES, 1):
            month[code == known] = number
        self.are_right &= month > 0
        self.at = self.at + 3
        for number in np.unique(month[month > 0]).tolist() if is_whole else ():
            self._rest_of(MONTHS[number - 1][3:].encode(), month == number)
        return month

    def _rest_of(self, name: bytes, where: Flags) -> None:
        for ahead, byte in enumerate(name):
            self.are_right &= ~where | ((self._byte(ahead) | SMALL) == byte)
        self.at = self.at + where * len(name)

    def _offset(self) -> Numbers:
        """Return offsets in seconds: Z, +02, +0200 or +02:00."""
        first = self._byte()
        are_utc, are_minus = first == ord("Z"), first == ord("-")
        self.are_right &= are_utc | are_minus | (first == ord("+"))
        self.at = self.at + 1
        hours, count = self._digits(2, ~are_utc)
        self.are_right &= are_utc | (count == 2) & (hours <= 23)
        have_colon = (self._byte() == ord(":")) & ~are_utc
        self.at = self.at + have_colon
        minutes, count = self._digits(2, ~are_utc)
        self.are_right &= ((count == 2) & (minutes <= 59)) | ((count == 0) & ~have_colon)
        seconds = hours * 3600 + minutes * 60
        return np.where(are_minus, -seconds, seconds)

    def _sign(self) -> Numbers:
        return np.where(self._have(b"-"), -1, 1)

    def _mark(self) -> Flags:
        return self._have((self.column.decimal_mark or ".").encode())

    def _excel(self) -> Numbers:
        days = self._count(7)
        self.are_right &= (days >= EXCEL_FIRST) & (days <= EXCEL_LAST)
        ms = self._day_part() if self.column.kind == "timestamp" else 0
        return (days + EXCEL_ZERO) * DAY_MICROS + ms * 1000

    def _day_part(self) -> Numbers:
        """Return the milliseconds of a fraction of a day, to the nearest one, without an overflow."""
        have = self._mark()
        part, count = self._digits(18, have)
        self.are_right &= ~have | (count > 0)
        part = part * 10 ** (18 - count)
        # In units of 10 ** -18: part * 86,400,000 / 10**18 is part * 864 / 10**13.
        high, low = part // 10**9 * 864, part % 10**9 * 864
        return high // 10**4 + (high % 10**4 * 10**9 + low + 5 * 10**12) // 10**13
