"""The step `deploy`: readers see the new run, in one short transaction; until it commits they see the old one, whole.

First the rows must balance. In the transaction: the day's lock, the fence (an older reading never replaces a newer
one), rollbacks (no run undoes one by itself), the pointer, the count that readers now see, and the ledger row with all
receipts. If the answer to a commit is lost, calling `deploy` again settles it: it may be called any number of times.
Before it, `changes` counts the rows that the run will change for readers.
"""

from datetime import date, datetime
from enum import Enum
from typing import NamedTuple

import psycopg
from psycopg import sql

from daybook.errors import Implausible, SourceUnavailable, Superseded
from daybook.ledger import decisions, exports, runs
from daybook.ledger.balance import Unbalanced, check_balance
from daybook.ledger.chain import content_sha256
from daybook.ledger.decisions import Decision, Release
from daybook.ledger.raw_files import content_of
from daybook.ledger.receipt import Receipt
from daybook.ledger.refused_limits import check_refused
from daybook.ledger.runs import Changes, Entry
from daybook.postgres.session import Connection
from daybook.publish import due_days
from daybook.publish.live import stored
from daybook.spec import File, Pipeline, View, stored_numbers
from daybook.text import counted, one_line, verb


def changes(connection: Connection, pipeline: Pipeline, day: date, run_id: int) -> Changes:
    """Compare a saved run with the one that readers of the day see. Empty if they see none, or nothing changes."""
    row = connection.execute(
        "select run_id from published where pipeline = %s and day = %s", [pipeline.name, day]
    ).fetchone()
    if row is None:
        return {}
    found = {summary.name: _of_summary(connection, pipeline, summary, row[0], run_id) for summary in pipeline.views}
    return {name: counts for name, counts in found.items() if any(counts.values())}


def _of_summary(connection: Connection, pipeline: Pipeline, summary: View, before: int, after: int) -> dict[str, int]:
    group = ("day", *summary.by)
    added = _only_in(connection, pipeline, summary, group, after, before)
    removed = _only_in(connection, pipeline, summary, group, before, after)
    numbers = stored_numbers(summary, pipeline.ratios)
    new_or_changed = _only_in(connection, pipeline, summary, (*group, *numbers, *summary.ranks), after, before)
    return {"added": added, "removed": removed, "changed": new_or_changed - added}


def _only_in(
    connection: Connection,
    pipeline: Pipeline,
    summary: View,
    columns: tuple[str, ...],
    here: int,
    there: int,
) -> int:
    # EXCEPT treats nulls as equal, as GROUP BY does; joins do not.
    query = sql.SQL(
        "select count(*) from "
        "(select {0} from {1} where run_id = %s except select {0} from {1} where run_id = %s) only_here"
    ).format(sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(pipeline.target.store, summary.name))
    row = connection.execute(query, [here, there]).fetchone()
    return int(row[0]) if row else 0


class Outcome(Enum):
    """The outcome: the pointer moved; it had moved before (the answer was lost); or there was nothing new."""

    PUBLISHED = "published"
    ALREADY_PUBLISHED = "already_published"
    UNCHANGED = "unchanged"


class Deployed(NamedTuple):
    """The outcome, and the run that readers see now."""

    outcome: Outcome
    run_id: int


def deploy(
    connection: Connection,
    pipeline: Pipeline,
    receipts: dict[str, Receipt],
    changes: Changes,
    *,
    is_forced: bool = False,
    release: Release | None = None,
) -> Deployed:
    """Publish a saved run.

    receipts: of all earlier steps, by step. changes: for readers. is_forced: publish even if nothing changed. release:
    publish even if a person rolled this content back. Raises Unbalanced if rows were lost on the way, BadData if too
    many were refused, Superseded if a run that read the facts later has published the day or the saved rows are gone,
    Implausible if a person rolled back the same content and nobody released it, SourceUnavailable if other runs hold
    the day's lock for too long.
    """
    check_balance(receipts, pipeline.facts)
    # Each step has judged its own refused rows; one that was reused did so beside the counts of another run.
    check_refused(pipeline, {step: receipt.rows for step, receipt in receipts.items()})
    entry, day = _entry(pipeline, receipts, changes), receipts["save"].day
    with connection.transaction():
        _lock(connection, pipeline, day)
        due_days.keep(connection, pipeline, day)
        seen = runs.publication(connection, pipeline.name, day)
        was_published = runs.was_published(connection, entry.run_id)
        if seen and was_published:
            return Deployed(Outcome.ALREADY_PUBLISHED, seen.run_id)
        is_same = seen and seen.content_sha256 == entry.content_sha256
        if seen and is_same and not is_forced and _is_seen_as_now(connection, pipeline, day, entry, seen.run_id):
            runs.confirm(connection, seen.run_id, entry.run_id)
            return Deployed(Outcome.UNCHANGED, seen.run_id)
        _check_fence(connection, pipeline, day, entry.run_id)
        released = _released(connection, pipeline, day, entry, release)
        _show(connection, pipeline, day, entry)
        # A publication that was taken back and is released is in the ledger already.
        if not was_published:
            runs.write(connection, pipeline.name, day, entry)
        _note_decisions(connection, pipeline, day, entry, released)
    return Deployed(Outcome.PUBLISHED, entry.run_id)


def reading(pipeline: Pipeline, receipts: dict[str, Receipt]) -> Receipt:
    """Return the receipt of the step that read the facts."""
    is_file = isinstance(pipeline.source(pipeline.facts), File)
    return receipts["extract_files" if is_file else "extract_tables"]


def facts_read_at(pipeline: Pipeline, receipts: dict[str, Receipt]) -> datetime:
    """Return when the facts were read, by the worker's clock: the fence compares these times."""
    receipt = reading(pipeline, receipts)
    return receipt.read_at or receipt.started_at


def facts_sha256(pipeline: Pipeline, receipts: dict[str, Receipt]) -> str:
    """Return the hash of the facts' raw bytes, which tells one day's facts from another's."""
    return content_of(reading(pipeline, receipts), pipeline.facts).sha256


def _entry(pipeline: Pipeline, receipts: dict[str, Receipt], changes: Changes) -> Entry:
    return Entry(
        run_id=receipts["save"].saved_as,
        content_sha256=content_sha256(pipeline, receipts["summarize"]),
        facts_sha256=facts_sha256(pipeline, receipts),
        rows_read=receipts["load"].rows[pipeline.facts].read,
        receipts=tuple(receipts.values()),
        changes=changes,
    )


def _lock(connection: Connection, pipeline: Pipeline, day: date) -> None:
    try:
        runs.lock_day(connection, pipeline.name, day)
    except psycopg.errors.LockNotAvailable:
        raise SourceUnavailable(
            f"{pipeline.name} {day}: another run is publishing this day, and has been for long; nothing was changed"
        ) from None


def _check_fence(connection: Connection, pipeline: Pipeline, day: date, run_id: int) -> None:
    own = runs.claim(connection, run_id)
    if own is None:
        raise Superseded(
            f"{pipeline.name} {day}: the rows that run {run_id} saved are gone: a newer run has published the day, or "
            "they lay unpublished for long; nothing was changed; clear `save` of this run to save them again"
        )
    newer = runs.newer_publication(connection, pipeline.name, day, own)
    if newer:
        raise Superseded(
            f"{pipeline.name} {day}: run {newer.run_id}, which read the facts at {newer.read_at:%Y-%m-%d %H:%M:%S %Z}, "
            f"has published this day; this is run {run_id}, which read them at {own.read_at:%Y-%m-%d %H:%M:%S %Z}; "
            "nothing was changed; clear this run from `extract_*` on if readers should see what the source holds now"
        )


def _released(
    connection: Connection, pipeline: Pipeline, day: date, entry: Entry, release: Release | None
) -> list[Decision]:
    """Return the decisions that released a held run. Raises Implausible if a rollback is not released."""
    held = next(receipt.held for receipt in entry.receipts if receipt.step == "summarize")
    releases = [Decision("release", held.released_by, held.released_why, held.why)] if held else []
    rollback = decisions.rollback_of(connection, pipeline.name, day, entry.content_sha256)
    if rollback is None:
        return releases
    if release is None:
        raise Implausible(
            f"{pipeline.name} {day}: the same as {one_line(str(rollback))}; the day is held, nothing was changed for "
            "readers; mend the source, or trigger this day again with a reason in the form's field `release`"
        )
    return [*releases, Decision("release", *release, f"{rollback}")]


def _show(connection: Connection, pipeline: Pipeline, day: date, entry: Entry) -> None:
    receipts = {receipt.step: receipt for receipt in entry.receipts}
    runs.point(connection, pipeline.name, day, entry.run_id)
    exports.owe(connection, pipeline, day, entry.run_id)
    for summary in pipeline.views:
        _check_readers_see(connection, pipeline, summary, day, receipts["save"].rows[summary.name].kept)


def _is_seen_as_now(connection: Connection, pipeline: Pipeline, day: date, entry: Entry, run_id: int) -> bool:
    """Return whether readers see a run in the views of now, under the names of now; the spec may have changed them."""
    saved = next(receipt for receipt in entry.receipts if receipt.step == "save")
    files = runs.files_of(connection, run_id)
    return all(
        f"{summary.name}.parquet" in files
        and _rows_seen(connection, pipeline, summary, day) == saved.rows[summary.name].kept
        and _is_rolled_up(connection, pipeline, summary, run_id)
        for summary in pipeline.views
    )


def _is_rolled_up(connection: Connection, pipeline: Pipeline, summary: View, run_id: int) -> bool:
    parts = stored_numbers(summary, pipeline.ratios)
    return summary.every is None or runs.has_saved(connection, run_id, summary.name, parts)


def _note_decisions(
    connection: Connection, pipeline: Pipeline, day: date, entry: Entry, released: list[Decision]
) -> None:
    loaded = next(receipt for receipt in entry.receipts if receipt.step == "load")
    mended = [Decision("mend", one.who, one.why, one.counted) for one in loaded.mended]
    for decision in (*released, *mended):
        decisions.decide(connection, pipeline.name, day, entry.run_id, decision)


def _check_readers_see(connection: Connection, pipeline: Pipeline, summary: View, day: date, wanted: int) -> None:
    seen = _rows_seen(connection, pipeline, summary, day)
    if seen != wanted:
        raise Unbalanced(
            f"{pipeline.name} {day}: readers of {summary.name} would see {counted(seen, 'row')}, "
            f"{wanted:,} {verb(wanted, 'was', 'were')} saved; nothing was published; clear `save`"
        )


def _rows_seen(connection: Connection, pipeline: Pipeline, summary: View, day: date) -> int:
    if summary.every:
        return _rows_rolled_up(connection, pipeline, summary, day)
    view = sql.Identifier(pipeline.target.schema_, summary.name)
    row = connection.execute(sql.SQL("select count(*) from {} where day = %s").format(view), [day]).fetchone()
    return int(row[0]) if row else 0


def _rows_rolled_up(connection: Connection, pipeline: Pipeline, summary: View, day: date) -> int:
    """Return how many rows of the day a roll-up is over."""
    query = sql.SQL(
        "select count(stored.day) from {} stored join published using (run_id, day) "
        "join saved_summary saved using (run_id) where pipeline = %s and day = %s and summary = %s"
    ).format(stored(pipeline, summary))
    row = connection.execute(query, [pipeline.name, day, summary.name]).fetchone()
    return int(row[0]) if row else 0
