"""The name in a folder that a person would take for the expected one: other capitals, blanks, or form of the date."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

# Between digits a sign counts, so that part 1_1 is not part 11; elsewhere it may be a blank, "_", "-" or nothing.
BETWEEN_DIGITS = re.compile(r"(?<=\d)[\W_]+(?=\d)")
ELSEWHERE = re.compile(r"[\W_]+")
DATE_FORMS = (("%Y", "%m", "%d"), ("%d", "%m", "%Y"), ("%m", "%d", "%Y"), ("%y", "%m", "%d"))


def nearest(name: str, names: Iterable[str], day: date, others: Iterable[str] = ()) -> str:
    """Return the first name, by alphabet, that differs from the expected one only by capitals, blanks, underscores,
    or the form of the day's date; "" if there is none. others: names that are expected too, and never returned."""
    wanted, taken = _plain(name, day), set(others)
    return next((found for found in sorted(names) if found not in taken and _plain(found, day) == wanted), "")


def _plain(name: str, day: date) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold()
    for form in DATE_FORMS:
        # No other capital is left, so that these stand for nothing else.
        plain = re.sub(rf"(?<!\d){day.strftime('[^0-9a-z]?'.join(form))}(?!\d)", "D", plain)
    return ELSEWHERE.sub("", BETWEEN_DIGITS.sub("X", plain))
