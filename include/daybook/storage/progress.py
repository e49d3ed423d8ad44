"""How far long work on a file is: a line in the task's log at each tenth of it, and a note in the step's folder.

`./daybook status` reads the note, on any machine that sees the data folder, so it is there also if the task runs
elsewhere. Small work says nothing. When a line comes is decided by bytes, not by a clock.
"""

import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from daybook.errors import BadSpec
from daybook.spec.value import Value
from daybook.storage.folder import Folder

log = logging.getLogger(__name__)

FILE = "progress.json"
PARTS = 10
# A disk writes so much in less than a second.
LEAST_BYTES = 64 * 2**20


class Noted(Value):
    """How far the work on a file or a table is. total_bytes, rows: None if unknown."""

    what: str
    done_bytes: int
    total_bytes: int | None
    rows: int | None
    began_at: datetime
    noted_at: datetime

    @property
    def sentence(self) -> str:
        """Return it in words: bytes, share, rows, rate, and the time that is left at this rate."""
        seconds = max((self.noted_at - self.began_at).total_seconds(), 0.001)
        rate = self.done_bytes / seconds
        of = (
            f" of {self.total_bytes:,} bytes, {self.done_bytes / self.total_bytes:.0%}"
            if self.total_bytes
            else " bytes"
        )
        rows = f", {self.rows:,} rows" if self.rows is not None else ""
        left = f", about {(self.total_bytes - self.done_bytes) / rate:.0f} s left" if self.total_bytes else ""
        return f"{self.what}: {self.done_bytes:,}{of}{rows}, {rate / 1e6:.1f} MB/s{left}"


class Progress:
    """The progress of one file or table; call `at` as often as you like."""

    def __init__(self, folder: Folder, what: str, total_bytes: int | None = None) -> None:
        """Begin. folder: the step's. what: a name for messages. total_bytes: None if unknown."""
        self._folder, self._what, self._total = folder, what, total_bytes
        self._began_at = datetime.now(UTC)
        self._every = max(LEAST_BYTES, (total_bytes or 0) // PARTS)
        self._next = self._every

    def at(self, done_bytes: int, rows: int | None = None) -> None:
        """Say how far it is, if another tenth is done."""
        if done_bytes < self._next:
            return
        self._next = (done_bytes // self._every + 1) * self._every
        words = {"what": self._what, "done_bytes": done_bytes, "total_bytes": self._total, "rows": rows}
        noted = Noted(**words, began_at=self._began_at, noted_at=datetime.now(UTC))
        log.info("%s", noted.sentence)
        self._folder.write_hint(FILE, noted.model_dump_json())


class AtWork(NamedTuple):
    """A step at work and how far it is."""

    step: str
    noted: Noted


def forget(folder: Folder) -> None:
    """Remove the note in a step's folder, if there is one; in an object store the next one replaces it."""
    if folder.keeps_parts:
        with suppress(OSError):
            folder.remove_file(FILE)


def latest(runs: list[Folder]) -> AtWork | None:
    """Return what was noted last by a step of some runs; None if no note is there, or all are damaged."""
    steps = [(name, run / name) for run in runs for name in run.names()]
    found = ((name, noted(step)) for name, step in steps if step.has(FILE))
    return max((AtWork(name, one) for name, one in found if one), key=lambda one: one.noted.noted_at, default=None)


def noted(folder: Folder) -> Noted | None:
    """Return the note in a step's folder; None if there is none, or it is damaged."""
    try:
        return Noted.model_validate_json(folder.content(FILE) or b"")
    except (ValueError, BadSpec):
        return None
