"""Many 64-bit numbers, brought together by their first bits: in memory while they are few, then in nameless files.

So equal numbers can be found among more of them than memory holds, one part after another. The files have no name, so
they are gone with the process, however it ends.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.storage.disk import disk_errors
from daybook.storage.folder import Folder

Numbers = NDArray[np.uint64]
BITS = 6
# 32 MiB.
NUMBERS_IN_MEMORY = 2**22


class Spill:
    """Numbers that are added, and then read in parts. It is a block, at whose end the files are gone."""

    def __init__(self, folder: Folder, in_memory: int = NUMBERS_IN_MEMORY) -> None:
        """folder: on whose disk the files are; if it is not on a disk, on this machine's. in_memory: how many."""
        self._folder, self._most = folder, in_memory
        self._waiting: list[Numbers] = []
        self._opened = ExitStack()
        self._files: list[Any] = []

    def __enter__(self) -> "Spill":
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def add(self, numbers: Numbers) -> None:
        """Add numbers. Raises as `disk_errors` if they do not fit on the disk."""
        self._waiting.append(numbers)
        if sum(map(len, self._waiting)) > self._most:
            with disk_errors(self._folder.path):
                self._write()

    def parts(self) -> Iterator[Numbers]:
        """Yield all numbers: equal ones in one part, and those of a part less than those of the next."""
        if not self._files:
            yield self._taken()
            return
        with disk_errors(self._folder.path):
            self._write()
        for file in self._files:
            file.seek(0)
            yield np.fromfile(file, np.uint64)

    def _taken(self) -> Numbers:
        waiting, self._waiting = self._waiting, []
        return np.concatenate([np.empty(0, np.uint64), *waiting])

    def _write(self) -> None:
        if not self._files:
            place = self._folder.local_place()
            opened = (tempfile.TemporaryFile(dir=place, buffering=0) for _ in range(2**BITS))  # noqa: SIM115 - closed at the end of the block
            self._files = [self._opened.enter_context(file) for file in opened]
        numbers = self._taken()
        part = (numbers >> np.uint64(64 - BITS)).astype(np.uint8)
        by_part = numbers[np.argsort(part, kind="stable")]
        ends = np.cumsum(np.bincount(part, minlength=2**BITS))
        for file, own in zip(self._files, np.split(by_part, ends[:-1]), strict=True):
            own.tofile(file)
