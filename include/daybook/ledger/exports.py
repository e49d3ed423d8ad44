"""The exports of days in the warehouse's ledger: which are still to be done, and which were, with each file.

Every function works in the transaction of the connection it gets.
"""

import json
from datetime import date, datetime
from typing import NamedTuple

from daybook.environment import ledger_schema
from daybook.ledger.queries import is_begun
from daybook.postgres.session import Connection
from daybook.spec import Pipeline

Files = dict[str, dict[str, str | int]]
"""By path, the `sha256` and the `size_bytes` of each file."""


class Owed(NamedTuple):
    """An export of a day that is still to be done: the run that readers see, since when, and why it failed last.

    is_asked: a person wants it sent, whatever was sent before. error: "" if it was not tried yet.
    """

    day: date
    export: str
    run_id: int
    is_asked: bool
    owed_since: datetime
    tries: int
    error: str

    def __str__(self) -> str:
        why = f"; tries that failed: {self.tries}, the last: {self.error}" if self.error else "; it was not tried yet"
        return f"export {self.export} owes run {self.run_id} since {self.owed_since:%Y-%m-%d %H:%M:%S %Z}{why}"


class Sent(NamedTuple):
    """An export of a day that was done: when, of which run, and what went over which connection."""

    export: str
    exported_at: datetime
    connection: str
    run_id: int
    files: Files

    def __str__(self) -> str:
        paths = ", ".join(f"{path} ({file['size_bytes']:,} bytes)" for path, file in sorted(self.files.items()))
        at = f"{self.exported_at:%Y-%m-%d %H:%M:%S %Z}"
        return f"export {self.export} sent run {self.run_id} at {at} to {self.connection}: {paths}"


def owe(connection: Connection, pipeline: Pipeline, day: date, run_id: int, *, is_asked: bool = False) -> None:
    """Note that exports of a day have to be done, because readers see another run, or because a person asks."""
    for export in pipeline.exports:
        connection.execute(
            "insert into export_owed (pipeline, day, export, run_id, is_asked) values (%s, %s, %s, %s, %s) "
            "on conflict (pipeline, day, export) do update set run_id = excluded.run_id, tries = 0, error = null, "
            "is_asked = export_owed.is_asked or excluded.is_asked",
            [pipeline.name, day, export.name, run_id, is_asked],
        )


def owe_nothing(connection: Connection, pipeline: str, day: date) -> None:
    """Forget the exports of a day that readers do not see any more."""
    connection.execute("delete from export_owed where pipeline = %s and day = %s", [pipeline, day])


def owed_of(connection: Connection, pipeline: Pipeline) -> list[Owed]:
    """Return what the exports of a spec still have to do, the newest day first."""
    if not _knows_exports(connection):
        return []
    rows = connection.execute(
        "select day, export, run_id, is_asked, owed_since, tries, coalesce(error, '') from export_owed "
        "where pipeline = %s and export = any(%s) order by day desc, export",
        [pipeline.name, [export.name for export in pipeline.exports]],
    )
    return [Owed(*row) for row in rows]


def last_sent(connection: Connection, pipeline: str, day: date) -> list[Sent]:
    """Return the last time that each export of a day was done, by name."""
    if not _knows_exports(connection):
        return []
    rows = connection.execute(
        "select distinct on (export) export, exported_at, connection, run_id, files from exported "
        "where pipeline = %s and day = %s order by export, exported_at desc",
        [pipeline, day],
    )
    return [Sent(*row) for row in rows]


def told(connection: Connection, pipeline: Pipeline, day: date) -> list[str]:
    """Return what was sent of a day, and what is owed, a sentence each."""
    owed = [str(debt) for debt in owed_of(connection, pipeline) if debt.day == day]
    return [*map(str, last_sent(connection, pipeline.name, day)), *owed]


def note_sent(connection: Connection, pipeline: str, owed: Owed, place: str, files: Files) -> None:
    """Write down that an export was done. place: the id of the connection over which the files went."""
    connection.execute(
        "insert into exported (pipeline, day, export, connection, run_id, files) values (%s, %s, %s, %s, %s, %s)",
        [pipeline, owed.day, owed.export, place, owed.run_id, json.dumps(files)],
    )


def settle(connection: Connection, pipeline: str, owed: Owed) -> None:
    """Note that nothing is left to do of an export, unless readers see yet another run by now."""
    connection.execute(
        "delete from export_owed where pipeline = %s and day = %s and export = %s and run_id = %s",
        [pipeline, owed.day, owed.export, owed.run_id],
    )


def note_failed(connection: Connection, pipeline: str, owed: Owed, error: str) -> None:
    """Note why an export could not be done."""
    connection.execute(
        "update export_owed set tries = tries + 1, tried_at = clock_timestamp(), error = %s "
        "where pipeline = %s and day = %s and export = %s and run_id = %s",
        [error, pipeline, owed.day, owed.export, owed.run_id],
    )


def has_turn(connection: Connection, pipeline: str, day: date) -> bool:
    """Take the turn to export a day, until the transaction ends; False if somebody else has it."""
    key = [f"{ledger_schema()}.export {pipeline}", day.toordinal()]
    row = connection.execute("select pg_try_advisory_xact_lock(hashtext(%s), %s)", key).fetchone()
    return bool(row and row[0])


def seen_run(connection: Connection, pipeline: str, day: date) -> int | None:
    """Return the run that readers of a day see, or None."""
    row = connection.execute(
        "select run_id from published where pipeline = %s and day = %s", [pipeline, day]
    ).fetchone()
    return row[0] if row else None


def _knows_exports(connection: Connection) -> bool:
    # A ledger of an earlier release has none until its next `save`.
    return is_begun(connection) and connection.execute("select to_regclass('exported')").fetchone() != (None,)
