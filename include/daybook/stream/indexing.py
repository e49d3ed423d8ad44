"""What comes of the facts in `index`, of some of them after others: the same here and on a worker of a cluster."""

from collections import Counter
from typing import NamedTuple

import pyarrow as pa

from daybook.rules.index import Indexed, all_keys
from daybook.spec import Pipeline

# Keys of batches, beyond twice those of all before, that wait to be brought together.
KEYS_AT_ONCE = 500_000


class Counted(NamedTuple):
    """What came of the facts: how many were read and kept, the refused ones, and the kept ones without a match."""

    read: int
    kept: int
    refused: pa.Table
    unknown: dict[str, int]


class _Keys:
    """The keys that the facts have for a lookup, each once, of batches that come one after another."""

    def __init__(self) -> None:
        self._parts: list[pa.Table] = []
        self._most = KEYS_AT_ONCE

    def add(self, keys: pa.Table) -> None:
        self._parts.append(keys)
        if sum(part.num_rows for part in self._parts) > self._most:
            self._most = 2 * self.table().num_rows + KEYS_AT_ONCE

    def table(self) -> pa.Table:
        self._parts = [all_keys(self._parts)]
        return self._parts[0]


class Facts:
    """The indexed facts of a step, and what has come of them so far."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._labels = [lookup.label for lookup in pipeline.lookups]
        self._keys = {label: _Keys() for label in self._labels}
        self._refused: list[pa.Table] = []
        self._unknown = Counter[str]()
        self._read = self._kept = 0

    def add(self, read: int, batch: Indexed) -> None:
        """Count a batch. read: how many facts it was made of."""
        self._read, self._kept = self._read + read, self._kept + batch.facts.num_rows
        self._refused.append(batch.refused)
        self._unknown.update(batch.unknown)
        for label, keys in batch.keys.items():
            self._keys[label].add(keys)

    def add_all(self, other: "Facts") -> None:
        """Count what has come of other facts."""
        self._read, self._kept = self._read + other._read, self._kept + other._kept
        self._refused += other._refused
        self._unknown.update(other._unknown)
        for label, keys in other.keys.items():
            self._keys[label].add(keys)

    @property
    def counted(self) -> Counted:
        """Return what has come of the facts."""
        unknown = {label: self._unknown[label] for label in self._labels if self._unknown[label]}
        return Counted(self._read, self._kept, pa.concat_tables(self._refused), unknown)

    @property
    def keys(self) -> dict[str, pa.Table]:
        """Return the keys that the facts have, by lookup, each once, sorted."""
        return {label: keys.table() for label, keys in self._keys.items()}
