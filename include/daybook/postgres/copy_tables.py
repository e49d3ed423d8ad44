"""Tables from a PostgreSQL database: one snapshot, checked against the contract, by COPY.

All tables are read in one REPEATABLE READ READ ONLY transaction, so they are of the same moment (PostgreSQL's manual,
13.2.2). The live columns are compared with the contract before a byte is read.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import psycopg
from psycopg import sql

from daybook.errors import BadData, BadSpec, SourceUnavailable
from daybook.postgres.session import REFUSALS, SILENCE_S, TRANSIENT, Connection, OpenPostgres, Silence, at_once, begin
from daybook.spec import Column, Table, nearest
from daybook.storage.folder import Folder

LOCK_S = 30
SETTINGS = (
    f"set local lock_timeout = '{LOCK_S}s'; set local statement_timeout = '15min'; "
    "set local idle_in_transaction_session_timeout = '5min'; set local row_security = off; "
    "set local timezone = 'UTC'; set local datestyle = 'ISO'; set local search_path = pg_catalog, pg_temp"
)

# The PostgreSQL types (format_type without its modifier) that each kind may be read from.
TYPES: dict[str, tuple[str, ...]] = {
    "text": ("text", "character varying", "character", "uuid", "name", '"char"'),
    "integer": ("smallint", "integer", "bigint"),
    "decimal": ("numeric", "smallint", "integer", "bigint"),
    "date": ("date",),
    "timestamp": ("timestamp without time zone", "timestamp with time zone"),
    "boolean": ("boolean",),
}


def copy_tables(
    connect: OpenPostgres, tables: tuple[Table, ...], folder: Folder, *, silence_s: float = SILENCE_S
) -> dict[str, int]:
    """Copy tables of one database, all of one moment, as `<name>.csv` into a folder; return each one's row count.

    connect: opens a connection; if it is cut, all starts anew, at most twice.
    silence_s: after that long without a byte, and with no query at work, the connection is cut. Raises
    SourceUnavailable if the database is down, busy or locked, BadSpec if it refuses us or has other columns.
    """

    def copy(connection: Connection) -> dict[str, int]:
        with Silence(connection, connect, silence_s) as silence, _who_blocks(connect, tables):
            _begin_snapshot(connection, tables)
            silence.watch(_server_process(connection))
            check_columns(connection, tables)
            return {table.name: _copied(connection, table, folder, silence) for table in tables}

    return at_once(connect, copy, settings=SETTINGS, where="the source database")


def _begin_snapshot(connection: Connection, tables: tuple[Table, ...]) -> None:
    lockable = [table for table in tables if _is_lockable(connection, table)]
    connection.commit()
    begin(connection, f"set transaction isolation level repeatable read, read only; {SETTINGS}")
    # Lock before the snapshot is taken: a snapshot older than a TRUNCATE, or an ALTER that rewrites the table, would
    # see it empty (PostgreSQL's manual, 13.6 Caveats).
    if lockable:
        names = sql.SQL(", ").join(map(_relation, lockable))
        connection.execute(sql.SQL("lock table {} in access share mode").format(names))


def _server_process(connection: Connection) -> int:
    row = connection.execute("select pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0


def _is_lockable(connection: Connection, table: Table) -> bool:
    row = connection.execute(
        "select relkind in ('r', 'p', 'v') from pg_class where oid = to_regclass(%s)",
        [_relation(table).as_string(connection)],
    ).fetchone()
    return bool(row and row[0])


def check_columns(connection: Connection, tables: tuple[Table, ...]) -> None:
    """Check that the tables exist with the columns and types of the spec.

    Raises BadSpec with all differences in one message.
    """
    differences = [difference for table in tables for difference in _differences(connection, table)]
    if differences:
        raise BadSpec(f"{'; '.join(differences)}; nothing was read; mend the spec or the table")


def _copied(connection: Connection, table: Table, folder: Folder, silence: Silence) -> int:
    with _own_errors(table), folder.new_file(f"{table.name}.csv") as file:
        return copy_out(connection, table, file, silence.heard)


def copy_out(connection: Connection, table: Table, file: BinaryIO, heard: Callable[[], None] = lambda: None) -> int:
    """Write a table as CSV with a header, ordered by its key, into `file`; return the number of rows.

    An empty text is written as "", and a null as nothing, so the two stay apart. heard: called for each block that
    arrives.
    """
    with connection.cursor() as cursor:
        with cursor.copy(_copy_statement(table)) as copy:
            for block in copy:
                heard()
                file.write(block)
        return cursor.rowcount


@contextmanager
def _own_errors(table: Table) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        # A view, or a function that it calls, raises what it likes; its own words may quote a value.
        if not error.sqlstate or error.sqlstate[:2] in (*TRANSIENT, *REFUSALS):
            raise
        raise BadData(
            f"the source database: {table.relation} fails while its rows are read: {type(error).__name__} "
            f"{error.sqlstate}; nothing was kept of it; mend the view, or the rows that it trips over, in the source"
        ) from None


@contextmanager
def _who_blocks(connect: OpenPostgres, tables: tuple[Table, ...]) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        held = at_once(connect, lambda connection: [_holders(connection, table) for table in tables])
        raise SourceUnavailable(
            f"the source database: {', '.join(filter(None, held)) or 'a table'} is locked, waited for {LOCK_S} s; "
            "nothing was read; it is tried again; if it stays so, ask who holds the lock (pg_stat_activity)"
        ) from None


def _holders(connection: Connection, table: Table) -> str:
    pids = connection.execute(
        "select string_agg(distinct pid::text, ', ') from pg_locks where relation = to_regclass(%s) "
        "and mode = 'AccessExclusiveLock' and granted",
        [_relation(table).as_string(connection)],
    ).fetchone()
    return f"{table.relation} by process {pids[0]}" if pids and pids[0] else ""


def _differences(connection: Connection, table: Table) -> Iterator[str]:
    live = _live_columns(connection, table)
    if not live:
        yield f"{table.relation} is not there, or not ours to see"
        return
    for column in table.columns:
        found = live.get(column.header)
        if found is None:
            yield f"{table.relation} has no column {column.header!r}{nearest(column.header, live)}"
        elif not _fits(column, found):
            yield f"{table.relation}.{column.header} is {found}, {_agreed(column)} agreed"


def _live_columns(connection: Connection, table: Table) -> dict[str, str]:
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [_relation(table).as_string(connection)],
    )
    return dict(rows.fetchall())


def _fits(column: Column, found: str) -> bool:
    # format_type puts the modifier in the middle: "timestamp(3) without time zone", "numeric(12,2)".
    modifier = re.search(r"\((\d+)(?:,(-?\d+))?\)", found)
    if re.sub(r"\(.*?\)", "", found) not in TYPES[column.kind]:
        return False
    # A numeric without a modifier can hold anything: `load` checks each of its rows.
    return column.kind != "decimal" or modifier is None or int(modifier[2] or 0) <= column.scale


def _agreed(column: Column) -> str:
    return f"numeric({column.digits},{column.scale})" if column.kind == "decimal" else column.kind


def _relation(table: Table) -> sql.Identifier:
    return sql.Identifier(*table.relation.split("."))


def _copy_statement(table: Table) -> sql.Composed:
    order = [column.header for name in table.key if (column := table.column(name))]
    columns = sql.SQL(", ").join(_written(column) for column in table.columns)
    by = sql.SQL(" order by {}").format(sql.SQL(", ").join(map(sql.Identifier, order))) if order else sql.SQL("")
    query = sql.SQL("select {} from {}{}").format(columns, _relation(table), by)
    return sql.SQL("copy ({}) to stdout (format csv, header true, encoding 'UTF8')").format(query)


def _written(column: Column) -> sql.Composed:
    name = sql.Identifier(column.header)
    if column.format is None:
        return sql.Composed([name])
    # to_char returns nothing for infinity, and drops the BC of a year: those are written as text, which the loader
    # refuses.
    return sql.SQL(
        "case when {0} >= '0001-01-01' and {0} < '10000-01-01' then to_char({0}, {1}) else {0}::text end as {0}"
    ).format(name, sql.Literal(_to_char(column.format)))


# strptime's directives in to_char's terms (PostgreSQL's manual, table 9.31).
_PATTERNS = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH24", "%M": "MI", "%S": "SS", "%f": "US", "%z": "TZHTZM"}


def _to_char(format: str) -> str:
    for word, pattern in _PATTERNS.items():
        format = format.replace(word, f"\0{pattern}\0")
    # All between the patterns is literal: quoted, so that to_char takes no letter of it for a pattern.
    parts = format.split("\0")
    return "".join(part if place % 2 else (f'"{part}"' if part else "") for place, part in enumerate(parts))
