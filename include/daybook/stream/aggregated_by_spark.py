"""`aggregate` on a Spark cluster: each worker aggregates some of the facts, and Spark rolls up what they found.

What they found lies beside the step's files until Spark has read it.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from functools import partial, reduce
from typing import NamedTuple

import narwhals as nw
import pyarrow as pa

from daybook.cluster.jobs import frame_of, giving_up, of_each
from daybook.ledger.receipt import Output
from daybook.rules import aggregate, summarize
from daybook.rules.aggregate import Aggregates, Seen
from daybook.rules.clean_rows import clean_rows
from daybook.rules.frames import close_frame, for_engines
from daybook.rules.index import indexed_schema
from daybook.rules.per_summary import ROWS, PerSummary
from daybook.rules.rolled_up import rolled_up_frame
from daybook.run.step_run import StepRun
from daybook.spec import CleanRows, Pipeline
from daybook.spec.needed import needed_after_clean
from daybook.spec.work import group_columns
from daybook.storage.tables import rows_file
from daybook.stream.spread import Part, Piece, new_table, parts_of


class Found(NamedTuple):
    """How many facts were read, their aggregates, and the measures that do not add up, counted."""

    read: int
    aggregates: pa.Table
    others: PerSummary


class _Work(NamedTuple):
    """What each worker does, and where it writes: rows that are published as they are, aggregates, and counts."""

    pipeline: Pipeline
    day: date
    views: list[tuple[CleanRows, Piece]]
    aggregates: Piece
    counts: list[Piece]


class _Done(NamedTuple):
    read: int
    seen: Seen
    outputs: dict[str, Output]


def aggregate_on_cluster(step: StepRun, views: list[CleanRows]) -> Found:
    """Aggregate the indexed facts, and write those that are published as they are, in parts."""
    pipeline, parts = step.pipeline, parts_of(step, "index", f"{step.pipeline.facts}.parquet")
    others = _no_facts(pipeline)
    work = _work(step, views, others)
    try:
        done = of_each(parts, partial(_aggregated, work))
        reduce(Seen.with_others, (one.seen for one in done)).check_sums_fit(pipeline)
        aggregates = _rolled_up(work.aggregates, parts, pipeline)
        for key, piece in zip(others.counts(), work.counts, strict=True):
            others.add_counts(key, _added_up(piece, parts))
    finally:
        for piece in (work.aggregates, *work.counts):
            piece.remove()
    for one in done:
        step.outputs |= one.outputs
    return Found(sum(one.read for one in done), aggregates, others)


def _no_facts(pipeline: Pipeline) -> PerSummary:
    others = PerSummary(pipeline)
    others.add(indexed_schema(needed_after_clean(pipeline), pipeline).empty_table())
    return others


def _work(step: StepRun, views: list[CleanRows], no_facts: PerSummary) -> _Work:
    pipeline = step.pipeline
    rows = [(view, new_table(step, rows_file(view.name), summarize.schema(pipeline, view))) for view in views]
    aggregates = new_table(step, "found.aggregates.parquet", aggregate.schema(pipeline))
    counts = [
        new_table(step, f"found.counts_{number}.parquet", counted.schema)
        for number, counted in enumerate(no_facts.counts().values())
    ]
    return _Work(pipeline, step.day_run.day, rows, aggregates, counts)


def _aggregated(work: _Work, part: Part) -> _Done:
    read, aggregates, others = 0, Aggregates(work.pipeline), PerSummary(work.pipeline)
    with ExitStack() as opened:
        writers = [(view, opened.enter_context(piece.new_part(part.number))) for view, piece in work.views]
        for facts in part.batches():
            read += facts.num_rows
            aggregates.add(facts)
            others.add(facts)
            for view, write in writers:
                write(clean_rows(facts, view, work.pipeline, work.day))
    found = zip((work.aggregates, *work.counts), (aggregates.table(), *others.counts().values()), strict=True)
    for piece, table in found:
        with piece.new_part(part.number) as write:
            write(table)
    outputs = [piece.output(part.number, read) for _, piece in work.views]
    return _Done(read, aggregates.seen, {name: output for one in outputs for name, output in one.items()})


def _rolled_up(piece: Piece, parts: list[Part], pipeline: Pipeline) -> pa.Table:
    by = group_columns(pipeline)
    with giving_up():
        return close_frame(rolled_up_frame(_read(piece, parts), by, pipeline), piece.schema, by)


def _added_up(piece: Piece, parts: list[Part]) -> pa.Table:
    by = [name for name in piece.schema.names if name != ROWS]
    with giving_up():
        return close_frame(_read(piece, parts).group_by(*by).agg(nw.col(ROWS).sum()), piece.schema, ())


def _read(piece: Piece, parts: list[Part]) -> nw.LazyFrame[pa.Table]:
    """Return what all workers wrote, with integers instead of decimals."""
    written = [piece.part(part.number) for part in parts]
    return frame_of(written, _integers, for_engines(piece.schema.empty_table()).schema)


def _integers(part: Part) -> Iterator[pa.Table]:
    return map(for_engines, part.batches())
