"""The offsets of many local times of a zone at once, exactly as zoneinfo gives them one by one.

Called by moment_columns.py. A year's changes of the clock are found by asking zoneinfo for the offset at each midnight
of UTC, and halving the days on which it changes: no zone has changed twice within a day. Pure.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from daybook.loader.texts import Numbers

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS, SECOND_MICROS = 86_400, 1_000_000
# Times of more years are left to the slow way, as hardly any file has them; and so are the first and the last years,
# beside which there are none to be asked.
MOST_YEARS, FIRST_YEAR, LAST_YEAR = 300, 1000, 9998


class Change(NamedTuple):
    """A change of the clock: its second since 1970, and the offsets in seconds before and after it."""

    at: int
    before: int
    after: int


class Offsets(NamedTuple):
    """Each local time's offset in microseconds: the first and the second, which differ near a change (PEP 495)."""

    first: Numbers
    second: Numbers


def offsets(local: Numbers, zone: str) -> Offsets | None:
    """Return the offsets of local times in microseconds since 1970; None if they are of too many years."""
    first_year, last_year = ((EPOCH + timedelta(microseconds=int(end))).year for end in (local.min(), local.max()))
    if last_year - first_year > MOST_YEARS or first_year <= FIRST_YEAR or last_year >= LAST_YEAR:
        return None
    changes = [change for year in range(first_year - 1, last_year + 2) for change in changes_of(zone, year)]
    steps = [_offset(ZoneInfo(zone), _midnight(first_year - 1)), *(change.after for change in changes)]
    # A local time has its first offset until the later of a change's two readings, and its second from the earlier on.
    later = [change.at + max(change.before, change.after) for change in changes]
    earlier = [change.at + min(change.before, change.after) for change in changes]
    return Offsets(_step(local, later, steps), _step(local, earlier, steps))


def _step(local: Numbers, bounds: list[int], steps: list[int]) -> Numbers:
    found = np.searchsorted(np.array(bounds, np.int64) * SECOND_MICROS, local, side="right")
    micros: Numbers = (np.array(steps, np.int64) * SECOND_MICROS)[found]
    return micros


@lru_cache(maxsize=4096)
def changes_of(name: str, year: int) -> tuple[Change, ...]:
    """Return the changes of a zone's clock in a year of UTC."""
    zone, found = ZoneInfo(name), list[Change]()
    day, end = _midnight(year), _midnight(year + 1)
    before = _offset(zone, day)
    while day < end:
        after = _offset(zone, day + DAY_SECONDS)
        if after != before:
            found.append(Change(_halved(zone, day, day + DAY_SECONDS, before), before, after))
        day, before = day + DAY_SECONDS, after
    return tuple(found)


def _midnight(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - EPOCH).days * DAY_SECONDS


def _offset(zone: ZoneInfo, second: int) -> int:
    return int(((EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _halved(zone: ZoneInfo, start: int, end: int, before: int) -> int:
    while end - start > 1:
        middle = (start + end) // 2
        start, end = (middle, end) if _offset(zone, middle) == before else (start, middle)
    return end
