"""`clean`, source by source: a first look at all keys, a second one at those that several rows may have, and then the
rows, batch by batch.

Nothing holds a source's rows, unless a pipeline has a transform, which gets all facts in one frame.
"""

from collections import Counter
from typing import Protocol

import pyarrow as pa

from daybook.refused import rows as refused_rows
from daybook.rules.clean import DROPPED_FOR, Cleaning, Known, in_conflict
from daybook.rules.first_look import Hashes, Shared, ranges, shared
from daybook.rules.twins import twins
from daybook.run import raw_rows
from daybook.run.step_run import SourceResult, StepRun
from daybook.spec import Source
from daybook.storage.spill import Spill
from daybook.stream.cleaned_by_spark import RowsOnCluster
from daybook.stream.cleaning import InQuestion, Tally, Work, late_days
from daybook.stream.counts import rows_of
from daybook.stream.spread import is_spread


class _Rows(Protocol):
    """A source's rows, wherever they are read."""

    def shared(self) -> Shared:
        """Return the hashes that several rows have."""

    def in_question(self, some: Hashes) -> InQuestion:
        """Return the rows that have one of some hashes."""

    def cleaned(self, known: Known) -> Tally:
        """Write the clean rows as an output of the step; return what came of all."""


def clean_source(step: StepRun, source: Source) -> SourceResult[pa.Table]:
    """Clean a source's rows; return those that were refused, and the counts."""
    by = Cleaning(source, step.pipeline, step.day_run.day)
    work = Work(by, late_days(by))
    rows: _Rows = RowsOnCluster(step, work) if is_spread(step.pipeline, source.name) else _RowsHere(step, work)
    tally = rows.cleaned(_known(step, work, rows))
    all_refused = pa.concat_tables(tally.refused)
    by_file = raw_rows.by_file(step, source, tally.kept_of_file) if work.late else {}
    counts = rows_of(tally.read, tally.kept, all_refused, _in_order(tally.dropped))
    return SourceResult(with_raw(step, source, all_refused), counts.model_copy(update={"by_file": by_file}))


def with_raw(step: StepRun, source: Source, refused: pa.Table) -> pa.Table:
    """Return refused rows with their raw bytes, as they are kept."""
    rows = raw_rows.rows_at(step, source, refused["line"].to_pylist())
    return refused_rows.with_raw(source.name, refused, [row.raw for row in rows], [row.place for row in rows])


def _in_order(dropped: Counter[str]) -> dict[str, int]:
    return {reason: dropped[reason] for reason in DROPPED_FOR if dropped[reason]}


def _known(step: StepRun, work: Work, rows: _Rows) -> Known:
    """Look at all rows for equal ones and for keys that several have."""
    twins_, conflicts, source = list[int](), list[int](), work.by.source
    for some in ranges(rows.shared()) if work.compared else ():
        asked = rows.in_question(some)
        own = twins(raw_rows.hashes_at(step, source, asked.lines), source.on_twins)
        twins_ += own
        conflicts += in_conflict(pa.concat_tables(asked.left), work.by, own) if asked.left else []
    return Known(twins_, conflicts)


class _RowsHere:
    """A source's rows, read by this process a batch at a time."""

    def __init__(self, step: StepRun, work: Work) -> None:
        self._step, self._work = step, work
        self._name = f"{work.by.source.name}.parquet"

    def shared(self) -> Shared:
        """Return the hashes that several rows have."""
        with Spill(self._step.folder) as spill:
            for rows in self._step.batches("load", self._name, self._work.compared):
                spill.add(self._work.hashes(rows))
            return shared(spill.parts())

    def in_question(self, some: Hashes) -> InQuestion:
        """Return the rows that have one of some hashes."""
        return self._work.in_question(self._step.batches("load", self._name), some)

    def cleaned(self, known: Known) -> Tally:
        """Write the clean rows as an output of the step; return what came of all."""
        with self._step.new_table(self._name, self._work.schema) as write:
            return self._work.hand_on(self._step.batches("load", self._name), known, write)
