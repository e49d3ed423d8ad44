"""How suppliers usually spell nothing, yes and no, dates and numbers: `check` and `init` try these."""

import re
from typing import Any

NOTHING = (
    *("", "NA", "N/A", "n/a", "na", "NULL", "Null", "null", "None", "none", "NaN", "nan", "nil", "NIL", "#N/A"),
    *("-", "--", "---", "?", ".", "..", "*", "\\N", "(null)", "<NA>", "#NULL!", "missing"),
)
YES_AND_NO = (
    *(("Y", "N"), ("y", "n"), ("yes", "no"), ("Yes", "No"), ("YES", "NO"), ("1", "0"), ("T", "F"), ("t", "f")),
    *(("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("J", "N"), ("ja", "nein"), ("Ja", "Nein")),
    *(("O", "N"), ("oui", "non"), ("S", "N"), ("si", "no"), ("on", "off"), ("X", "-")),
)
DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m.%d.%Y", "%d%m%Y", "%m%d%Y", "%Y-%d-%m", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%y-%m-%d", "%y%m%d"),
    *("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d%b%Y", "%d-%b-%y"),
)
# Days, months and hours without zeros: after those with zeros, which read fewer values.
UNPADDED_DATES = (
    *("%-d/%-m/%Y", "%-m/%-d/%Y", "%-d.%-m.%Y", "%-d-%-m-%Y", "%-m-%-d-%Y", "%Y-%-m-%-d", "%Y/%-m/%-d"),
    *("%-d/%-m/%y", "%-m/%-d/%y", "%-d.%-m.%y", "%-d-%b-%Y", "%-d %b %Y", "%b %-d, %Y"),
)
UNPADDED_TIMES = ("%-H:%M", "%-H:%M:%S", "%-I:%M %p", "%-I:%M:%S %p")
TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%H.%M.%S", "%H.%M", "%H%M%S")
INSTANTS = tuple(
    f"{day}{sign}{time}{zone}" for day in DATES for sign in " T" for time in TIMES for zone in ("", "Z", "%z")
)
UNPADDED_INSTANTS = (
    *(f"{day} {time}" for day in UNPADDED_DATES for time in (*UNPADDED_TIMES, "%H:%M:%S", "%H:%M")),
    *(f"{day} {time}" for day in DATES for time in UNPADDED_TIMES),
)
DECIMAL = re.compile(r"[+-]?([0-9]+)(?:\.([0-9]*))?")
MOST_DIGITS, MOST_UNITS = 18, 5
MARKS_OF_NUMBERS: tuple[dict[str, str], ...] = (
    {},
    {"decimal_mark": ","},
    {"thousands_mark": ","},
    *({"thousands_mark": mark} for mark in ("'", "\u2019", " ", "\u00a0", "\u202f")),
    *({"decimal_mark": ",", "thousands_mark": mark} for mark in (".", " ", "\u00a0", "\u202f", "'")),
)
# A unit, a number with its marks and signs, and a unit.
NUMBER = re.compile(
    r"([^-\d.,+()%'\"\s\u2019]*)\s*[+(-]*[\d.,'\u2019\s_]*\d[\d.,'\u2019\s_]*(?:[eE][+-]?\d+)?[)%-]*\s*([^-\d.,+()%'\"\s\u2019]*)"
)


def signs(values: tuple[str, ...]) -> dict[str, Any]:
    """Return the words for what stands round the numbers of a column."""
    parts = [found for text in values if (found := NUMBER.fullmatch(text.strip()))]
    units = tuple(dict.fromkeys(unit for found in parts for unit in found.groups() if unit))
    negatives = {"trailing": any(re.search(r"[0-9]-$", text) for text in values)}
    negatives["parentheses"] = any(text.startswith("(") for text in values)
    said = {
        "units": units if len(units) <= MOST_UNITS else (),
        "negatives": tuple(sign for sign, is_there in negatives.items() if is_there),
        "bare_points": "read" if any(re.search(r"^[+-]?\.[0-9]|[0-9]\.$", text) for text in values) else "",
        "exponents": "read" if any(re.search(r"[0-9.][eE][+-]?[0-9]+$", text) for text in values) else "",
    }
    return {word: value for word, value in said.items() if value}
