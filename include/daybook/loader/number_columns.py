"""A whole column of numbers to their plain spelling at once, exactly as numbers.py makes it one by one.

Called by columns.py. It works on the bytes of all texts: units, percent signs and the sign are cut off at both ends,
thousands marks are taken out, and the decimal mark becomes a point. A text that it is not sure about is odd, and left
to numbers.py. Pure.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from daybook.loader.numbers import PERCENT
from daybook.loader.texts import Bytes, Flags, Numbers, content_of, flagged, flags, holders, texts_of
from daybook.spec.column import Column
from daybook.spec.writing import said

DIGIT_0, PLUS, MINUS, POINT, OPEN, CLOSE, BIG_E, SMALL_E = b"0+-.()Ee"
BLANKS = (b" ", "\u00a0".encode(), "\u202f".encode())
# More blanks beside a unit are odd, and so are exponents of more digits.
MOST_BLANKS, MOST_EXPONENT_DIGITS = 16, 2


class Plain(NamedTuple):
    """Numbers without signs, in their plain spelling; which are negative, and which are odd and mean nothing."""

    texts: pa.StringArray
    are_negative: Flags
    are_odd: Flags


def is_plain(texts: pa.StringArray, column: Column) -> bool:
    """Return whether numbers are spelled plainly: no word of the column says otherwise, and none has a plus."""
    if said(column) or column.extra_zeros == "ignore":
        return False
    content, _ = content_of(texts)
    return not (content == PLUS).any()


def plain_numbers(texts: pa.StringArray, column: Column) -> Plain:
    """Return a column of numbers in their plain spelling."""
    content, offsets = content_of(texts)
    spelled = _Spelled(content, offsets)
    units = [unit.encode() for unit in sorted(column.units or (), key=len, reverse=True)]
    percent = PERCENT.encode()
    units += [percent] if column.percent else []
    spelled.cut_units(units)
    are_negative = spelled.cut_sign(column)
    spelled.cut_units(units)
    if column.percent == "divide":
        spelled.are_odd |= ~spelled.have_percent & flags(texts.is_valid())
    point = (column.decimal_mark or ".").encode()[0]
    spelled.find_point(point, column.exponents == "read")
    if column.thousands_mark:
        spelled.take_out(column.thousands_mark.encode())
    spelled.check_points(point, column)
    if column.extra_zeros == "ignore":
        spelled.cut_zeros(column.scale - (2 if column.percent == "divide" else 0))
    spelled.are_odd &= flags(texts.is_valid())
    return Plain(texts_of(*spelled.left(point), texts), are_negative, spelled.are_odd)


class _Spelled:
    """Texts that are cut shorter step by step: the bytes of all, and the start and end of what is left of each."""

    def __init__(self, content: Bytes, offsets: Numbers) -> None:
        self.content, self.offsets = content, offsets
        self.starts, self.ends = offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64)
        self.are_odd = np.zeros(len(self.starts), bool)
        self.have_unit = np.zeros(len(self.starts), bool)
        self.have_percent = np.zeros(len(self.starts), bool)
        self.taken_out = np.zeros(0, np.int64)
        self.points = self.stops = self.ends

    def cut_units(self, units: list[bytes]) -> None:
        """Cut off a unit at either end, with the blanks beside it; two units are odd."""
        for unit in (unit for unit in units if self._is_anywhere(unit)):
            for at_end in (False, True):
                have = self._have(unit, at_end)
                self.are_odd |= have & self.have_unit
                self.have_unit |= have
                if unit == PERCENT.encode():
                    self.have_percent |= have
                self._cut(have, len(unit), at_end)
                self._cut_blanks(have, at_end)

    def cut_sign(self, column: Column) -> Flags:
        """Cut off the signs, and return which numbers are negative; signs that were not declared are odd."""
        allowed = column.negatives or ()
        first = self._first()
        opened, plus, minus = first == OPEN, first == PLUS, first == MINUS
        self._cut(opened | plus | minus, 1, at_end=False)
        # Only now, as the one sign of a text is not both.
        last = self._last()
        closed, behind = last == CLOSE, last == MINUS
        if "parentheses" in allowed:
            self.are_odd |= opened != closed
            self._cut(closed, 1, at_end=True)
        if "trailing" in allowed:
            self.are_odd |= behind & (opened | plus | minus)
            self._cut(behind, 1, at_end=True)
        else:
            behind = behind & False
        self.are_odd |= opened & ~closed
        are_negative: Flags = minus | behind | (opened & closed)
        return are_negative

    def find_point(self, point: int, has_exponents: bool) -> None:
        """Find where each number's decimals begin, and where its digits before the exponent end."""
        self.stops = self.ends.copy()
        if has_exponents:
            self._stop_at((self.content == BIG_E) | (self.content == SMALL_E), self.stops)
        self.points = self.stops.copy()
        self._stop_at(self.content == point, self.points)

    def take_out(self, mark: bytes) -> None:
        """Take out thousands marks; groups other than of three digits are odd."""
        places, of = self._inside(self._places(mark))
        if not len(places):
            return
        is_last = np.append(of[1:] != of[:-1], True)
        is_first = np.append(True, of[1:] != of[:-1])
        after = np.where(is_last, self.points[of], np.append(places[1:], 0)) - places - len(mark)
        before = np.where(is_first, places - self.starts[of], 1)
        self.are_odd[of[(after != 3) | (before < 1) | (before > 3)]] = True
        self.taken_out = (places[:, None] + np.arange(len(mark))).ravel()

    def check_points(self, point: int, column: Column) -> None:
        """Flag numbers as odd that have more than digits, one point, and an exponent, or too many decimals."""
        is_open = column.bare_points == "read"
        have_point = self.points < self.stops
        # Counted from the end of the exponent's shift: 1.50e1 is 15.0.
        decimals = np.where(have_point, self.stops - self.points - 1, 0)
        whole, part = self.points - self.starts, decimals
        self.are_odd |= (whole <= 0) & (not is_open or part <= 0) | have_point & (part <= 0) & (
            not is_open or whole <= 0
        )
        if column.exponents == "read":
            decimals = decimals - self._exponents()
        if column.kind == "decimal" and column.extra_zeros != "ignore":
            shift = 2 if column.percent == "divide" else 0
            self.are_odd |= decimals > column.scale - shift
        if column.kind == "integer" and column.extra_zeros != "ignore":
            self.are_odd |= have_point
        self._flag_other_bytes(point)

    def cut_zeros(self, scale: int) -> None:
        """Cut off zeros after the decimals that the scale has, and the point if only zeros come after it."""
        for _ in range(int((self.stops - self.points).max(initial=0))):
            more = (self.stops == self.ends) & (self.ends - self.points - 1 > scale) & (self._last() == DIGIT_0)
            if not more.any():
                break
            self._cut(more, 1, at_end=True)
            self.stops = np.where(more, self.ends, self.stops)
            alone = more & (self.ends - 1 == self.points)
            self._cut(alone, 1, at_end=True)
        # What still has too many was not zeros.
        self.are_odd |= self.ends - self.points - 1 > scale

    def left(self, point: int) -> tuple[Bytes, Numbers]:
        """Return the bytes that are left of all texts, with a point before the decimals, and the start of each."""
        content, widths = self.content, self.ends - self.starts
        are_left = _between(self.starts, self.ends, self.offsets, len(content))
        if len(self.taken_out):
            are_left[self.taken_out] = False
            widths = widths - np.bincount(holders(self.taken_out, self.offsets), minlength=len(widths))
        left = content if are_left.all() else content[are_left]
        return np.where(left == point, np.uint8(POINT), left) if point != POINT else left, np.append(
            0, np.cumsum(widths)
        )

    def _exponents(self) -> Numbers:
        """Return the number that each exponent is, and flag as odd those that are not one of one or two digits."""
        have = self.stops < self.ends
        at = np.where(have, self.stops + 1, 0)
        sign = self.content[np.minimum(at, len(self.content) - 1)] if len(self.content) else at
        signed = have & ((sign == PLUS) | (sign == MINUS))
        digits = np.where(have, self.ends - self.stops - 1 - signed, 0)
        self.are_odd |= have & ((digits < 1) | (digits > MOST_EXPONENT_DIGITS))
        number = np.zeros(len(at), np.int64)
        for place in range(MOST_EXPONENT_DIGITS):
            here = have & (place < digits)
            byte = self.content[np.minimum(at + signed + place, len(self.content) - 1)] if len(self.content) else at
            self.are_odd |= here & ((byte < DIGIT_0) | (byte > DIGIT_0 + 9))
            number = np.where(here, number * 10 + byte - DIGIT_0, number)
        return np.where(signed & (sign == MINUS), -number, number)

    def _flag_other_bytes(self, point: int) -> None:
        # Bytes wrap around below zero, so this is one comparison for all bytes that are not digits.
        others = np.flatnonzero(self.content - np.uint8(DIGIT_0) > 9)
        if len(self.taken_out):
            others = np.setdiff1d(others, self.taken_out, assume_unique=True)
        places, of = self._inside(others)
        # The first point is where it was found, and what stands in the exponent was looked at there.
        are_fine = (places == self.points[of]) & (self.content[places] == point) | (places >= self.stops[of])
        self.are_odd |= flagged(of[~are_fine], len(self.starts))

    def _stop_at(self, are_marks: Flags, stops: Numbers) -> None:
        places, of = self._inside(np.flatnonzero(are_marks))
        # Backwards, so that the first of a text is written last.
        before = places < stops[of]
        places, of = places[before][::-1], of[before][::-1]
        stops[of] = places

    def _inside(self, places: Numbers) -> tuple[Numbers, Numbers]:
        of = holders(places, self.offsets)
        inside = (places >= self.starts[of]) & (places < self.ends[of])
        return (places, of) if inside.all() else (places[inside], of[inside])

    def _places(self, mark: bytes) -> Numbers:
        places = np.flatnonzero(self.content == mark[0])
        for ahead in range(1, len(mark)):
            places = places[places + ahead < len(self.content)]
            places = places[self.content[places + ahead] == mark[ahead]]
        return places

    def _is_anywhere(self, mark: bytes) -> bool:
        return bool((self.content == mark[0]).any())

    def _have(self, mark: bytes, at_end: bool) -> Flags:
        starts = self.ends - len(mark) if at_end else self.starts
        have = self.ends - self.starts >= len(mark)
        for ahead, byte in enumerate(mark):
            have &= self.content[np.clip(starts + ahead, 0, len(self.content) - 1)] == byte
        return have

    def _cut(self, which: Flags, width: int, at_end: bool) -> None:
        if at_end:
            self.ends = self.ends - which * width
        else:
            self.starts = self.starts + which * width

    def _cut_blanks(self, which: Flags, at_end: bool) -> None:
        for _ in range(MOST_BLANKS):
            found = False
            for blank in filter(self._is_anywhere, BLANKS):
                have = which & self._have(blank, at_end)
                self._cut(have, len(blank), at_end)
                found |= bool(have.any())
            if not found:
                return

    def _first(self) -> Bytes:
        return self._byte_at(self.starts)

    def _last(self) -> Bytes:
        return self._byte_at(self.ends - 1)

    def _byte_at(self, places: Numbers) -> Bytes:
        if not len(self.content):
            return np.zeros(len(places), np.uint8)
        return np.where(self.starts < self.ends, self.content[np.clip(places, 0, len(self.content) - 1)], np.uint8(0))


def _between(starts: Numbers, ends: Numbers, offsets: Numbers, size: int) -> Flags:
    """Return which bytes lie between the start and the end of their text."""
    are_left = np.ones(size, bool)
    for firsts, widths in ((offsets[:-1], starts - offsets[:-1]), (ends, offsets[1:] - ends)):
        for place in range(int(widths.max(initial=0))):
            which = widths > place
            are_left[firsts[which] + place] = False
    return are_left
