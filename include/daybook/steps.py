"""One function a task: read, call the pure function, write, log one line of counts.

The order of the functions is the order of the work. Each takes a day's `Work` (and, where it moves data, a way to
open a connection by its id), leaves its files and its receipt in the run's folder, and hands on names, counts and
hashes. What a step may raise: the errors of errors.py; anything else is a bug.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from daybook import aggregate as aggregating
from daybook import clean as cleaning
from daybook import deploy as deploying
from daybook import ftp, postgres
from daybook import index as indexing
from daybook import load as loading
from daybook import save as saving
from daybook import summarize as summarizing
from daybook.receipt import Rows, by_reason
from daybook.report import report
from daybook.spec import File, Source
from daybook.work import Connect, Step, Work, write_parquet

REFUSED = pa.schema([("source", pa.string()), *loading.REFUSED])


def extract_tables(work: Work, connect: Connect) -> dict[str, object]:
    """Copy the pipeline's tables as CSV, all of one moment. connect: opens a PostgreSQL connection by its id."""
    with work.step("extract_tables") as step:
        for connection_id in dict.fromkeys(table.connection for table in work.pipeline.tables):
            tables = tuple(table for table in work.pipeline.tables if table.connection == connection_id)
            with postgres.snapshot(partial(connect, connection_id)) as connection:
                postgres.check_columns(connection, tables)
                for table in tables:
                    with step.folder.new_file(f"{table.name}.csv") as file:
                        count = postgres.copy_out(connection, table, file)
                    step.note_output(f"{table.name}.csv", count)
                    step.rows[table.name] = Rows(read=count, kept=count)
                    step.notes[table.name] = f"{connection_id}: {table.relation}"
    return step.told()


def extract_files(work: Work, connect: Connect) -> dict[str, object]:
    """Copy the day's files. connect: opens an FTP connection by its id."""
    with work.step("extract_files") as step:
        for source in work.pipeline.files:
            path = source.path_on(work.day)
            with step.new_file(f"{source.name}.csv") as file:
                remote = ftp.fetch(partial(connect, source.connection), path, file)
            step.notes[source.name] = f"{source.connection}: {path}"
            step.notes[f"{source.name}_modified_at"] = remote.modified_at
    return step.told()


def load(work: Work) -> dict[str, object]:
    """Type every row by the contract; set aside, with line, column and reason, each that breaks it."""
    with work.step("load") as step:
        refused = [_loaded(step, source) for source in work.pipeline.sources]
        step.write("refused.parquet", pa.concat_tables(refused))
    return step.told()


def clean(work: Work) -> dict[str, object]:
    """Drop, check and derive by the spec's rules; set aside each row that breaks one, with the rule."""
    with work.step("clean") as step:
        refused = []
        for source in work.pipeline.sources:
            rows = step.read("load", f"{source.name}.parquet")
            cleaned = cleaning.clean(rows, source, work.pipeline, work.day)
            step.write(f"{source.name}.parquet", cleaned.kept)
            refused.append(_with_raw(step, source, cleaned.refused))
            step.rows[source.name] = _rows(rows.num_rows, cleaned.kept.num_rows, cleaned.refused, cleaned.dropped)
        step.write("refused.parquet", pa.concat_tables(refused))
    return step.told()


def index(work: Work) -> dict[str, object]:
    """Match the facts to the lookups by key, and order them by their own."""
    pipeline = work.pipeline
    with work.step("index") as step:
        clean_rows = {source.name: step.read("clean", f"{source.name}.parquet") for source in pipeline.sources}
        facts = clean_rows[pipeline.facts]
        indexed = indexing.index(facts, clean_rows, pipeline)
        step.write(f"{pipeline.facts}.parquet", indexed.facts)
        step.write("refused.parquet", _with_raw(step, pipeline.source(pipeline.facts), indexed.refused))
        step.unknown = indexed.unknown
        step.rows = {name: Rows(read=rows.num_rows, kept=rows.num_rows) for name, rows in clean_rows.items()}
        step.rows[pipeline.facts] = _rows(facts.num_rows, indexed.facts.num_rows, indexed.refused, {})
    return step.told()


def aggregate(work: Work) -> dict[str, object]:
    """Compute the measures per group."""
    facts_name = work.pipeline.facts
    with work.step("aggregate") as step:
        facts = step.read("index", f"{facts_name}.parquet")
        aggregates = aggregating.aggregate(facts, work.pipeline)
        step.write("aggregates.parquet", aggregates)
        step.rows[facts_name] = Rows(read=facts.num_rows, kept=_rows_behind(aggregates))
    return step.told()


def summarize(work: Work) -> dict[str, object]:
    """Make the summaries from the aggregates."""
    with work.step("summarize") as step:
        aggregates = step.read("aggregate", "aggregates.parquet")
        summaries = summarizing.summarize(aggregates, work.pipeline, work.day)
        for name, summary in summaries.items():
            step.write(f"{name}.parquet", summary.drop_columns(["row_count"]))
            step.rows[name] = Rows(read=_rows_behind(aggregates), kept=_rows_behind(summary))
    return step.told()


def save(work: Work, connect: Connect) -> dict[str, object]:
    """Write the summaries under the run's number, into the warehouse and as files, seen by nobody yet."""
    with work.step("save") as step:
        summaries = _summaries(step)
        with _warehouse(work, connect) as connection:
            saved = saving.save(connection, work.pipeline, work.day, work.run, summaries)
        for name, summary in summaries.items():
            step.rows[name] = Rows(read=summary.num_rows, kept=saved.rows[name])
            with (work.published / ".runs" / str(work.day) / str(saved.run_id)).new_file(f"{name}.parquet") as file:
                write_parquet(summary, file)
            with (work.published / ".runs" / str(work.day) / str(saved.run_id)).new_file(f"{name}.csv") as file:
                file.write(saving.csv_bytes(summary))
        step.notes["run_id"] = saved.run_id
    return step.told()


def deploy(work: Work, connect: Connect) -> dict[str, object]:
    """Let readers see the run, in the warehouse and then in the published folder, with its report."""
    with work.step("deploy") as step:
        receipts = work.receipts(before="deploy")
        run_id = int(receipts["save"].notes["run_id"])
        runs = work.published / ".runs" / str(work.day)
        with (runs / str(run_id)).new_file("report.html") as file:
            file.write(report(work.pipeline, _summaries(step), receipts))
        with _warehouse(work, connect) as connection:
            deployed = deploying.deploy(connection, work.pipeline, run_id, receipts, is_forced=work.is_forced)
        work.published.point(str(work.day), f".runs/{work.day}/{deployed.run_id}")
        step.notes = {"outcome": deployed.outcome.value, "run_id": deployed.run_id}
    return step.told()


def _loaded(step: Step, source: Source) -> pa.Table:
    name, batches = f"{source.name}.parquet", []
    with (
        step.folder.new_file(name) as file,
        pq.ParquetWriter(file, loading.schema(source), compression="zstd") as parquet,
        _raw(step, source) as stream,
    ):
        for batch in loading.load(stream, source):
            parquet.write_table(batch.kept)
            batches.append(_Counted(batch.kept.num_rows, batch.refused, batch.blank))
    refused = pa.concat_tables([loading.REFUSED.empty_table(), *(batch.refused for batch in batches)])
    kept, blank = sum(batch.kept for batch in batches), sum(batch.blank for batch in batches)
    step.note_output(name, kept)
    step.rows[source.name] = _rows(kept + refused.num_rows + blank, kept, refused, {"blank": blank} if blank else {})
    return _of(source, refused)


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
    lines = [raw[number] for number in refused["line"].to_pylist()]
    nothing = pa.nulls(len(lines), pa.string())
    table = refused.append_column("detail", nothing).append_column("raw", pa.array(lines, pa.binary()))
    return _of(source, table)


def _rows_behind(groups: pa.Table) -> int:
    return sum(groups["row_count"].to_pylist())


def _summaries(step: Step) -> dict[str, pa.Table]:
    return {s.name: step.read("summarize", f"{s.name}.parquet") for s in step.work.pipeline.summaries}


@contextmanager
def _warehouse(work: Work, connect: Connect) -> Iterator[Any]:
    with postgres.told("the warehouse"), connect(work.pipeline.target.connection) as connection:
        connection.execute("set lock_timeout = '30s'; set statement_timeout = '5min'")
        connection.commit()
        yield connection
