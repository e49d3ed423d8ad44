"""The state of a day, from the ledger and from its sources now: what a plan is made from."""

from datetime import date, datetime
from typing import NamedTuple

from daybook.ledger.receipt import Receipt
from daybook.postgres.day_state import DayState


class FileState(NamedTuple):
    """A file's size and time, as the server writes them."""

    size_bytes: int | None
    modified_at: str


class Failure(NamedTuple):
    """The last try of a day, if it failed after the last deployment: the step, the kind of error, its message, when.

    inputs_sha256, spec_sha256, code_sha256, libraries: the parts of the step's fingerprint, each None if unknown."""

    step: str
    kind: str
    message: str
    failed_at: datetime
    spec_sha256: str | None = None
    code_sha256: str | None = None
    libraries: str | None = None
    inputs_sha256: str | None = None


class Standing(NamedTuple):
    """The state of a day. deployed: the receipts, by step, of the last finished run, whether or not it changed anything
    for readers. files: by source, or for parts by "source.1" and so on, with their "source.manifest"; None if the
    server does not have it. failed: the receipts, by step, of the last failed run. mends: their hashes, by source and
    by the raw file's hash; None if unknown. rolled_back: by whom and why, if a rollback still stands. changed_keys: for
    a lookup whose table has changed, the keys of changed rows that the day's facts have; left out if unknown.
    published_content: the hash of what readers see; None if unknown. beside: what lies on the server instead of a
    missing file, in words, by the names of files. slices: the day's rows of each table that is read by day. unmarked:
    in words, the tables whose mark of the day is not there. settled: the sources of which the day keeps a copy."""

    day: date
    is_published: bool
    deployed: dict[str, Receipt]
    failure: Failure | None
    files: dict[str, FileState | None]
    failed: dict[str, Receipt] = {}
    mends: dict[str, dict[str, str]] | None = None
    rolled_back: str | None = None
    changed_keys: dict[str, tuple[str, ...]] = {}
    published_content: str | None = None
    beside: dict[str, str] = {}
    slices: dict[str, DayState] = {}
    unmarked: tuple[str, ...] = ()
    settled: frozenset[str] = frozenset()
