"""One function a task: read, call the pure function, write, log one line of counts.

The order of the functions is the order of the work. To a caller each is a function of a day's `Work` that hands on
names, counts and hashes: `a_step` (work.py) wraps it, so that its files and its receipt lie in the run's folder, and
so that it is not done again where an earlier run has done the same. What a step may raise: the errors of errors.py;
anything else is a bug.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from daybook import aggregate as aggregating
from daybook import clean as cleaning
from daybook import deploy as deploying
from daybook import ftp, ftp_ready, history, plausible, postgres
from daybook import index as indexing
from daybook import load as loading
from daybook import save as saving
from daybook import summarize as summarizing
from daybook.changes import changes
from daybook.errors import Superseded
from daybook.export import csv_bytes
from daybook.janitor import tidy
from daybook.plausible import Release
from daybook.postgres_session import Connection, at_once
from daybook.published import follow, run_files
from daybook.receipt import Rows, by_reason
from daybook.report import report
from daybook.spec import File, Source
from daybook.work import Step, a_step, write_parquet

REFUSED = pa.schema([("source", pa.string()), *loading.REFUSED])


@a_step
def extract_tables(step: Step) -> None:
    """Copy the pipeline's tables as CSV, all of one moment."""
    for connection_id in dict.fromkeys(table.connection for table in step.work.pipeline.tables):
        tables = tuple(table for table in step.work.pipeline.tables if table.connection == connection_id)
        rows = postgres.copy_tables(partial(step.work.postgres, connection_id), tables, step.folder)
        for table in tables:
            step.note_output(f"{table.name}.csv", rows[table.name])
            step.rows[table.name] = Rows(read=rows[table.name], kept=rows[table.name])
            step.notes[table.name] = f"{connection_id}: {table.relation}"


@a_step
def extract_files(step: Step) -> None:
    """Copy the day's files, once all are there and whole."""
    ftp_ready.check_ready(step.work, step.folder, datetime.now(UTC))
    for source in step.work.pipeline.files:
        with step.folder.part_file(f"{source.name}.csv") as part:
            fetched = ftp.fetch(partial(step.work.ftp, source.connection), source, step.work.day, part)
        step.note_output(f"{source.name}.csv", None)
        step.notes[source.name] = f"{source.connection}: {source.path_on(step.work.day)}"
        step.notes[f"{source.name}_modified_at"] = fetched.remote.modified_at
        step.notes[f"{source.name}_is_encrypted"] = fetched.is_encrypted
        step.notes[f"{source.name}_remarks"] = "; ".join(fetched.remarks)


@a_step
def load(step: Step) -> None:
    """Type every row by the contract; set aside, with line, column and reason, each that breaks it."""
    refused = [_loaded(step, source) for source in step.work.pipeline.sources]
    step.write("refused.parquet", pa.concat_tables(refused))


@a_step
def clean(step: Step) -> None:
    """Drop, check and derive by the spec's rules; set aside each row that breaks one, with the rule."""
    refused = []
    for source in step.work.pipeline.sources:
        rows = step.read("load", f"{source.name}.parquet")
        cleaned = cleaning.clean(rows, source, step.work.pipeline, step.work.day)
        step.write(f"{source.name}.parquet", cleaned.kept)
        refused.append(_with_raw(step, source, cleaned.refused))
        step.rows[source.name] = _rows(rows.num_rows, cleaned.kept.num_rows, cleaned.refused, cleaned.dropped)
    step.write("refused.parquet", pa.concat_tables(refused))


@a_step
def index(step: Step) -> None:
    """Match the facts to the lookups by key, and order them by their own."""
    pipeline = step.work.pipeline
    clean_rows = {source.name: step.read("clean", f"{source.name}.parquet") for source in pipeline.sources}
    facts = clean_rows[pipeline.facts]
    indexed = indexing.index(facts, clean_rows, pipeline)
    step.write(f"{pipeline.facts}.parquet", indexed.facts)
    step.write("refused.parquet", _with_raw(step, pipeline.source(pipeline.facts), indexed.refused))
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
    facts = deploying.reading(pipeline, step.work.receipts(before="summarize")).outputs[f"{pipeline.facts}.csv"]
    doubts = at_once(_warehouse(step), partial(_doubts, step=step, facts_sha256=facts.sha256))
    summaries = summarizing.summarize(aggregates, pipeline, day)
    step.notes |= plausible.judged(doubts, pipeline, day, step.work.release)
    for name, summary in summaries.items():
        step.write(f"{name}.parquet", summary.drop_columns(["row_count"]))
        step.rows[name] = Rows(read=_rows_behind(aggregates), kept=_rows_behind(summary))


@a_step
def save(step: Step) -> None:
    """Write the summaries under the run's number, into the warehouse and as files, seen by nobody yet."""
    pipeline, day, summaries = step.work.pipeline, step.work.day, _summaries(step)
    run = saving.Run(step.work.run, deploying.reading(pipeline, step.work.receipts(before="save")).started_at)
    saved = at_once(_warehouse(step), lambda session: saving.save(session, pipeline, day, run, summaries))
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
    work, warehouse = step.work, _warehouse(step)
    receipts = work.receipts(before="deploy")
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


def _loaded(step: Step, source: Source) -> pa.Table:
    name, batches = f"{source.name}.parquet", []
    with (
        step.folder.new_file(name) as file,
        pq.ParquetWriter(file, loading.schema(source), compression="zstd") as parquet,
        _raw(step, source) as stream,
    ):
        for batch in loading.load(stream, source, name=_written_as(source, step.work.day)):
            parquet.write_table(batch.kept)
            batches.append(_Counted(batch.kept.num_rows, batch.refused, batch.blank))
    refused = pa.concat_tables([loading.REFUSED.empty_table(), *(batch.refused for batch in batches)])
    kept, blank = sum(batch.kept for batch in batches), sum(batch.blank for batch in batches)
    step.note_output(name, kept)
    step.rows[source.name] = _rows(kept + refused.num_rows + blank, kept, refused, {"blank": blank} if blank else {})
    return _of(source, refused)


def _written_as(source: Source, day: date) -> str:
    return source.path_on(day).rpartition("/")[2] if isinstance(source, File) else source.name


class _Counted(NamedTuple):
    """What stays in memory of a batch after its rows are written."""

    kept: int
    refused: pa.Table
    blank: int


def _raw(step: Step, source: Source) -> BinaryIO:
    extracted = "extract_files" if isinstance(source, File) else "extract_tables"
    return step.open(extracted, f"{source.name}.csv")


def _of(source: Source, refused: pa.Table) -> pa.Table:
    names = pa.array([source.name] * refused.num_rows, pa.string())
    return refused.add_column(0, "source", names).cast(REFUSED)


def _rows(read: int, kept: int, refused: pa.Table, dropped: dict[str, int]) -> Rows:
    reasons = by_reason(refused.select(["column", "reason"]).to_pylist())
    return Rows(read=read, kept=kept, refused=reasons, dropped=dropped)


def _with_raw(step: Step, source: Source, refused: pa.Table) -> pa.Table:
    """Give refused rows with their raw bytes, looked up by line in the raw file."""
    wanted = set(refused["line"].to_pylist())
    raw: dict[int, bytes] = {}
    if wanted:
        with _raw(step, source) as stream:
            raw = {number: line.rstrip(b"\r\n") for number, line in enumerate(stream, 1) if number in wanted}
    # Of packed files, and of those with other line ends, the landed bytes have no such lines: the number has to do.
    lines = [raw.get(number) for number in refused["line"].to_pylist()]
    nothing = pa.nulls(len(lines), pa.string())
    table = refused.append_column("detail", nothing).append_column("raw", pa.array(lines, pa.binary()))
    return _of(source, table)


def _rows_behind(groups: pa.Table) -> int:
    return sum(groups["row_count"].to_pylist())


def _summaries(step: Step) -> dict[str, pa.Table]:
    return {s.name: step.read("summarize", f"{s.name}.parquet") for s in step.work.pipeline.summaries}


def _doubts(session: Connection, *, step: Step, facts_sha256: str) -> list[str]:
    pipeline, day = step.work.pipeline, step.work.day
    if not history.is_begun(session):
        return plausible.doubts(step.totals, {}, pipeline)
    same = history.day_with_facts(session, pipeline.name, day, facts_sha256)
    plausible.check_not_another_days_file(pipeline, day, same)
    nearest = history.nearest_days(session, pipeline.name, day, pipeline.plausible.days)
    return plausible.doubts(step.totals, nearest, pipeline)


def _warehouse(step: Step) -> Callable[[], Connection]:
    return partial(step.work.postgres, step.work.pipeline.target.connection)
