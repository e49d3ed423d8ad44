"""Last step: readers see the new run, in one short transaction; until it commits they see the old one, whole.

In that transaction: the day's lock, the fence (an older save never replaces a newer one), the balance of the rows,
the pointer, the count that readers now see, and the ledger row with all receipts. A commit whose answer was lost is
settled by reading the ledger: the same run is then found published.
"""

import hashlib
from enum import Enum
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from daybook import ledger
from daybook.errors import SourceUnavailable, Superseded
from daybook.receipt import Receipt, Unbalanced, check_balance
from daybook.spec import Pipeline


class Outcome(Enum):
    """What deploying did: the pointer moved; it had moved before (the answer was lost); or there was nothing new."""

    PUBLISHED = "published"
    ALREADY_PUBLISHED = "already_published"
    UNCHANGED = "unchanged"


class Deployed(NamedTuple):
    """The outcome, and the run that readers see now."""

    outcome: Outcome
    run_id: int


def deploy(
    connection: psycopg.Connection[Any],
    pipeline: Pipeline,
    run_id: int,
    receipts: dict[str, Receipt],
    *,
    is_forced: bool = False,
) -> Deployed:
    """Publish a saved run.

    receipts: of all steps before this one, by step. is_forced: publish also where nothing changed. Raises Unbalanced
    where rows were lost on the way, Superseded where a newer run has published the day, SourceUnavailable where
    another run is publishing it right now.
    """
    check_balance(receipts, pipeline.facts)
    content = content_sha256(pipeline, receipts["summarize"])
    with connection.transaction():
        seen = _seen_under_lock(connection, pipeline, receipts["save"])
        if seen and seen.run_id == run_id:
            return Deployed(Outcome.ALREADY_PUBLISHED, run_id)
        _check_fence(pipeline, receipts["save"], seen, run_id)
        if seen and seen.content_sha256 == content and not is_forced:
            return Deployed(Outcome.UNCHANGED, seen.run_id)
        _publish(connection, pipeline, run_id, content, receipts)
    return Deployed(Outcome.PUBLISHED, run_id)


def content_sha256(pipeline: Pipeline, summarized: Receipt) -> str:
    """Give the hash of what a run publishes: of its summaries' files, in the spec's order."""
    hashes = (summarized.outputs[f"{summary.name}.parquet"].sha256 for summary in pipeline.summaries)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _seen_under_lock(
    connection: psycopg.Connection[Any], pipeline: Pipeline, saved: Receipt
) -> ledger.Publication | None:
    if not ledger.lock_day(connection, pipeline.name, saved.day):
        raise SourceUnavailable(
            f"{pipeline.name} {saved.day}: another run is publishing this day right now; nothing was changed; "
            "it is tried again"
        )
    return ledger.publication(connection, pipeline.name, saved.day)


def _check_fence(pipeline: Pipeline, saved: Receipt, seen: ledger.Publication | None, run_id: int) -> None:
    if seen and seen.run_id > run_id:
        raise Superseded(
            f"{pipeline.name} {saved.day}: run {seen.run_id} has published this day, and this is the older run "
            f"{run_id}; nothing was changed; clear `save` of this run if it is the one that readers should see"
        )


def _publish(
    connection: psycopg.Connection[Any], pipeline: Pipeline, run_id: int, content: str, receipts: dict[str, Receipt]
) -> None:
    day, saved = receipts["save"].day, receipts["save"].rows
    ledger.point(connection, pipeline.name, day, run_id)
    for summary in pipeline.summaries:
        _check_readers_see(connection, pipeline, summary.name, day, saved[summary.name].kept)
    ledger.write(connection, run_id, content, receipts.values(), pipeline.facts)


def _check_readers_see(
    connection: psycopg.Connection[Any], pipeline: Pipeline, summary: str, day: Any, wanted: int
) -> None:
    view = sql.Identifier(pipeline.target.schema_, summary)
    row = connection.execute(sql.SQL("select count(*) from {} where day = %s").format(view), [day]).fetchone()
    if row is None or row[0] != wanted:
        raise Unbalanced(
            f"{pipeline.name} {day}: readers of {summary} would see {row and row[0]} rows, {wanted} were saved; "
            "nothing was published; clear `save`"
        )
