"""The nine steps, in the order of the work: each takes a `StepRun` and returns its result.

A step reads files of the steps before it, calls the pure functions of `loader` or `rules`, and writes its own files;
run/step_run.py opens the files, and run/run_step.py writes the receipt of its result. A step may raise the errors of
errors.py; any other is a bug.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa

from daybook.days import days_after
from daybook.errors import BadData, Superseded
from daybook.ftp.fetch import fetch_delivery
from daybook.ftp.ready import Due, check_ready
from daybook.ftp.retry import BRIEF, PATIENCE, Patience
from daybook.ledger import first_load, queries
from daybook.ledger.decisions import Release
from daybook.ledger.receipt import Done, Held, Origin, Rows
from daybook.ledger.refused_limits import check_refused
from daybook.loader import load as loading
from daybook.pages.report import report
from daybook.postgres.marks import LocalDay
from daybook.postgres.session import Connection, at_once
from daybook.postgres.shared_moment import Copies, SharedMoment
from daybook.publish import definitions
from daybook.publish import deploy as deploying
from daybook.publish import save as saving
from daybook.publish.cleanup import Deployed, clean_up
from daybook.publish.exports import Exporter
from daybook.publish.files import write_files
from daybook.publish.finished_periods import follow_periods
from daybook.publish.published_folder import follow
from daybook.refused import mends
from daybook.refused import rows as refused_rows
from daybook.rules import plausible
from daybook.rules import summarize as summarizing
from daybook.run.as_of import take_copies
from daybook.run.origins import origins_of
from daybook.run.step_run import StepRun
from daybook.spec import CleanRows, Pipeline, Table
from daybook.spec.work import measures_per_summary
from daybook.storage.tables import keys_file, measures_file, rows_file, write_parquet
from daybook.stream.aggregated import aggregate_facts
from daybook.stream.cleaned import clean_source, with_raw
from daybook.stream.counts import rows_of
from daybook.stream.indexed import index_facts
from daybook.stream.loaded import load_source


def extract_tables(step: StepRun) -> Done:
    """Copy the pipeline's tables as CSV, all of one moment."""
    taken = take_copies(step, step.pipeline.tables)
    to_read = [table for table in step.pipeline.tables if table.name not in taken.rows]
    rows, origins, slices = dict(taken.rows), dict(taken.origins), dict(taken.slices)
    read_at = step.meter.started_at
    for connection_id in dict.fromkeys(table.connection for table in to_read):
        tables = tuple(table for table in to_read if table.connection == connection_id)
        copies = _copies(step, connection_id, tables)
        # The fence of publish/deploy.py compares when a day's facts were read.
        read_at = min(read_at, copies.read_at)
        for table in tables:
            folder, found = copies.of[table.name]
            step.folder.take(f"{table.name}.csv", folder)
            step.note_output(f"{table.name}.csv", found.rows)
            rows[table.name] = Rows(read=found.rows, kept=found.rows)
            origin = Origin(place=f"{connection_id}: {table.relation}", without_day=found.without_day)
            origins[table.name] = taken.noted(table.name, origin)
            slices[table.name] = found.state
    return Done(rows=rows, origins=origins, slices=slices, read_at=read_at)


def extract_files(step: StepRun) -> Done:
    """Copy the day's files, once all are there and whole."""
    pipeline, day_run = step.pipeline, step.day_run
    taken = take_copies(step, pipeline.files)
    due_on = {file.name: pipeline.delivered_on(file, day_run.day) for file in pipeline.files}
    to_read = tuple(file for file in pipeline.files if file.name not in taken.origins and due_on[file.name])
    later = days_after(pipeline.schedule, day_run.day, max((file.late_days for file in to_read), default=0))
    day_run.await_later(later)
    on = {name: day for name, day in due_on.items() if day}
    due = Due(to_read, day_run.day, pipeline.schedule.time_zone, day_run.ftp, later, on)
    with day_run.noted_wait():
        deliveries = check_ready(due, step.folder, datetime.now(UTC))
    origins = dict(taken.origins)
    origins |= {name: Origin(place="no file is due for the day") for name, day in due_on.items() if not day}
    for source in to_read:
        delivery = deliveries[source.name]
        arrived = fetch_delivery(partial(day_run.ftp, source.connection), delivery, step.folder, _patience(step))
        for one in arrived:
            step.note_output(f"{one.part.stem}.csv", None)
        if delivery.manifest:
            with step.new_file(f"{source.name}.manifest") as file:
                file.write(delivery.manifest.content)
        read = origins_of(delivery, arrived)
        origins |= {stem: taken.noted(source.name, origin) for stem, origin in read.items()}
    return Done(origins=origins)


def load(step: StepRun) -> Done:
    """Type every row by the contract; refuse each row that breaks it, with line, column and reason."""
    sources, rows = step.pipeline.sources, dict[str, Rows]()
    refused = {source.name: [loading.REFUSED_SCHEMA.empty_table()] for source in sources}
    with _refused_kept(step, lambda: refused_rows.of_sources(refused)):
        for source in sources:
            key = step.raw(source), step.mends.inputs.get(f"mends/{source.name}")
            loaded = step.once(source.name, key, partial(load_source, step, source, refused[source.name]))
            refused[source.name], rows[source.name] = loaded
    step.inputs |= step.mends.inputs
    if step.mends.applied:
        step.write_table(mends.FILE, step.mends.table())
    return Done(rows=rows, mended=step.mends.mended, mends_set_aside="; ".join(step.mends.set_aside))


def clean(step: StepRun) -> Done:
    """Drop, check and derive by the spec's rules; refuse each row that breaks one, with the rule."""
    rows, refused = dict[str, Rows](), list[pa.Table]()
    mended = step.receipt("load").outputs.get(mends.FILE)
    for source in step.pipeline.sources:
        # Facts must be of the day, so no other day can reuse them, even if their bytes are the same.
        day = step.day_run.day if source.name == step.pipeline.facts else None
        key = step.input("load", f"{source.name}.parquet"), step.raw(source), mended and mended.sha256, day
        cleaned = step.once(source.name, key, partial(clean_source, step, source))
        refused.append(cleaned.given)
        rows[source.name] = cleaned.rows
    with _refused_kept(step, lambda: pa.concat_tables(refused)):
        check_refused(step.pipeline, step.rows_before() | {step.name: rows})
    return Done(rows=rows)


def index(step: StepRun) -> Done:
    """Join the facts to the lookups by key."""
    pipeline = step.pipeline
    lookups = {source.name: _lookup(step, source.name) for source in pipeline.sources if source.name != pipeline.facts}
    facts = index_facts(step, lookups)
    for lookup, keys in facts.keys.items():
        # Which of a lookup's rows the day rests on: see planning/lookup_keys.py.
        step.write_table(keys_file(lookup), keys)
    counted = facts.counted
    rows = {name: Rows(read=lookup.num_rows, kept=lookup.num_rows) for name, lookup in lookups.items()}
    rows[pipeline.facts] = rows_of(counted.read, counted.kept, counted.refused, {})
    refused = with_raw(step, pipeline.source(pipeline.facts), counted.refused)
    with _refused_kept(step, lambda: refused):
        check_refused(pipeline, step.rows_before() | {step.name: rows})
    return Done(rows=rows, unknown=counted.unknown)


def aggregate(step: StepRun) -> Done:
    """Compute the measures per group."""
    aggregated = aggregate_facts(step, _clean_rows(step.pipeline))
    aggregates = aggregated.aggregates
    step.write_table("aggregates.parquet", aggregates)
    for summary, measures in aggregated.per_summary.items():
        step.write_table(measures_file(summary), measures)
    rows = {step.pipeline.facts: Rows(read=aggregated.read, kept=_rows_behind(aggregates))}
    return Done(rows=rows, totals=plausible.totals(aggregates, step.pipeline))


def summarize(step: StepRun) -> Done:
    """Make the summaries from what `aggregate` left, and hold a day whose numbers are implausible."""
    pipeline, day = step.pipeline, step.day_run.day
    aggregates = step.read_table("aggregate", "aggregates.parquet")
    totals = plausible.totals(aggregates, pipeline)
    doubts = at_once(step.warehouse, partial(_doubts, step=step, totals=totals))
    measures = {name: step.read_table("aggregate", measures_file(name)) for name in measures_per_summary(pipeline)}
    summaries = summarizing.summarize(aggregates, pipeline, day, measures)
    held = _held(step, doubts)
    rows: dict[str, Rows] = {}
    cut = [summary.name for summary in pipeline.summaries if summary.top]
    for name, summary in summaries.items():
        step.write_table(f"{name}.parquet", summary.drop_columns(["row_count"]))
        read, kept = _rows_behind(aggregates), _rows_behind(summary)
        rows[name] = Rows(read=read, kept=kept, below_top=read - kept if name in cut else 0)
    for view in _clean_rows(pipeline):
        facts = step.read_table("aggregate", rows_file(view.name))
        step.write_table(f"{view.name}.parquet", facts)
        rows[view.name] = Rows(read=facts.num_rows, kept=facts.num_rows)
    return Done(rows=rows, totals=totals, held=held)


def save(step: StepRun) -> Done:
    """Write the summaries under the run's number, into the warehouse and as files; readers do not see them yet."""
    pipeline, day_run, summaries = step.pipeline, step.day_run, _summaries(step)
    run = saving.Run(day_run.run, deploying.facts_read_at(pipeline, step.receipts_before()))
    above = max(day_run.data.saved_run_ids(pipeline.name, day_run.day), default=0)
    day_run.once("prepared", lambda: at_once(step.warehouse, lambda session: definitions.prepare(session, pipeline)))
    saved = at_once(step.warehouse, lambda session: saving.save(session, pipeline, day_run.day, run, summaries, above))
    files = day_run.data.published_files(pipeline.name, day_run.day, saved.run_id)
    by_day = [view.name for view in pipeline.views if not view.every]
    published = {name: output for s in by_day for name, output in write_files(files, s, summaries[s]).items()}
    rows = {name: Rows(read=summary.num_rows, kept=saved.rows[name]) for name, summary in summaries.items()}
    return Done(rows=rows, run_id=saved.run_id, published=published)


def deploy(step: StepRun) -> Done:
    """Show readers the run, in the warehouse and then in the published folder, with its report; send its exports."""
    day_run, warehouse, pipeline, day = step.day_run, step.warehouse, step.pipeline, step.day_run.day
    receipts = step.receipts_before()
    run_id = receipts["save"].saved_as
    changes = at_once(warehouse, lambda session: deploying.changes(session, pipeline, day, run_id))
    with day_run.data.published_files(pipeline.name, day, run_id).new_file("report.html") as file:
        file.write(report(pipeline, _summaries(step), receipts, changes))
    release = day_run.release or (Release(day_run.started_by, "forced") if day_run.is_forced else None)
    publish = partial(deploying.deploy, is_forced=day_run.is_forced, release=release)
    left_over = Deployed(pipeline, day, day_run.run, run_id)
    try:
        deployed = at_once(warehouse, lambda session: publish(session, pipeline, receipts, changes))
        at_once(warehouse, lambda session: follow(session, day_run.data, pipeline.name, day))
        at_once(warehouse, lambda session: follow_periods(session, day_run.data, pipeline))
    except Superseded:
        clean_up(left_over, day_run.data, warehouse)
        raise
    exported = Exporter(pipeline, day_run.data, warehouse, day_run.ftp, day_run.postgres).pay_day(day)
    clean_up(left_over, day_run.data, warehouse)
    rows, outcome = receipts["save"].rows, deployed.outcome.value
    return Done(rows=rows, run_id=deployed.run_id, outcome=outcome, exports=exported)


def _copies(step: StepRun, connection_id: str, tables: tuple[Table, ...]) -> Copies:
    day_run, on = step.day_run, LocalDay(step.day_run.day, step.pipeline.schedule.time_zone)
    moment = day_run.once(connection_id, lambda: SharedMoment(partial(day_run.postgres, connection_id)))
    return moment.copy(tables, step.folder, on, step.meter.started_at)


def _patience(step: StepRun) -> Patience:
    """Return for how long a copy that breaks is tried at once: briefly, if the run can wait for the server and go on
    with what is here."""
    return BRIEF if step.day_run.attempt and step.folder.keeps_parts else PATIENCE


@contextmanager
def _refused_kept(step: StepRun, refused: Callable[[], pa.Table]) -> Iterator[None]:
    """Write a step's refused rows at the end of the block; if they are too many, where a person finds them to mend."""
    step.folder.remove_file(refused_rows.FILE_OF_FAILED)
    try:
        yield
    except BadData:
        with step.folder.new_file(refused_rows.FILE_OF_FAILED) as file:
            write_parquet(refused(), file)
        raise
    step.write_table(refused_rows.FILE, refused())


def _lookup(step: StepRun, source: str) -> pa.Table:
    name = f"{source}.parquet"
    return step.day_run.once((source, step.input("clean", name)), partial(step.read_table, "clean", name))


def _rows_behind(groups: pa.Table) -> int:
    return sum(groups["row_count"].to_pylist())


def _summaries(step: StepRun) -> dict[str, pa.Table]:
    return {view.name: step.read_table("summarize", f"{view.name}.parquet") for view in step.pipeline.views}


def _clean_rows(pipeline: Pipeline) -> list[CleanRows]:
    return [view for view in pipeline.views if isinstance(view, CleanRows)]


def _doubts(session: Connection, *, step: StepRun, totals: plausible.Totals) -> list[str]:
    pipeline, day = step.pipeline, step.day_run.day
    if not queries.is_begun(session):
        return plausible.doubts(day, totals, {}, pipeline)
    if step.receipt("load").rows[pipeline.facts].read:
        facts_sha256 = deploying.facts_sha256(pipeline, step.receipts_before())
        same = queries.day_with_facts(session, pipeline.name, day, facts_sha256)
        plausible.check_not_another_days_file(pipeline, day, same)
    known = max(pipeline.plausible.days, plausible.DAYS_KNOWN)
    before = first_load.days_before(session, pipeline.name, day, known, step.day_run.run)
    return plausible.doubts(day, totals, before, pipeline)


def _held(step: StepRun, doubts: Iterable[str]) -> Held | None:
    """Return why the day was held and who released it; None if there are no doubts, even with a release."""
    release, doubts = step.day_run.release, list(doubts)
    plausible.check_released(doubts, step.pipeline, step.day_run.day, is_released=release is not None)
    if not doubts or release is None:
        return None
    return Held(why="; ".join(doubts), released_by=release.who, released_why=release.why)
