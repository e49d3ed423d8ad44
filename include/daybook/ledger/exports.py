"""The exports of days, and the days of further targets, in the ledger: which are still to be done, and which were.

Every function works in the transaction of the connection it gets.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from psycopg import sql

from daybook.environment import ledger_schema
from daybook.ledger.queries import is_begun
from daybook.postgres.session import Connection
from daybook.spec import Pipeline
from daybook.text import counted, spell

Files = dict[str, dict[str, str | int]]
"""By path, the `sha256` and the `size_bytes` of each file; by view of a further target, its `rows`."""


def in_words(name: str) -> str:
    """Return what a debt's name stands for: an export of the spec, or "connection.schema" of a further target."""
    return f"target {name}" if is_target(name) else f"export {name}"


def is_target(name: str) -> bool:
    """Return whether a debt is that of a further target; the name of an export has no dot."""
    return "." in name


class Owed(NamedTuple):
    """An export of a day, or a day of a further target, that is still to be done: the run that readers see, or saw
    before they saw none; since when, and why it failed last.

    is_asked: a person wants it sent, whatever was sent before. error: "" if it was not tried yet. is_seen: readers see
    the day.
    """

    day: date
    export: str
    run_id: int
    is_asked: bool
    owed_since: datetime
    tries: int
    error: str
    is_seen: bool = True

    def __str__(self) -> str:
        why = f"; tries that failed: {self.tries}, the last: {self.error}" if self.error else "; it was not tried yet"
        is_gone = is_target(self.export) and not self.is_seen
        what = "has to lose the day, which was taken back, owed" if is_gone else f"owes run {self.run_id}"
        return f"{in_words(self.export)} {what} since {self.owed_since:%Y-%m-%d %H:%M:%S %Z}{why}"


class Sent(NamedTuple):
    """An export of a day that was done: when, of which run, and what went over which connection."""

    export: str
    exported_at: datetime
    connection: str
    run_id: int
    files: Files

    def __str__(self) -> str:
        at = f"{self.exported_at:%Y-%m-%d %H:%M:%S %Z}"
        if not self.files:
            return f"{in_words(self.export)} has lost the day at {at}, after run {self.run_id}"
        paths = ", ".join(f"{path} ({_amount(file)})" for path, file in sorted(self.files.items()))
        return f"{in_words(self.export)} sent run {self.run_id} at {at} to {self.connection}: {paths}"


def _amount(file: dict[str, str | int]) -> str:
    return counted(int(file["rows"]), "row") if "rows" in file else f"{file['size_bytes']:,} bytes"


def owe(connection: Connection, pipeline: Pipeline, day: date, run_id: int, *, is_asked: bool = False) -> None:
    """Note that exports of a day have to be done, because readers see another run, or because a person asks."""
    names = [export.name for export in pipeline.exports if export.files_on(day, pipeline.of_days)]
    _owe(connection, pipeline.name, day, [*names, *map(str, pipeline.also)], run_id, is_asked=is_asked)


def owe_period(
    connection: Connection, pipeline: Pipeline, roll_up: str, first: date, *, is_asked: bool = False
) -> None:
    """Note that exports of a finished period have to be done, because its files are new, or because a person asks.

    first: its first day. Its run is the newest of those that readers see.
    """
    names = [one.of_roll_up(roll_up) for one in pipeline.exports if one.files_of_period(first, roll_up)]
    ((run_id,),) = connection.execute("select max(run_id) from published where pipeline = %s", [pipeline.name])
    _owe(connection, pipeline.name, first, names, run_id, is_asked=is_asked)


def owe_no_period(connection: Connection, pipeline: str, roll_up: str, first: date) -> None:
    """Forget the exports of a period that is not finished any more."""
    connection.execute(
        "delete from export_owed where pipeline = %s and day = %s and split_part(export, '/', 2) = %s",
        [pipeline, first, roll_up],
    )


def owe_removal(connection: Connection, pipeline: Pipeline, day: date, run_id: int) -> None:
    """Note that further targets have to lose a day that readers do not see any more, and forget its exports.

    run_id: the run that they saw.
    """
    connection.execute("delete from export_owed where pipeline = %s and day = %s", [pipeline.name, day])
    _owe(connection, pipeline.name, day, [str(target) for target in pipeline.also], run_id, is_asked=False)


def _owe(connection: Connection, pipeline: str, day: date, names: list[str], run_id: int, *, is_asked: bool) -> None:
    for name in names:
        connection.execute(
            "insert into export_owed (pipeline, day, export, run_id, is_asked) values (%s, %s, %s, %s, %s) "
            "on conflict (pipeline, day, export) do update set run_id = excluded.run_id, tries = 0, error = null, "
            "is_asked = export_owed.is_asked or excluded.is_asked",
            [pipeline, day, name, run_id, is_asked],
        )


def owed_of(connection: Connection, pipeline: Pipeline) -> list[Owed]:
    """Return what the exports and further targets of a spec still have to do, the newest day first."""
    return [debt for debt in _owed(connection, pipeline.name) if debt.export in _names(pipeline)]


def owed_of_day(connection: Connection, pipeline: str, day: date) -> list[Owed]:
    """Return what exports and further targets still have to do for a day, by name, also what the spec has no more."""
    return _owed(connection, pipeline, day)


class Forgotten(NamedTuple):
    """An export or a further target that the spec has no more, and the days that it still owes."""

    export: str
    days: tuple[date, ...]

    def __str__(self) -> str:
        what = in_words(self.export)
        return f"{what} is not in the spec any more, and owes {counted(len(self.days), 'day')}, {spell(self.days)}"


def forgotten(connection: Connection, pipeline: Pipeline) -> list[Forgotten]:
    """Return what exports and further targets owe that the spec has no more."""
    return _by_export(debt for debt in _owed(connection, pipeline.name) if debt.export not in _names(pipeline))


def let_go(connection: Connection, pipeline: Pipeline) -> list[Forgotten]:
    """Forget what exports and further targets owe that the spec has no more; return it.

    Nobody knows any more where it was to go; and if it is declared again, days of before owe nothing to it either.
    """
    gone = forgotten(connection, pipeline)
    for one in gone:
        connection.execute("delete from export_owed where pipeline = %s and export = %s", [pipeline.name, one.export])
    return gone


def _by_export(owed: Iterable[Owed]) -> list[Forgotten]:
    days: dict[str, list[date]] = {}
    for debt in owed:
        days.setdefault(debt.export, []).append(debt.day)
    return [Forgotten(name, tuple(sorted(days[name]))) for name in sorted(days)]


def _names(pipeline: Pipeline) -> set[str]:
    of_periods = {export.of_roll_up(name) for export in pipeline.exports for name in pipeline.roll_ups}
    return {*(export.name for export in pipeline.exports), *of_periods, *map(str, pipeline.also)}


def _owed(connection: Connection, pipeline: str, day: date | None = None) -> list[Owed]:
    if not _knows_exports(connection):
        return []
    rows = connection.execute(
        "select owed.day, export, owed.run_id, is_asked, owed_since, tries, coalesce(error, ''), "
        "published.run_id is not null from export_owed owed left join published using (pipeline, day) "
        "where pipeline = %s and (%s::date is null or day = %s) order by day desc, export",
        [pipeline, day, day],
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
    owed = [str(debt) for debt in owed_of_day(connection, pipeline.name, day) if debt.export in _names(pipeline)]
    gone = [str(one) for one in forgotten(connection, pipeline) if day in one.days]
    return [*map(str, last_sent(connection, pipeline.name, day)), *owed, *gone]


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


def targets_with_days(connection: Connection, pipeline: str) -> list[str]:
    """Return the further targets that hold days of a pipeline, as "connection.schema"; its spec may be gone."""
    if not _knows_exports(connection):
        return []
    rows = connection.execute(_TARGETS, {"pipeline": pipeline})
    return [name for (name,) in rows if is_target(name)]


def note_retired(connection: Connection, pipeline: str, target: str) -> None:
    """Note that a further target holds no day of a pipeline any more."""
    connection.execute(_LET_GO, {"pipeline": pipeline, "target": target})


# What was sent of each day last, unless the day was removed since.
_HELD = sql.SQL("""
    with last as (
        select distinct on (day, export) * from exported where pipeline = %(pipeline)s
        order by day, export, exported_at desc
    ), held as (select * from last where files <> '{{}}')
""").format()
_TARGETS = _HELD + sql.SQL("select distinct export from held order by 1")
_LET_GO = (
    _HELD
    + sql.SQL("""
    insert into exported (pipeline, day, export, connection, run_id, files)
    select pipeline, day, export, connection, run_id, '{{}}' from held where export = %(target)s
""").format()
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
    # A ledger of an earlier release has none until its next step.
    return is_begun(connection) and connection.execute("select to_regclass('exported')").fetchone() != (None,)
