"""The day in the name of a sample, and so the path of each day's file."""

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import NamedTuple

from commands.draft.answers import ask
from daybook.text import one_line

# How a day is written in the name of a file, by directives of strftime; longer ones first.
PATTERNS = {
    r"(?<!\d)\d{4}([-_.])\d{2}\1\d{2}(?!\d)": ("%Y{0}%m{0}%d",),
    r"(?<!\d)\d{2}([-_.])\d{2}\1\d{4}(?!\d)": ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y"),
    r"(?<!\d)\d{8}(?!\d)()": ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    r"(?<!\d)\d{4}([-_.])\d{2}(?!\d)": ("%Y{0}%m",),
}
LIKELY_YEARS = range(1950, 2101)
# How many days after its day a file may be named by.
MOST_DAYS_LATER = 3


class Dated(NamedTuple):
    """A path with the day in it, and the day of the sample; `is_month`: the name tells no more than a month."""

    path: str
    day: date | None = None
    is_month: bool = False
    days_later: int = 0


def path_of(folder: str, name: str, days: Collection[date]) -> Dated:
    """Return the path of each day's file. days: those of the sample's rows.

    Raises WrongWords if the name may mean two days and the rows do not say which.
    """
    ways = list(_dated(name))
    fitting = [way for way in ways if _fits(way, days)] or ways
    if len(fitting) > 1:
        options = " or ".join(f"--path '{folder}/{one_line(way.path)}'" for way in fitting)
        ask([f"{one_line(name)}: its name may be of {' or '.join(str(way.day) for way in fitting)}; say {options}"])
    found = fitting[0] if fitting else Dated(_literal(name))
    return found._replace(path=f"{folder}/{found.path}")


def day_named(name: str) -> Dated | None:
    """Return the day in a file's name, if it has one that can be read in one way."""
    ways = list(_dated(name))
    return ways[0] if len(ways) == 1 else None


def _fits(way: Dated, days: Collection[date]) -> bool:
    return way.day in days or (way.is_month and any(way.day == day.replace(day=1) for day in days))


def _dated(name: str) -> Iterator[Dated]:
    for pattern, formats in PATTERNS.items():
        found = list(re.finditer(pattern, name))
        ways = [way for format in formats if found and (way := _way(name, found[-1], format))]
        if ways:
            yield from ways
            return


def _way(name: str, found: re.Match[str], format: str) -> Dated | None:
    format = format.format(found[1])
    try:
        day = datetime.strptime(found[0], format).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
    if day.year not in LIKELY_YEARS:
        return None
    path = f"{_literal(name[: found.start()])}{{day:{format}}}{_literal(name[found.end() :])}"
    return Dated(path, day, "%d" not in format)


def delivered_later(dated: Dated, days: Collection[date]) -> Dated:
    """Return the path of a file that is named by a day after that of its rows, if all of them are of one such day."""
    if len(days) != 1 or dated.day is None or dated.is_month:
        return dated
    (day,) = days
    later = (dated.day - day).days
    if not 0 < later <= MOST_DAYS_LATER:
        return dated
    return dated._replace(path=dated.path.replace("{day:", f"{{day+{later}:", 1), day=day, days_later=later)


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
