"""`index`, batch by batch: the facts joined to the lookups, which are held whole; on a cluster, by each worker."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import pyarrow as pa

from daybook.cluster.jobs import of_each
from daybook.ledger.receipt import Output
from daybook.rules.index import index_batch, indexed_schema, valid_lookups
from daybook.run.step_run import StepRun
from daybook.spec import Pipeline
from daybook.spec.needed import needed_after_clean
from daybook.stream.indexing import Facts
from daybook.stream.spread import Part, Piece, is_spread, new_table, parts_of

Lookups = dict[str, pa.Table]


def index_facts(step: StepRun, lookups: Lookups) -> Facts:
    """Write the facts joined to the lookups. lookups: by source. Raises BadData as `index` does."""
    pipeline, name = step.pipeline, f"{step.pipeline.facts}.parquet"
    if pipeline.facts in [lookup.source for lookup in pipeline.lookups]:
        lookups = lookups | {pipeline.facts: step.read_table("clean", name)}
    valid = valid_lookups(lookups, pipeline, step.day_run.day)
    index_them = _on_cluster if is_spread(pipeline, pipeline.facts) else _here
    return index_them(step, name, valid)


def _here(step: StepRun, name: str, valid: Lookups) -> Facts:
    with step.new_table(name, _schema(step.pipeline)) as write:
        return _write(step.batches("clean", name, least_rows=_least_rows(valid)), valid, step.pipeline, write)


def _on_cluster(step: StepRun, name: str, valid: Lookups) -> Facts:
    facts, piece = Facts(step.pipeline), new_table(step, name, _schema(step.pipeline))
    for done in of_each(parts_of(step, "clean", name), partial(_indexed, step.pipeline, valid, piece)):
        facts.add_all(done.facts)
        step.outputs |= done.output
    return facts


class _Done(NamedTuple):
    facts: Facts
    output: dict[str, Output]


def _indexed(pipeline: Pipeline, valid: Lookups, piece: Piece, part: Part) -> _Done:
    with piece.new_part(part.number) as write:
        facts = _write(part.batches(least_rows=_least_rows(valid)), valid, pipeline, write)
    return _Done(facts, piece.output(part.number, facts.counted.kept))


def _write(batches: Iterable[pa.Table], valid: Lookups, pipeline: Pipeline, write: Callable[[pa.Table], None]) -> Facts:
    facts, names = Facts(pipeline), _schema(pipeline).names
    for batch in batches:
        indexed = index_batch(batch, valid, pipeline)
        write(indexed.facts.select(names))
        facts.add(batch.num_rows, indexed)
    return facts


def _schema(pipeline: Pipeline) -> pa.Schema:
    return indexed_schema(needed_after_clean(pipeline), pipeline)


def _least_rows(valid: Lookups) -> int:
    # An engine prepares a lookup anew for each batch, which must not take longer than the batch.
    return max((rows.num_rows for rows in valid.values()), default=0)
