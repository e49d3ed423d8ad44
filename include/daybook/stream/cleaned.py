"""`clean`, source by source: a first look at all keys, a second one at those that several rows may have, and then the
rows, batch by batch.

Nothing holds a source's rows, unless a pipeline has a transform, which gets all facts in one frame.
"""

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from daybook.days import days_around
from daybook.loader.line_numbers import LINES_OF_A_PART
from daybook.refused import rows as refused_rows
from daybook.rules.clean import (
    DROPPED_FOR,
    Cleaned,
    Cleaning,
    Known,
    clean_batch,
    in_conflict,
    keys_left,
    with_transform,
)
from daybook.rules.first_look import Hashes, compared_by, has_one_of, ranges, shared
from daybook.rules.frames import hashes, rows_schema
from daybook.rules.late_rows import LateFiles
from daybook.rules.twins import twins
from daybook.run import raw_rows
from daybook.run.step_run import SourceResult, StepRun
from daybook.spec import LATER, File, Source, clean_columns
from daybook.spec.needed import needed_after_clean
from daybook.storage.spill import Spill
from daybook.stream.counts import rows_of


def clean_source(step: StepRun, source: Source) -> SourceResult[pa.Table]:
    """Clean a source's rows; return those that were refused, and the counts."""
    by = Cleaning(source, step.pipeline, step.day_run.day)
    known = _known(step, by)
    schema, columns = _handed_on(by), _kept_columns(by)
    read, dropped, by_file = 0, Counter[str](), Counter[str]()
    refused: list[pa.Table] = []

    def cleaned() -> Iterator[Cleaned]:
        nonlocal read
        for rows in _loaded(step, source):
            read += rows.num_rows
            yield clean_batch(rows, by, known, _late_files(step, source, rows), columns)

    with step.new_table(f"{source.name}.parquet", schema) as write:
        for batch in _transformed(cleaned(), by):
            write(batch.kept.select(schema.names))
            refused.append(batch.refused)
            dropped.update(batch.dropped)
            by_file.update(_by_file(step, source, batch.kept))
    all_refused = pa.concat_tables(refused)
    kept = step.outputs[f"{source.name}.parquet"].rows or 0
    counts = rows_of(read, kept, all_refused, _in_order(dropped)).model_copy(update={"by_file": dict(by_file)})
    return SourceResult(with_raw(step, source, all_refused), counts)


def with_raw(step: StepRun, source: Source, refused: pa.Table) -> pa.Table:
    """Return refused rows with their raw bytes, as they are kept."""
    rows = raw_rows.rows_at(step, source, refused["line"].to_pylist())
    return refused_rows.with_raw(source.name, refused, [row.raw for row in rows], [row.place for row in rows])


def _loaded(step: StepRun, source: Source) -> Iterator[pa.Table]:
    return step.batches("load", f"{source.name}.parquet")


def _kept_columns(by: Cleaning) -> list[str] | None:
    """Return the columns that a batch keeps; None for all, which a transform gets."""
    return None if by.is_of_facts and by.pipeline.transform else _handed_on(by).names


def _handed_on(by: Cleaning) -> pa.Schema:
    if not by.is_of_facts:
        return rows_schema(by.source.columns)
    columns = {column.name: column for column in clean_columns(by.pipeline)}
    return rows_schema([columns[name] for name in needed_after_clean(by.pipeline)])


def _transformed(batches: Iterator[Cleaned], by: Cleaning) -> Iterator[Cleaned]:
    """Yield the batches; if there is a transform, all of them as one, as it leaves them."""
    if not (by.is_of_facts and by.pipeline.transform):
        yield from batches
        return
    kept, refused, dropped = zip(*batches, strict=True)
    together = Cleaned(pa.concat_tables(kept), pa.concat_tables(refused), dict(sum(map(Counter, dropped), Counter())))
    yield with_transform(together, by.pipeline)


def _in_order(dropped: Counter[str]) -> dict[str, int]:
    return {reason: dropped[reason] for reason in DROPPED_FOR if dropped[reason]}


def _known(step: StepRun, by: Cleaning) -> Known:
    """Look at all rows for equal ones and for keys that several have."""
    twins_, conflicts = list[int](), list[int]()
    for some in _suspects(step, by.source):
        lines, left = _in_question(step, by, some)
        own = twins(raw_rows.hashes_at(step, by.source, lines), by.source.on_twins)
        twins_ += own
        conflicts += in_conflict(left, by, own) if by.source.key else []
    return Known(twins_, conflicts)


def _suspects(step: StepRun, source: Source) -> list[Hashes]:
    """Return the hashes that several rows have, in ranges."""
    names = _compared(source)
    if not names:
        return []
    with Spill(step.folder) as spill:
        for rows in step.batches("load", f"{source.name}.parquet", names):
            spill.add(hashes(rows))
        return list(ranges(shared(spill.parts())))


def _compared(source: Source) -> list[str]:
    headers = {column.name: column.header for column in source.columns}
    return [headers[name] for name in compared_by(source)]


def _in_question(step: StepRun, by: Cleaning, some: Hashes) -> tuple[list[int], pa.Table]:
    """Return the lines of the rows that have some hashes; and if there is a key, what `keys_left` tells of these."""
    lines, left = list[int](), list[pa.Table]()
    for rows in _loaded(step, by.source):
        asked = rows.filter(pa.array(has_one_of(hashes(rows.select(_compared(by.source))), some)))
        lines += asked.column(0).to_pylist()
        if asked.num_rows and by.source.key:
            left.append(keys_left(asked, by, _late_files(step, by.source, asked)))
    return lines, pa.concat_tables(left) if left else pa.table({})


def _late_files(step: StepRun, source: Source, rows: pa.Table) -> LateFiles | None:
    if not isinstance(source, File) or not source.late_days:
        return None
    days = days_around(step.pipeline.schedule, step.day_run.day, source.late_days)
    return LateFiles(days, pc.divide(rows.column(0), LATER * LINES_OF_A_PART))


def _by_file(step: StepRun, source: Source, kept: pa.Table) -> dict[str, int]:
    has_late_rows = isinstance(source, File) and source.late_days
    return raw_rows.by_file(step, source, kept["line"]) if has_late_rows else {}
