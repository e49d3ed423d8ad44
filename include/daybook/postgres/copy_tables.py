"""Tables from a PostgreSQL database: one snapshot, checked against the contract, by COPY.

All tables are read in one REPEATABLE READ READ ONLY transaction, so they are of the same moment (PostgreSQL's manual,
13.2.2). The live columns are compared with the contract before a byte is read. Of a table that is read by day only the
day's rows are copied (day_rows.py), once its mark is there (marks.py).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

import psycopg
from psycopg import sql

from daybook.errors import BadData, BadSpec, SourceUnavailable
from daybook.postgres.copied_rows import copied_state
from daybook.postgres.day_rows import condition, day_column, problems, relation, slices
from daybook.postgres.day_state import DayState
from daybook.postgres.marks import LocalDay, check_marked
from daybook.postgres.session import REFUSALS, SILENCE_S, TRANSIENT, Connection, OpenPostgres, Silence, at_once, begin
from daybook.postgres.typed_columns import agreed, fits, live_columns, nearest_word, written
from daybook.spec import Table, nearest
from daybook.storage.folder import Folder
from daybook.storage.progress import Progress

WHERE = "the source database"
LOCK_S = 30
# Several copies of up to 15 min each; `Silence` notices earlier that nothing arrives.
COPIES_S = 3600.0
# To ask a file for its place takes as long as to write a row.
ROWS_BETWEEN_LOOKS = 1_000
SETTINGS = (
    f"set local lock_timeout = '{LOCK_S}s'; set local statement_timeout = '15min'; "
    "set local idle_in_transaction_session_timeout = '5min'; set local row_security = off; "
    "set local search_path = pg_catalog, pg_temp; "
    # How values are written: as everywhere, and without a digit less.
    "set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres'; "
    "set local bytea_output = 'hex'; set local extra_float_digits = 3"
)
SNAPSHOT = f"set transaction isolation level repeatable read, read only; {SETTINGS}"


class Copied(NamedTuple):
    """What was copied of a table: the number of rows, what they are in the same snapshot, and if it is read by day, how
    many rows have no day."""

    rows: int
    state: DayState
    without_day: int = 0


def copy_tables(
    connect: OpenPostgres,
    tables: tuple[Table, ...],
    folder: Folder,
    on: LocalDay | None = None,
    *,
    silence_s: float = SILENCE_S,
) -> dict[str, Copied]:
    """Copy tables of one database, all of one moment, as `<name>.csv` into a folder; return what was copied of each.

    connect: opens a connection; if it is cut, all starts anew, at most twice. on: the day, of which tables that are
    read by day give only their rows, once their marks say that they are there.
    silence_s: after that long without a byte, and with no query at work, the connection is cut. Raises
    SourceUnavailable if the database is down, busy or locked, BadSpec if it refuses us or has other columns, and for
    the marks NotYet or BadData.
    """
    copying = Copying(connect, tables, folder, on, silence_s)
    return at_once(connect, copying.at_a_new_moment, settings=SETTINGS, where=WHERE, limit_s=COPIES_S)


class Copying(NamedTuple):
    """Tables to copy; the words are those of `copy_tables`."""

    connect: OpenPostgres
    tables: tuple[Table, ...]
    folder: Folder
    on: LocalDay | None = None
    silence_s: float = SILENCE_S

    def at_a_new_moment(self, connection: Connection) -> dict[str, Copied]:
        """Copy them in a new snapshot."""
        with _who_blocks(self.connect, self.tables):
            _begin_snapshot(connection, self.tables)
        return self.at_this_moment(connection)

    def at_this_moment(self, connection: Connection) -> dict[str, Copied]:
        """Copy them in the snapshot of an open transaction."""
        with Silence(connection, self.connect, self.silence_s) as silence, _who_blocks(self.connect, self.tables):
            silence.watch(_server_process(connection))
            check_columns(connection, self.tables)
            if self.on:
                check_marked(connection, self.tables, self.on, datetime.now(UTC))
            return {table.name: _copied(connection, table, self.folder, self.on, silence) for table in self.tables}


def _begin_snapshot(connection: Connection, tables: tuple[Table, ...]) -> None:
    lockable = [table for table in tables if _is_lockable(connection, table)]
    connection.commit()
    begin(connection, SNAPSHOT)
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


def _copied(connection: Connection, table: Table, folder: Folder, on: LocalDay | None, silence: Silence) -> Copied:
    with _own_errors(table), folder.new_file(f"{table.name}.csv") as file:
        progress = _Heard(silence, Progress(folder, table.relation), file)
        rows = copy_out(connection, table, file, on, progress.heard)
        if not table.day or on is None:
            return Copied(rows, _written_state(file, silence.heard))
        found = slices(connection, table, on.day, on.day, on.zone)
        return Copied(rows, found.days[on.day], found.without_day)


def _written_state(file: BinaryIO, heard: Callable[[], None]) -> DayState:
    """Return what the rows of a copy are, from the copy itself: the server would read the table once more."""
    end = file.tell()
    file.seek(0)
    state = copied_state(_told(file, heard))
    file.seek(end)
    return state


def _told(lines: Iterable[bytes], heard: Callable[[], None]) -> Iterator[bytes]:
    # No byte arrives while the copy is read, and the connection is not silent for that.
    for line in lines:
        heard()
        yield line


def copy_out(
    connection: Connection,
    table: Table,
    file: BinaryIO,
    on: LocalDay | None = None,
    heard: Callable[[], None] = lambda: None,
) -> int:
    """Write a table, or its rows of a day, as CSV with a header into `file`, by key; return the number of rows.

    An empty text is written as "", and a null as nothing, so the two stay apart. heard: called for each block that
    arrives.
    """
    with connection.cursor() as cursor:
        with cursor.copy(_copy_statement(connection, table, on)) as copy:
            for block in copy:
                heard()
                file.write(block)
        return cursor.rowcount


class _Heard:
    """Hears each row that arrives, for the silence after it and for the progress."""

    def __init__(self, silence: Silence, progress: Progress, file: BinaryIO) -> None:
        self._silence, self._progress, self._file = silence, progress, file
        self._rows = 0

    def heard(self) -> None:
        self._silence.heard()
        self._rows += 1
        if self._rows % ROWS_BETWEEN_LOOKS == 0:
            self._progress.at(self._file.tell(), self._rows)


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
            "nothing was read; if it stays so, ask who holds the lock (pg_stat_activity)"
        ) from None


def _holders(connection: Connection, table: Table) -> str:
    pids = connection.execute(
        "select string_agg(distinct pid::text, ', ') from pg_locks where relation = to_regclass(%s) "
        "and mode = 'AccessExclusiveLock' and granted",
        [_relation(table).as_string(connection)],
    ).fetchone()
    return f"{table.relation} by process {pids[0]}" if pids and pids[0] else ""


def _differences(connection: Connection, table: Table) -> Iterator[str]:
    live = live_columns(connection, _relation(table))
    if not live:
        yield f"{table.relation} is not there, or not ours to see"
        return
    for column in map(table.as_written, table.columns):
        found = live.get(column.header)
        if found is None:
            yield f"{table.relation} has no column {column.header!r}{nearest(column.header, live)}"
        elif column.time_zone and found.plain_type == "timestamp with time zone":
            yield f"{table.relation}.{column.header} is {found.type}, an instant, and needs no time_zone; leave it out"
        elif not fits(column, found):
            yield (
                f"{table.relation}.{column.header} is {found.type}, {agreed(column)} agreed"
                f"{nearest_word(column, found)}"
            )
    yield from problems(connection, table, live)


def _relation(table: Table) -> sql.Identifier:
    return relation(table.relation)


def _copy_statement(connection: Connection, table: Table, on: LocalDay | None) -> sql.Composed:
    order = [column.header for name in table.key if (column := table.column(name))]
    live = live_columns(connection, _relation(table))
    columns = sql.SQL(", ").join(written(column, live[column.header]) for column in table.columns)
    by = sql.SQL(" order by {}").format(sql.SQL(", ").join(map(sql.Identifier, order))) if order else sql.SQL("")
    query = sql.SQL("select {} from {}{}{}").format(columns, _relation(table), _rows_read(table, on), by)
    return sql.SQL("copy ({}) to stdout (format csv, header true, encoding 'UTF8')").format(query)


def _rows_read(table: Table, on: LocalDay | None) -> sql.Composed:
    parts = [day_column(table, on.zone).holds(on.day, on.day)] if table.day and on else []
    parts += [condition(table.where)] if table.where else []
    return sql.SQL(" where {}").format(sql.SQL(" and ").join(parts)) if parts else sql.Composed([])
