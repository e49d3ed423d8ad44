"""Queries of the ledger: days published before, one day, and its last run. Reads only.

Every function works in the transaction of the connection it gets.
"""

import json
from datetime import date, datetime
from typing import NamedTuple

from daybook.ledger.receipt import NotPublished, Receipt
from daybook.postgres.session import Connection


def is_begun(connection: Connection) -> bool:
    """Return whether the ledger exists: before the first run there is none."""
    return connection.execute("select to_regclass('ledger')").fetchone() != (None,)


def day_with_facts(connection: Connection, pipeline: str, day: date, sha256: str) -> date | None:
    """Return another published day that was made from facts of the same bytes, or None."""
    row = connection.execute(
        "select published.day from published join ledger using (run_id) "
        "where published.pipeline = %s and published.day <> %s and facts_sha256 = %s order by 1 limit 1",
        [pipeline, day, sha256],
    ).fetchone()
    return row[0] if row else None


class Published(NamedTuple):
    """The publication that readers of a day see. run: the scheduler's name for the run; started_by: who or what started
    it. changes: by summary, the rows it added, removed and changed against `before`, the publication before it."""

    run_id: int
    run: str
    started_by: str | None
    published_at: datetime
    rows_read: int
    rows_refused: int
    changes: dict[str, dict[str, int]]
    before: int | None
    receipts: dict[str, Receipt]

    @property
    def rows_dropped(self) -> int:
        """Return the number of rows that all steps dropped."""
        return NotPublished.of_run(self.receipts).dropped


class Decided(NamedTuple):
    """A stored decision about a day: "release", "rollback" or "mend", for which run, and the finding behind it."""

    decided_at: datetime
    what: str
    run_id: int
    who: str
    why: str
    found: str


class Tried(NamedTuple):
    """The state of a step of a run: "done", "reused", "waiting" or "failed"; with its receipt if it was done."""

    state: str
    ended_at: datetime
    receipt: Receipt | None
    error_kind: str | None
    error: str | None


class Confirmed(NamedTuple):
    """A later run that found nothing to change for readers."""

    run: str
    started_by: str
    ended_at: datetime


def published(connection: Connection, pipeline: str, day: date) -> Published | None:
    """Return the publication that readers of the day see, or None."""
    row = connection.execute(
        "select run_id, run.started_by, (select max(step.started_by) from step where step.run = run.started_by "
        "and step.pipeline = run.pipeline and step.day = run.day), published_at, rows_read, rows_refused, changes, "
        "(select max(older.run_id) from ledger older where older.pipeline = ledger.pipeline "
        "and older.day = ledger.day and older.published_at < ledger.published_at), receipts "
        "from published seen join ledger using (run_id) join run using (run_id) "
        "where seen.pipeline = %s and seen.day = %s",
        [pipeline, day],
    ).fetchone()
    if row is None:
        return None
    *words, stored = row
    receipts = [Receipt.model_validate_json(json.dumps(receipt)) for receipt in stored]
    return Published._make([*words, {receipt.step: receipt for receipt in receipts}])


def rows_not_published(connection: Connection, pipeline: str, first: date, last: date) -> dict[date, NotPublished]:
    """Return, for each day that readers see, how many of its rows they do not see."""
    rows = connection.execute(
        "select published.day, rows_refused, (select coalesce(sum(dropped.value::bigint), 0)::bigint "
        "from jsonb_array_elements(receipts) receipt, jsonb_each(receipt -> 'rows') source, "
        "jsonb_each_text(source.value -> 'dropped') dropped) "
        "from published join ledger using (run_id) "
        "where published.pipeline = %s and published.day between %s and %s",
        [pipeline, first, last],
    )
    return {day: NotPublished(refused, dropped) for day, refused, dropped in rows}


def decisions(connection: Connection, pipeline: str, day: date) -> list[Decided]:
    """Return people's decisions about the day, oldest first."""
    rows = connection.execute(
        "select decided_at, what, run_id, who, why, found from decision "
        "where pipeline = %s and day = %s order by decided_at",
        [pipeline, day],
    )
    return [Decided(*row) for row in rows]


def confirmed(connection: Connection, pipeline: str, day: date) -> Confirmed | None:
    """Return the last run whose result for the day was already published, or None."""
    row = connection.execute(
        "select run, started_by, ended_at from step where pipeline = %s and day = %s and step = 'deploy' "
        # Receipts of before 0.1.0 have it in `notes`.
        "and coalesce(receipt ->> 'outcome', receipt -> 'notes' ->> 'outcome') = 'unchanged' "
        "order by ended_at desc limit 1",
        [pipeline, day],
    ).fetchone()
    return Confirmed(*row) if row else None


def last_loaded(connection: Connection, pipeline: str, day: date) -> tuple[str, dict[str, Tried]] | None:
    """Return the last run that loaded the day, or tried to, with the state of its steps; None if there is none."""
    rows = connection.execute(
        "select run, step, state, ended_at, receipt, error_kind, error from step where pipeline = %(pipeline)s "
        "and day = %(day)s and run = (select last.run from step last where last.pipeline = %(pipeline)s "
        "and last.day = %(day)s and last.step = 'load' order by last.ended_at desc limit 1)",
        {"pipeline": pipeline, "day": day},
    ).fetchall()
    steps = {
        step: Tried(state, ended_at, Receipt.model_validate_json(json.dumps(stored)) if stored else None, kind, error)
        for _, step, state, ended_at, stored, kind, error in rows
    }
    return (rows[0][0], steps) if rows else None
