"""Receipts: how many rows each step read, kept, refused and dropped on a day, what it read and wrote, and its cost.

A step's receipt is written into its folder when the step is done; the next step finds its inputs' hashes there.
`deploy` stores all of them with the publication, and refuses to publish if the rows do not balance (balance.py).
"""

import json
import resource
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import Field, model_validator

from daybook.ledger.code import digest
from daybook.ledger.old_receipts import from_notes
from daybook.postgres.day_state import DayState
from daybook.spec.value import Frozen

STEPS = (
    "extract_tables",
    "extract_files",
    "load",
    "clean",
    "index",
    "aggregate",
    "summarize",
    "save",
    "deploy",
)


# Receipts are read by the thousand: a default of `{}` would be copied deeply for each, a factory costs nothing.


class Fingerprint(Frozen):
    """The four parts of a fingerprint: hashes, except the libraries, which are names and versions."""

    inputs: str
    spec: str
    code: str
    libraries: str

    @property
    def key(self) -> str:
        """Return the one hash of all parts."""
        return digest(self.model_dump())

    def with_inputs(self, inputs: dict[str, str]) -> "Fingerprint":
        """Return the fingerprint with its inputs: the hash of each file that the step reads, by "step/name"."""
        return self.model_copy(update={"inputs": digest(inputs)})


class Lines(Frozen):
    """The lines below a file's header: all, of rows kept, of rows refused, empty, and no rows by the file's form."""

    read: int
    kept: int
    refused: int
    blank: int
    skipped: int = 0


class Rows(Frozen):
    """The rows of one source (or summary) in one step; refused and dropped are counts by reason.

    lines: of its files, since a row may take several; only `load` reads lines. below_top: of a summary, those in groups
    that it does not show, since they are not among its first ones. by_file: if rows may be late, those that `clean`
    kept by the name of their file.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"below_top", "by_file"})

    read: int
    kept: int
    refused: dict[str, int] = Field(default_factory=dict)
    dropped: dict[str, int] = Field(default_factory=dict)
    below_top: int = 0
    lines: Lines | None = None
    by_file: dict[str, int] = Field(default_factory=dict)

    @property
    def is_balanced(self) -> bool:
        """Return whether every row read was kept, refused or dropped, and every line is one of such a row or empty."""
        lines = self.lines
        is_every_line_counted = not lines or lines.read == lines.kept + lines.refused + lines.blank + lines.skipped
        not_kept = self.refused_rows + sum(self.dropped.values()) + self.below_top
        return is_every_line_counted and self.read == self.kept + not_kept

    @property
    def refused_rows(self) -> int:
        """Return the number of refused rows."""
        return sum(self.refused.values())

    @property
    def refused_lines(self) -> int:
        """Return the number of lines that the refused rows take; a row that is not of a file takes one."""
        return self.lines.refused if self.lines else self.refused_rows


class Output(Frozen):
    """A file that a step made."""

    rows: int | None = None
    size_bytes: int
    sha256: str


class Origin(Frozen):
    """The origin of an extracted file, and the proof that it is whole.

    place: the connection and the table, or the path on the server. name: of a part there. modified_at: the file's time,
    as the server writes it. is_encrypted: None for a table. checked_by: the checksum file that the copy matched, or "".
    without_day: how many rows of a table that is read by day have no day, so that no day's copy has them.
    as_of: the run that read the rows, if they are those of when the day was first published. instead_of: such a run, if
    its rows were not taken, because this run was forced.
    """

    place: str
    name: str = ""
    modified_at: str = ""
    is_encrypted: bool | None = None
    remarks: str = ""
    checked_by: str = ""
    without_day: int = 0
    as_of: str = ""
    instead_of: str = ""


class Held(Frozen):
    """Why a day was held, and who released it, and why."""

    why: str
    released_by: str
    released_why: str


class Mended(Frozen):
    """How many rows of each source one person mended for one reason."""

    who: str
    why: str
    rows: dict[str, int]

    @property
    def counted(self) -> str:
        """Return the counts in words, such as "flights 3"."""
        return ", ".join(f"{source} {count}" for source, count in self.rows.items())

    @property
    def sentence(self) -> str:
        """Return a sentence for people, such as "3 rows mended by ann: the hour was typed twice (flights 3)"."""
        count = sum(self.rows.values())
        return f"{count:,} row{'' if count == 1 else 's'} mended by {self.who}: {self.why} ({self.counted})"


class Done(Frozen):
    """The result of a step: counts of its rows, and facts about them; never a value of a row.

    rows: by source or summary. unknown: kept facts without a match, by lookup. totals: of the day, by measure.
    read_at: when the source was read, if that was before this day's step began. published: the files that `save` put
    into the published folder. origins: by the name of the extracted file, without its `.csv`. slices: what the rows
    were that were read of each table. mends_set_aside: mends made for another delivery, a sentence. run_id:
    of the run that was saved, or that readers see. outcome: of deploying. exports: what became of each, a sentence.
    """

    rows: dict[str, Rows] = Field(default_factory=dict)
    unknown: dict[str, int] = Field(default_factory=dict)
    totals: dict[str, Decimal] = Field(default_factory=dict)
    read_at: datetime | None = None
    published: dict[str, Output] = Field(default_factory=dict)
    origins: dict[str, Origin] = Field(default_factory=dict)
    slices: dict[str, DayState] = Field(default_factory=dict)
    mended: tuple[Mended, ...] = ()
    mends_set_aside: str = ""
    held: Held | None = None
    run_id: int | None = None
    outcome: str = ""
    exports: dict[str, str] = Field(default_factory=dict)


class Receipt(Done):
    """The record of one step on one day: its result, its inputs and outputs (by file name), its time and memory.

    overrides: the values of the spec that the run had set otherwise, by their paths, as in JSON.
    """

    pipeline: str
    day: date
    run: str
    step: str
    inputs: dict[str, str] = Field(default_factory=dict)
    outputs: dict[str, Output] = Field(default_factory=dict)
    # UTC. A receipt without it counts as older than every other.
    started_at: datetime = datetime.min.replace(tzinfo=UTC)
    fingerprint: Fingerprint | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    reused_from: str | None = None
    seconds: float
    peak_memory_mib: int

    @model_validator(mode="before")
    @classmethod
    def _from_notes(cls, words: dict[str, Any]) -> dict[str, Any]:
        return from_notes(words) if isinstance(words, dict) and "notes" in words else words

    @property
    def refused(self) -> int:
        """Return the number of rows that the step refused, over all sources."""
        return sum(rows.refused_rows for rows in self.rows.values())

    @property
    def dropped(self) -> int:
        """Return the number of rows that the step dropped, over all sources."""
        return sum(sum(rows.dropped.values()) for rows in self.rows.values())

    @property
    def saved_as(self) -> int:
        """Return the number of the run that the step saved or deployed. Raises ValueError for a step that does not."""
        if self.run_id is None:
            raise ValueError(f"{self.step} gives no run a number")
        return self.run_id

    @property
    def as_of(self) -> list[str]:
        """Return which sources were read by an earlier run, or were to be and are not: some words each."""
        origins = self.origins.items()
        kept = [f"{name} as of the run of {origin.as_of}" for name, origin in origins if origin.as_of]
        forced = [(name, origin.instead_of) for name, origin in origins if origin.instead_of]
        return kept + [f"{name} as it is now, forced, and no longer as of the run of {run}" for name, run in forced]

    @property
    def overridden(self) -> list[str]:
        """Return the values of the spec that the run had set otherwise, some words each."""
        return [f"{path} = {json.dumps(value)} for this run" for path, value in sorted(self.overrides.items())]

    def line(self) -> str:
        """Return the step's one log line, in counts."""
        reused = [f"reused={self.reused_from}"] if self.reused_from else []
        set_aside = [f"({self.mends_set_aside})"] if self.mends_set_aside else []
        rows = (_counts_of(name, rows) for name, rows in self.rows.items())
        return " ".join([self.step, *reused, *rows, *set_aside])

    def counts(self) -> dict[str, object]:
        """Return the facts for the next task and the UI: names, counts and hashes only."""
        hashes = {name: output.sha256 for name, output in self.outputs.items()}
        rows = {name: rows.model_dump() for name, rows in self.rows.items()}
        deployed = {"run_id": self.run_id, "outcome": self.outcome} if self.run_id else {}
        return {"line": self.line(), "rows": rows, "sha256": hashes, **deployed}


class NotPublished(NamedTuple):
    """How many rows of a day readers do not see: those that its steps refused, and those that they dropped."""

    refused: int
    dropped: int

    @classmethod
    def of_run(cls, receipts: Mapping[str, Receipt]) -> Self:
        """Count the rows of a run. receipts: by step."""
        done = receipts.values()
        return cls(sum(receipt.refused for receipt in done), sum(receipt.dropped for receipt in done))


class Meter:
    """Measures a step: wall seconds since the meter was made, and the process's peak memory."""

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the wall seconds since the meter was made."""
        return round(time.monotonic() - self._start, 3)

    @property
    def peak_memory_mib(self) -> int:
        """Return the most memory that this process has held."""
        # ru_maxrss is in KiB on Linux (getrusage(2)).
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def by_reason(refused: list[dict[str, str | None]]) -> dict[str, int]:
    """Count refused rows (their column and reason) by "column_reason", or the reason alone; sorted."""
    names = Counter("_".join(filter(None, (row["column"], row["reason"]))) for row in refused)
    return dict(sorted(names.items()))


def _counts_of(name: str, rows: Rows) -> str:
    parts = [f"{name} rows={rows.read} kept={rows.kept}"]
    for word, counts in (("refused", rows.refused), ("dropped", rows.dropped)):
        if counts:
            reasons = " ".join(f"{reason}={count}" for reason, count in counts.items())
            parts.append(f"{word}={sum(counts.values())} ({reasons})")
    if rows.below_top:
        parts.append(f"below_top={rows.below_top}")
    if rows.lines and rows.refused_lines != rows.refused_rows:
        parts.append(f"lines={rows.lines.read} refused_lines={rows.refused_lines}")
    return " ".join(parts)
