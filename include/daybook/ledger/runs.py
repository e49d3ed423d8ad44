"""The runs of each day in the warehouse, in the ledger's schema: runs, the pointer, the ledger.

Every function works in the transaction of the connection it gets. Its tables are made by migrate.py; queries for people
and for other days are in queries.py, people's decisions in decisions.py.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from daybook.environment import ledger_schema
from daybook.ledger.migrate import migrate
from daybook.ledger.receipt import Receipt
from daybook.postgres.session import Connection


class Publication(NamedTuple):
    """The run that readers of a day see, and the hash of what it published."""

    run_id: int
    content_sha256: str


class Reading(NamedTuple):
    """A run, and when it read its facts, by the worker's clock."""

    run_id: int
    read_at: datetime


class Entry(NamedTuple):
    """The ledger's row of a publication. facts_sha256: of the facts' raw bytes. changes: by summary, how many rows were
    added, removed and changed."""

    run_id: int
    content_sha256: str
    facts_sha256: str
    rows_read: int
    receipts: tuple[Receipt, ...]
    changes: dict[str, dict[str, int]]


def prepare(connection: Connection) -> None:
    """Make the ledger's tables as this release has them. Raises BadSpec, and changes nothing, if a newer one did."""
    migrate(connection, "ledger", ledger_schema())


def begin_run(connection: Connection, pipeline: str, day: date, started_by: str, read_at: datetime) -> int:
    """Register a new run; return its number, which is larger than that of every run before it."""
    # A worker whose clock is ahead must not fence off all other runs until then.
    row = connection.execute(
        "insert into run (pipeline, day, started_by, read_at) values (%s, %s, %s, least(%s, now())) returning run_id",
        [pipeline, day, started_by, read_at],
    ).fetchone()
    return int(row[0]) if row else 0


def note_saved(connection: Connection, run_id: int, summary: str, columns: list[str]) -> None:
    """Note that a run saved a summary, with these columns: a roll-up asks which days have what it is made from."""
    connection.execute(
        "insert into saved_summary (run_id, summary, columns) values (%s, %s, %s)", [run_id, summary, columns]
    )


def has_saved(connection: Connection, run_id: int, summary: str, columns: tuple[str, ...]) -> bool:
    """Return whether a run noted that it saved a summary with these columns, and maybe others."""
    query = "select from saved_summary where run_id = %s and summary = %s and columns @> %s::text[]"
    return connection.execute(query.encode(), [run_id, summary, list(columns)]).fetchone() is not None


def all_with_saved(connection: Connection) -> set[int]:
    """Return the runs that noted what they saved; those of earlier releases did not."""
    if connection.execute("select to_regclass('saved_summary')").fetchone() == (None,):
        return set()
    return {run_id for (run_id,) in connection.execute("select distinct run_id from saved_summary")}


def number_above(connection: Connection, highest: int) -> None:
    """Let the next run's number be larger than this one; a number that is larger already stays."""
    connection.execute(
        "select setval(of_runs, %(highest)s) from pg_get_serial_sequence('run', 'run_id') of_runs "
        "where %(highest)s > coalesce(pg_sequence_last_value(of_runs::regclass), 0)",
        {"highest": highest},
    )


def highest_number(connection: Connection) -> int:
    """Return the largest number that a run has, or had; 0 if there was none."""
    row = connection.execute(
        "select coalesce(pg_sequence_last_value(pg_get_serial_sequence('run', 'run_id')::regclass), 0)"
    ).fetchone()
    return int(row[0]) if row else 0


def lock_day(connection: Connection, pipeline: str, day: date) -> None:
    """Take the day's publishing lock until the transaction ends. Waits at most for the session's lock_timeout."""
    key = [f"{ledger_schema()}.publish {pipeline}", day.toordinal()]
    connection.execute("select pg_advisory_xact_lock(hashtext(%s), %s)", key)


def publication(connection: Connection, pipeline: str, day: date) -> Publication | None:
    """Return the publication that readers of the day see, or None."""
    row = connection.execute(
        "select run_id, content_sha256 from published join ledger using (run_id) "
        "where published.pipeline = %s and published.day = %s",
        [pipeline, day],
    ).fetchone()
    return Publication(*row) if row else None


def files_of(connection: Connection, run_id: int) -> set[str]:
    """Return the names of the summaries' files that a run published, such as by_day.parquet."""
    rows = connection.execute(
        "select jsonb_object_keys(jsonb_path_query_first(receipts, '$[*] ? (@.step == \"summarize\").outputs')) "
        "from ledger where run_id = %s",
        [run_id],
    )
    return {name for (name,) in rows}


def was_published(connection: Connection, run_id: int) -> bool:
    """Return whether readers have ever seen the run."""
    return connection.execute("select 1 from ledger where run_id = %s", [run_id]).fetchone() is not None


def claim(connection: Connection, run_id: int) -> Reading | None:
    """Protect the rows of a run from cleanup until the transaction ends; None if they are gone already."""
    row = connection.execute(
        "select run_id, read_at from run where run_id = %s and removed_at is null for key share", [run_id]
    ).fetchone()
    return Reading(*row) if row else None


def newer_publication(connection: Connection, pipeline: str, day: date, than: Reading) -> Reading | None:
    """Return the newest run that has published the day and read its facts later than this one, or None."""
    row = connection.execute(
        "select run_id, read_at from run join ledger using (run_id) where run.pipeline = %s "
        "and run.day = %s and (read_at, run_id) > (%s, %s) order by read_at desc, run_id desc limit 1",
        [pipeline, day, than.read_at, than.run_id],
    ).fetchone()
    return Reading(*row) if row else None


def confirm(connection: Connection, published: int, run_id: int) -> None:
    """Note that a later run agrees with the published one, so runs older than it stay fenced off."""
    connection.execute(
        "update run set read_at = greatest(run.read_at, later.read_at) from run later "
        "where run.run_id = %s and later.run_id = %s",
        [published, run_id],
    )


def point(connection: Connection, pipeline: str, day: date, run_id: int) -> None:
    """Show readers of the day this run, from the commit on, and notify listeners."""
    connection.execute(
        "insert into published (pipeline, day, run_id) values (%s, %s, %s) "
        "on conflict (pipeline, day) do update set run_id = excluded.run_id",
        [pipeline, day, run_id],
    )
    notify(connection, pipeline, day, run_id)


def point_to_nothing(connection: Connection, pipeline: str, day: date) -> None:
    """Show readers no run of the day, from the commit on, and notify listeners."""
    connection.execute("delete from published where pipeline = %s and day = %s", [pipeline, day])
    notify(connection, pipeline, day, None)


def notify(connection: Connection, pipeline: str, day: date, run_id: int | None) -> None:
    """Notify listeners, at the commit, that readers of the day see another run; None if they see none."""
    payload = json.dumps({"pipeline": pipeline, "day": str(day), "run_id": run_id})
    connection.execute("select pg_notify('daybook_published', %s)", [payload])


def write(connection: Connection, pipeline: str, day: date, entry: Entry) -> None:
    """Write the publication of a run into the ledger."""
    connection.execute(
        "insert into ledger (run_id, pipeline, day, content_sha256, facts_sha256, rows_read, rows_refused, "
        "totals, changes, receipts) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            *(entry.run_id, pipeline, day, entry.content_sha256, entry.facts_sha256, entry.rows_read),
            sum(receipt.refused for receipt in entry.receipts),
            json.dumps(_totals(entry.receipts)),
            json.dumps(entry.changes),
            json.dumps([receipt.model_dump(mode="json") for receipt in entry.receipts]),
        ],
    )
    connection.execute("update run set is_published = true where run_id = %s", [entry.run_id])


def _totals(receipts: Iterable[Receipt]) -> dict[str, str]:
    return {name: str(total) for receipt in receipts for name, total in receipt.totals.items()}


Changes = dict[str, dict[str, int]]
"""By summary: how many rows are added, removed and changed; its group identifies a row."""
