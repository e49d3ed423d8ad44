"""The first look at a source's rows: which of them may be equal, or share a key, without holding any of them.

Rows are told by a 64-bit hash. Rows that share one are suspects, and are compared exactly (rules/twins.py, clean.py);
all others differ for certain. Hashes that come more than once are cut into ranges with a limited number of rows each,
so that not even the suspects have to fit into memory together.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daybook.spec import Source

Hashes = NDArray[np.uint64]
# A row in question takes some 200 bytes, most of them for the hash of its record.
SUSPECTS_AT_ONCE = 200_000


class Shared(NamedTuple):
    """The hashes that several rows have, in ascending order, and how many rows have each."""

    values: Hashes
    rows: NDArray[np.int64]


def compared_by(source: Source) -> tuple[str, ...]:
    """Return the columns whose values tell whether rows are to be compared: the key, or all; none if nothing is."""
    if source.key or source.on_twins == "keep":
        return source.key
    return tuple(column.name for column in source.columns)


def shared(parts: Iterable[Hashes]) -> Shared:
    """Return which hashes come more than once. parts: equal hashes are in one part, and parts in ascending order."""
    found = [_shared(part) for part in parts]
    if not found:
        return Shared(np.empty(0, np.uint64), np.empty(0, np.int64))
    return Shared(np.concatenate([one.values for one in found]), np.concatenate([one.rows for one in found]))


def ranges(of: Shared, rows: int = SUSPECTS_AT_ONCE) -> Iterator[Hashes]:
    """Yield the shared hashes in ranges that about so many rows have, or one hash."""
    if not len(of.values):
        return
    number = (np.cumsum(of.rows) - 1) // rows
    yield from np.split(of.values, np.flatnonzero(np.diff(number)) + 1)


def has_one_of(own: Hashes, some: Hashes) -> NDArray[np.bool_]:
    """Return which hashes are among some, which are in ascending order."""
    place = np.minimum(np.searchsorted(some, own), len(some) - 1)
    found: NDArray[np.bool_] = some[place] == own
    return found


def _shared(part: Hashes) -> Shared:
    part = np.sort(part)
    starts = np.flatnonzero(np.concatenate([[True], part[1:] != part[:-1]])) if len(part) else np.empty(0, np.int64)
    rows = np.diff(starts, append=len(part))
    is_shared = rows > 1
    return Shared(part[starts[is_shared]], rows[is_shared])
