"""How the numbers of a column are written: marks, signs, units; the digits and the scale that all of them need."""

import re
import unicodedata
from typing import Any, NamedTuple

from commands.spellings import MARKS_OF_NUMBERS, MOST_DIGITS, signs
from daybook.errors import BadSpec
from daybook.loader.numbers import plainly
from daybook.loader.values import HIGHEST_INTEGER
from daybook.spec import Column, Writing
from daybook.spec.writing import WORDS
from daybook.text import counted

# What stands beside a number and is no name: "Gate 5" and "A320" are texts. Signs of currencies are units too.
CODES = "EUR USD GBP CHF JPY CNY INR SEK NOK DKK PLN CZK HUF AUD CAD BRL MXN kr zł"
UNITS = "kg g t lb oz km m cm mm mi ft l ml kWh MWh W kW °C °F h min s ms pcs Stk"
# A decimal has room for so many digits before the point, or for as many as were seen.
USUAL_PLACES = 9


class Numbers(NamedTuple):
    """One way to read all texts of a column: the words, and each number in its plain spelling."""

    words: dict[str, Any]
    plain: tuple[str, ...]

    @property
    def mark(self) -> str:
        """Return what stands before the decimals."""
        return str(self.words.get("decimal_mark", "."))


def ways_to_read(values: list[str], delimiter: str, decimal_mark: str | None) -> list[Numbers]:
    """Return each different way to read all texts as numbers, that of fewest words first. decimal_mark: if known."""
    ways: dict[tuple[str, ...], Numbers] = {}
    if not all(re.search("[0-9]", text) for text in values):
        return []
    own = signs(tuple(values)) | ({"percent": "keep"} if any("%" in text for text in values) else {})
    if not all(_is_unit(unit, values) for unit in own.get("units", ())):
        return []
    if "exponents" in own and not _are_floats(values):
        return []
    for marks in MARKS_OF_NUMBERS:
        if decimal_mark is not None and marks.get("decimal_mark", ".") != decimal_mark:
            continue
        if plain := _plain(values, marks, own):
            ways.setdefault(plain, Numbers(_needed(values, delimiter, marks) | own, plain))
    return list(ways.values())


def _is_unit(unit: str, values: list[str]) -> bool:
    is_after = not any(text.strip().startswith(unit) for text in values)
    is_currency = unit in CODES.split() or all(unicodedata.category(sign) == "Sc" for sign in unit)
    return is_currency or (is_after and unit in UNITS.split())


def _are_floats(values: list[str]) -> bool:
    # 12E4 may be the number of a product; not so if others have a point, or all are as 12E+4.
    has_points = any("." in text for text in values)
    return has_points or all(re.search("[eE][+-]", text) for text in values if re.search("[eE]", text))


def _plain(values: list[str], marks: dict[str, str], own: dict[str, Any]) -> tuple[str, ...] | None:
    try:
        read = plainly(Writing(**marks, **own))
    except BadSpec:
        return None
    mark, found = marks.get("thousands_mark"), list[str]()
    for text in values:
        number = read(text.strip(" \t"))
        # No number begins with a group of 0.
        if number is None or (mark and re.search(rf"(?<![0-9])0[0-9]*{re.escape(mark)}", text)):
            return None
        found.append(number)
    return tuple(found)


def _needed(values: list[str], delimiter: str, marks: dict[str, str]) -> dict[str, Any]:
    used = {word: mark for word, mark in marks.items() if any(mark in text for text in values)}
    is_swapped = used.get("thousands_mark") == "." and "decimal_mark" in marks
    used |= {"decimal_mark": marks["decimal_mark"]} if is_swapped else {}
    return used | ({"are_marks_quoted": True} if delimiter in used.values() else {})


def number_column(column: Column, way: Numbers) -> Column | None:
    """Return a column of integers or decimals that all numbers fit, or None if none does, as with leading zeros."""
    parts = [number.lstrip("-").partition(".") for number in way.plain]
    wholes, decimals = [whole for whole, _, _ in parts], [part for _, _, part in parts]
    if any(len(whole) > 1 and whole.startswith("0") for whole in wholes):
        return None
    is_decimal = any(way.words.get(word) for word, kinds in WORDS.items() if kinds == ("decimal",))
    if not is_decimal and all(part in ("", "0") for part in decimals):
        return _integer(column, way, wholes, has_zeros=any(decimals))
    scale, places = max(map(len, decimals)), max(len(whole.lstrip("0")) for whole in wholes)
    if scale + places > MOST_DIGITS:
        return None
    return _changed(
        column, way, kind="decimal", digits=min(scale + max(places, USUAL_PLACES), MOST_DIGITS), scale=scale
    )


def _integer(column: Column, way: Numbers, wholes: list[str], *, has_zeros: bool) -> Column | None:
    if any(len(whole) > 19 or int(whole) > HIGHEST_INTEGER for whole in wholes):
        return None
    return _changed(column, way, kind="integer", **({"extra_zeros": "ignore"} if has_zeros else {}))


def _changed(column: Column, way: Numbers, **words: Any) -> Column:
    return Column(**(column.model_dump() | way.words | words))


def digits_seen(way: Numbers) -> str:
    """Return how many digits the numbers have, for a comment."""
    parts = [number.lstrip("-").partition(".") for number in way.plain]
    before, after = max(len(whole) for whole, _, _ in parts), max(len(part) for _, _, part in parts)
    return f"at most {counted(before, 'digit')} before the point and {after} after it"
