"""One function a task: read, call the pure function, write, log one line of counts.

The order of the functions is the order of the work. To a caller each is a function of a day's `Work` that hands on
names, counts and hashes: `a_step` (run/step_run.py) wraps it, so that its files and its receipt lie in the run's
folder, and so that it is not done again where an earlier run has done the same. What a step may raise: the errors of
errors.py; anything else is a bug.
"""

from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import pyarrow as pa

from daybook.errors import BadData, Superseded
from daybook.ftp import fetch, ready
from daybook.ftp.fetch import notes_of
from daybook.ledger import queries
from daybook.ledger.decisions import Release
from daybook.ledger.receipt import Rows, by_reason
from daybook.loader import load as loading
from daybook.pages.report import report
from daybook.postgres import copy_tables
from daybook.postgres.session import Connection, at_once
from daybook.publish import deploy as deploying
from daybook.publish import save as saving
from daybook.publish.cleanup import tidy
from daybook.publish.deploy import changes
from daybook.publish.published_folder import follow, run_files
from daybook.refused import mends
from daybook.refused import rows as refused
from daybook.rules import aggregate as aggregating
from daybook.rules import clean as cleaning
from daybook.rules import index as indexing
from daybook.rules import plausible
from daybook.rules import summarize as summarizing
from daybook.run import raw_rows
from daybook.run.step_run import Step, a_step
from daybook.spec import Source, Table
from daybook.storage.folder import Folder
from daybook.storage.tables import csv_bytes, parquet_writer, write_parquet


@a_step
def extract_tables(step: Step) -> None:
    """Copy the pipeline's tables as CSV, all of one moment."""
    for connection_id in dict.fromkeys(table.connection for table in step.work.pipeline.tables):
        tables = tuple(table for table in step.work.pipeline.tables if table.connection == connection_id)
        copied = step.work.once(connection_id, partial(_copied, step, connection_id, tables))
        # The fence of publish/deploy.py compares when a day's facts were read.
        step.meter.started_at = min(step.meter.started_at, copied.started_at)
        for table in tables:
            step.folder.take(f"{table.name}.csv", copied.folder)
            step.note_output(f"{table.name}.csv", copied.rows[table.name])
            step.rows[table.name] = Rows(read=copied.rows[table.name], kept=copied.rows[table.name])
            step.notes[table.name] = f"{connection_id}: {table.relation}"


@a_step
def extract_files(step: Step) -> None:
    """Copy the day's files, once all are there and whole."""
    found = ready.check_ready(step.work, step.folder, datetime.now(UTC))
    for source in step.work.pipeline.files:
        delivery, connect = found[source.name], partial(step.work.ftp, source.connection)
        arrived = fetch.fetch_delivery(connect, delivery, step.folder)
        for one in arrived:
            step.note_output(f"{one.part.stem}.csv", None)
        if delivery.manifest:
            with step.new_file(f"{source.name}.manifest") as file:
                file.write(delivery.manifest.content)
        step.notes |= notes_of(delivery, arrived)


@a_step
def load(step: Step) -> None:
    """Type every row by the contract; set aside, with line, column and reason, each that breaks it."""
    step.folder.remove_file(refused.FILE_OF_FAILED)
    rows = {source.name: [loading.REFUSED.empty_table()] for source in step.work.pipeline.sources}
    try:
        for source in step.work.pipeline.sources:
            ground = step.raw(source), step.mends.inputs.get(f"mends/{source.name}")
            load_source = partial(_load_source, step, source, rows[source.name])
            rows[source.name] = step.once(source.name, ground, load_source)
    except BadData:
        with step.folder.new_file(refused.FILE_OF_FAILED) as file:
            write_parquet(refused.of_sources(rows), file)
        raise
    step.write(refused.FILE, refused.of_sources(rows))
    step.inputs |= step.mends.inputs
    step.notes |= step.mends.notes()
    if step.mends.applied:
        step.write(mends.FILE, step.mends.table())


@a_step
def clean(step: Step) -> None:
    """Drop, check and derive by the spec's rules; set aside each row that breaks one, with the rule."""
    taken_out = []
    for source in step.work.pipeline.sources:
        # Facts have to be of the day, so they are another day's work even where their bytes are the same.
        day = step.work.day if source.name == step.work.pipeline.facts else None
        mended = step.receipt("load").outputs.get(mends.FILE)
        ground = step.input("load", f"{source.name}.parquet"), step.raw(source), mended and mended.sha256, day
        taken_out.append(step.once(source.name, ground, partial(_cleaned, step, source)))
    step.write(refused.FILE, pa.concat_tables(taken_out))


@a_step
def index(step: Step) -> None:
    """Match the facts to the lookups by key, and order them by their own."""
    pipeline = step.work.pipeline
    facts = step.read("clean", f"{pipeline.facts}.parquet")
    lookups = [source.name for source in pipeline.sources if source.name != pipeline.facts]
    clean_rows = {pipeline.facts: facts, **{name: _lookup(step, name) for name in lookups}}
    indexed = indexing.index(facts, clean_rows, pipeline)
    step.write(f"{pipeline.facts}.parquet", indexed.facts)
    step.write(refused.FILE, refused.with_raw(step, pipeline.source(pipeline.facts), indexed.refused))
    step.unknown = indexed.unknown
    step.rows = {name: Rows(read=rows.num_rows, kept=rows.num_rows) for name, rows in clean_rows.items()}
    step.rows[pipeline.facts] = _rows(facts.num_rows, indexed.facts.num_rows, indexed.refused, {})


@a_step
def aggregate(step: Step) -> None:
    """Compute the measures per group."""
    facts_name = step.work.pipeline.facts
    facts = step.read("index", f"{facts_name}.parquet")
    aggregates = aggregating.aggregate(facts, step.work.pipeline)
    step.write("aggregates.parquet", aggregates)
    step.rows[facts_name] = Rows(read=facts.num_rows, kept=_rows_behind(aggregates))


@a_step
def summarize(step: Step) -> None:
    """Make the summaries from the aggregates, and hold a day back that does not look like the days before."""
    pipeline, day = step.work.pipeline, step.work.day
    aggregates = step.read("aggregate", "aggregates.parquet")
    step.totals = plausible.totals(aggregates, pipeline)
    facts = deploying.facts_sha256(pipeline, step.receipts_before())
    doubts = at_once(step.warehouse, partial(_doubts, step=step, facts_sha256=facts))
    summaries = summarizing.summarize(aggregates, pipeline, day)
    step.notes |= plausible.judged(doubts, pipeline, day, step.work.release)
    for name, summary in summaries.items():
        step.write(f"{name}.parquet", summary.drop_columns(["row_count"]))
        step.rows[name] = Rows(read=_rows_behind(aggregates), kept=_rows_behind(summary))


@a_step
def save(step: Step) -> None:
    """Write the summaries under the run's number, into the warehouse and as files, seen by nobody yet."""
    pipeline, day, summaries = step.work.pipeline, step.work.day, _summaries(step)
    run = saving.Run(step.work.run, deploying.reading(pipeline, step.receipts_before()).started_at)
    saved = at_once(step.warehouse, lambda session: saving.save(session, pipeline, day, run, summaries))
    files = run_files(step.work.published, day, saved.run_id)
    for name, summary in summaries.items():
        step.rows[name] = Rows(read=summary.num_rows, kept=saved.rows[name])
        with files.new_file(f"{name}.parquet") as file:
            write_parquet(summary, file)
        with files.new_file(f"{name}.csv") as file:
            file.write(csv_bytes(summary))
    step.notes["run_id"] = saved.run_id


@a_step
def deploy(step: Step) -> None:
    """Let readers see the run, in the warehouse and then in the published folder, with its report."""
    work, warehouse = step.work, step.warehouse
    receipts = step.receipts_before()
    run_id = int(receipts["save"].notes["run_id"])
    changed = at_once(warehouse, lambda session: changes(session, work.pipeline, work.day, run_id))
    with run_files(work.published, work.day, run_id).new_file("report.html") as file:
        file.write(report(work.pipeline, _summaries(step), receipts, changed))
    publish = partial(deploying.deploy, pipeline=work.pipeline, receipts=receipts, changes=changed)
    release = work.release or (Release(work.started_by, "forced") if work.is_forced else None)
    try:
        deployed = at_once(warehouse, partial(publish, is_forced=work.is_forced, release=release))
        at_once(warehouse, lambda session: follow(session, work.published, work.pipeline.name, work.day))
    except Superseded:
        tidy(work, run_id, warehouse)
        raise
    tidy(work, run_id, warehouse)
    step.rows = receipts["save"].rows
    step.notes = {"outcome": deployed.outcome.value, "run_id": deployed.run_id}


class _Copied(NamedTuple):
    """Tables of one moment: the folder that they were copied to, the number of rows of each, and when it began."""

    folder: Folder
    rows: dict[str, int]
    started_at: datetime


def _copied(step: Step, connection_id: str, tables: tuple[Table, ...]) -> _Copied:
    rows = copy_tables.copy_tables(partial(step.work.postgres, connection_id), tables, step.folder)
    return _Copied(step.folder, rows, step.meter.started_at)


def _load_source(step: Step, source: Source, taken_out: list[pa.Table]) -> list[pa.Table]:
    """Load a source; its refused rows are added to the list as they come. Returns the list."""
    name, kept, blank = f"{source.name}.parquet", 0, 0
    with (
        step.folder.new_file(name, is_last=False) as file,
        parquet_writer(file, loading.schema(source)) as parquet,
    ):
        for batch in raw_rows.batches(step, source, step.mends.records(source.name)):
            parquet.write_table(batch.kept)
            taken_out.append(batch.refused)
            kept, blank = kept + batch.kept.num_rows, blank + batch.blank
    all_refused = pa.concat_tables(taken_out)
    step.note_output(name, kept)
    read, dropped = kept + all_refused.num_rows + blank, {"blank": blank} if blank else {}
    step.rows[source.name] = _rows(read, kept, all_refused, dropped)
    return taken_out


def _cleaned(step: Step, source: Source) -> pa.Table:
    rows = step.read("load", f"{source.name}.parquet")
    cleaned = cleaning.clean(rows, source, step.work.pipeline, step.work.day)
    step.write(f"{source.name}.parquet", cleaned.kept)
    step.rows[source.name] = _rows(rows.num_rows, cleaned.kept.num_rows, cleaned.refused, cleaned.dropped)
    return refused.with_raw(step, source, cleaned.refused)


def _lookup(step: Step, source: str) -> pa.Table:
    name = f"{source}.parquet"
    return step.work.once((source, step.input("clean", name)), partial(step.read, "clean", name))


def _rows(read: int, kept: int, taken_out: pa.Table, dropped: dict[str, int]) -> Rows:
    reasons = by_reason(taken_out.select(["column", "reason"]).to_pylist())
    return Rows(read=read, kept=kept, refused=reasons, dropped=dropped)


def _rows_behind(groups: pa.Table) -> int:
    return sum(groups["row_count"].to_pylist())


def _summaries(step: Step) -> dict[str, pa.Table]:
    return {s.name: step.read("summarize", f"{s.name}.parquet") for s in step.work.pipeline.summaries}


def _doubts(session: Connection, *, step: Step, facts_sha256: str) -> list[str]:
    pipeline, day = step.work.pipeline, step.work.day
    if not queries.is_begun(session):
        return plausible.doubts(step.totals, {}, pipeline)
    same = queries.day_with_facts(session, pipeline.name, day, facts_sha256)
    plausible.check_not_another_days_file(pipeline, day, same)
    nearest = queries.nearest_days(session, pipeline.name, day, pipeline.plausible.days)
    return plausible.doubts(step.totals, nearest, pipeline)
