"""What was done to which day, in the warehouse's schema `daybook`: runs, the pointer, the ledger.

Every function works in the transaction of the connection it gets. The tables are in ledger.sql.
"""

import json
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from typing import Any, NamedTuple

import psycopg

from daybook.receipt import Receipt


class Publication(NamedTuple):
    """The run that readers of a day see, and the hash of what it published."""

    run_id: int
    content_sha256: str


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Create the ledger's tables where they are not there."""
    if connection.execute("select to_regclass('daybook.ledger')").fetchone() == (None,):
        # Two first runs at once: `if not exists` alone still lets one of them fail.
        connection.execute("select pg_advisory_xact_lock(hashtext('daybook.ledger'))")
        connection.execute(files("daybook").joinpath("ledger.sql").read_text().encode())


def begin_run(connection: psycopg.Connection[Any], pipeline: str, day: date, started_by: str) -> int:
    """Give a run its number: larger than that of every run before it."""
    row = connection.execute(
        "insert into daybook.run (pipeline, day, started_by) values (%s, %s, %s) returning run_id",
        [pipeline, day, started_by],
    ).fetchone()
    return int(row[0]) if row else 0


def unpublished_runs(connection: psycopg.Connection[Any], pipeline: str, day: date, started_by: str) -> list[int]:
    """Give the earlier numbers of the same run of the scheduler that readers have never seen."""
    rows = connection.execute(
        "select run_id from daybook.run left join daybook.ledger using (run_id) where run.pipeline = %s "
        "and run.day = %s and started_by = %s and ledger.run_id is null order by run_id",
        [pipeline, day, started_by],
    )
    return [row[0] for row in rows]


def forget_runs(connection: psycopg.Connection[Any], run_ids: list[int]) -> None:
    """Delete the numbers of runs that were never published."""
    connection.execute("delete from daybook.run where run_id = any(%s)", [run_ids])


def lock_day(connection: psycopg.Connection[Any], pipeline: str, day: date) -> bool:
    """Take the day's publishing lock until the transaction ends; False where another run holds it."""
    row = connection.execute(
        "select pg_try_advisory_xact_lock(hashtext(%s), %s)", [f"daybook.publish {pipeline}", day.toordinal()]
    ).fetchone()
    return bool(row and row[0])


def publication(connection: psycopg.Connection[Any], pipeline: str, day: date) -> Publication | None:
    """Give what readers of the day see, or None."""
    row = connection.execute(
        "select run_id, content_sha256 from daybook.published join daybook.ledger using (run_id) "
        "where published.pipeline = %s and published.day = %s",
        [pipeline, day],
    ).fetchone()
    return Publication(*row) if row else None


def point(connection: psycopg.Connection[Any], pipeline: str, day: date, run_id: int) -> None:
    """Let readers of the day see this run, from the commit on."""
    connection.execute(
        "insert into daybook.published (pipeline, day, run_id) values (%s, %s, %s) "
        "on conflict (pipeline, day) do update set run_id = excluded.run_id",
        [pipeline, day, run_id],
    )


def write(
    connection: psycopg.Connection[Any], run_id: int, content_sha256: str, receipts: Iterable[Receipt], facts: str
) -> None:
    """Write the publication of a run into the ledger, with its receipts, and notify whoever listens."""
    done = list(receipts)
    loaded = next(receipt for receipt in done if receipt.step == "load")
    refused = sum(receipt.refused for receipt in done)
    stored = json.dumps([receipt.model_dump(mode="json") for receipt in done])
    connection.execute(
        "insert into daybook.ledger (run_id, pipeline, day, content_sha256, rows_read, rows_refused, receipts) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        [run_id, loaded.pipeline, loaded.day, content_sha256, loaded.rows[facts].read, refused, stored],
    )
    told = json.dumps({"pipeline": loaded.pipeline, "day": str(loaded.day), "run_id": run_id})
    connection.execute("select pg_notify('daybook_published', %s)", [told])
