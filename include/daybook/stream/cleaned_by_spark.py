"""`clean` of the facts on a Spark cluster: each worker cleans some of the rows, and Spark finds the hashes that several
rows have."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa

from daybook.cluster.jobs import collected, frame_of, of_each
from daybook.ledger.receipt import Output
from daybook.rules.clean import Known
from daybook.rules.first_look import Hashes, Shared
from daybook.run.step_run import StepRun
from daybook.stream.cleaning import InQuestion, Tally, Work
from daybook.stream.spread import Part, Piece, new_table, parts_of

_HASHES = pa.schema([("hash", pa.int64())])


class _Done(NamedTuple):
    tally: Tally
    output: dict[str, Output]


class RowsOnCluster:
    """The rows of the facts, read by the workers of a cluster."""

    def __init__(self, step: StepRun, work: Work) -> None:
        """Cut the rows into parts."""
        self._step, self._work = step, work
        self._name = f"{work.by.source.name}.parquet"
        self._parts = parts_of(step, "load", self._name)

    def shared(self) -> Shared:
        """Return the hashes that several rows have."""
        hashed = frame_of(self._parts, partial(_hashes, self._work), _HASHES)
        several = hashed.group_by("hash").agg(nw.len().alias("rows")).filter(nw.col("rows") > 1)
        return _shared(collected(several.select("hash", "rows")))

    def in_question(self, some: Hashes) -> InQuestion:
        """Return the rows that have one of some hashes."""
        found = of_each(self._parts, partial(_in_question, self._work, some))
        return InQuestion([line for one in found for line in one.lines], [left for one in found for left in one.left])

    def cleaned(self, known: Known) -> Tally:
        """Write the clean rows as outputs of the step, one of each part; return what came of all."""
        piece, tally = new_table(self._step, self._name, self._work.schema), Tally()
        for done in of_each(self._parts, partial(_cleaned, self._work, known, piece)):
            tally.add_all(done.tally)
            self._step.outputs |= done.output
        return tally


def _shared(found: pa.Table) -> Shared:
    # Spark has no unsigned integers.
    values = found["hash"].to_numpy().view(np.uint64)
    order = np.argsort(values)
    return Shared(values[order], found["rows"].to_numpy()[order].astype(np.int64))


def _hashes(work: Work, part: Part) -> Iterator[pa.Table]:
    for rows in part.batches(work.compared):
        yield pa.table([work.hashes(rows).view(np.int64)], schema=_HASHES)


def _in_question(work: Work, some: Hashes, part: Part) -> InQuestion:
    return work.in_question(part.batches(), some)


def _cleaned(work: Work, known: Known, piece: Piece, part: Part) -> _Done:
    with piece.new_part(part.number) as write:
        tally = work.hand_on(part.batches(), known, write)
    return _Done(tally, piece.output(part.number, tally.kept))
