"""`aggregate`, batch by batch: what is held is the groups, and the distinct values of measures that do not add up."""

from contextlib import ExitStack
from typing import NamedTuple

import pyarrow as pa

from daybook.rules.aggregate import Aggregates
from daybook.rules.clean_rows import clean_rows
from daybook.rules.per_summary import PerSummary
from daybook.rules.summarize import schema
from daybook.run.step_run import StepRun
from daybook.spec import CleanRows
from daybook.storage.tables import rows_file
from daybook.stream.aggregated_by_spark import Found, aggregate_on_cluster
from daybook.stream.spread import is_spread


class Aggregated(NamedTuple):
    """How many facts were read, their aggregates, and by summary the measures that do not add up."""

    read: int
    aggregates: pa.Table
    per_summary: dict[str, pa.Table]


def aggregate_facts(step: StepRun, views: list[CleanRows]) -> Aggregated:
    """Aggregate the indexed facts, and write those that are published as they are."""
    is_on_cluster = is_spread(step.pipeline, step.pipeline.facts)
    found = aggregate_on_cluster(step, views) if is_on_cluster else _aggregate_here(step, views)
    return Aggregated(found.read, found.aggregates, found.others.tables())


def _aggregate_here(step: StepRun, views: list[CleanRows]) -> Found:
    pipeline, day = step.pipeline, step.day_run.day
    read, aggregates, others = 0, Aggregates(pipeline), PerSummary(pipeline)
    with ExitStack() as opened:
        writers = {
            view.name: opened.enter_context(step.new_table(rows_file(view.name), schema(pipeline, view)))
            for view in views
        }
        for facts in step.batches("index", f"{pipeline.facts}.parquet"):
            read += facts.num_rows
            aggregates.add(facts)
            others.add(facts)
            for view in views:
                writers[view.name](clean_rows(facts, view, pipeline, day))
    return Found(read, aggregates.table(), others)
