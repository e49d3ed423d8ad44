"""Tables from a PostgreSQL database, over a connection that somebody else opens: one snapshot, checked, by COPY.

All tables are read in one REPEATABLE READ READ ONLY transaction, so that they fit each other (PostgreSQL's manual,
13.2.2). The live columns are compared with the contract before a byte is read.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import psycopg
from psycopg import sql

from daybook.errors import BadSpec, SourceUnavailable
from daybook.spec import Column, Table, nearest

# A lock or a silent server must not hold the task for ever.
LIMITS = "set lock_timeout = '30s'; set statement_timeout = '15min'; set timezone = 'UTC'; set datestyle = 'ISO'"

# The types of the catalogue (format_type without its modifier) that each kind is read from.
TYPES: dict[str, tuple[str, ...]] = {
    "text": ("text", "character varying", "character", "uuid", "name", '"char"'),
    "integer": ("smallint", "integer", "bigint"),
    "decimal": ("numeric", "smallint", "integer", "bigint"),
    "date": ("date",),
    "timestamp": ("timestamp without time zone", "timestamp with time zone"),
    "boolean": ("boolean",),
}


@contextmanager
def snapshot(connect: Callable[[], psycopg.Connection[Any]]) -> Iterator[psycopg.Connection[Any]]:
    """Give a connection whose reads all see one moment of the database.

    Raises SourceUnavailable where the database is down, busy or locked, BadSpec where it refuses us.
    """
    with told("the source database"), connect() as connection:
        connection.execute(LIMITS)
        connection.commit()
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


def check_columns(connection: psycopg.Connection[Any], tables: tuple[Table, ...]) -> None:
    """Check that the tables are there with the columns and types of the spec.

    Raises BadSpec with all differences in one message.
    """
    differences = [difference for table in tables for difference in _differences(connection, table)]
    if differences:
        raise BadSpec(f"{'; '.join(differences)}; nothing was read; mend the spec or the table")


def copy_out(connection: psycopg.Connection[Any], table: Table, file: BinaryIO) -> int:
    """Write a table as CSV with a header, ordered by its key, into `file`; give the number of rows.

    An empty text is written "" and nothing is written as nothing, so that the two stay apart.
    """
    with connection.cursor() as cursor:
        with cursor.copy(_copy_statement(table)) as copy:
            for block in copy:
                file.write(block)
        return cursor.rowcount


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into ours, by what to do next (its manual, appendix A: the classes of SQLSTATE)."""
    try:
        yield
    except psycopg.Error as error:
        raise _by_what_to_do(where, error) from None


def _differences(connection: psycopg.Connection[Any], table: Table) -> Iterator[str]:
    live = _live_columns(connection, table)
    if not live:
        yield f"{table.relation} is not there, or not ours to see"
        return
    for column in table.columns:
        found = live.get(column.header)
        if found is None:
            yield f"{table.relation} has no column {column.header!r}{nearest(column.header, live)}"
        elif found.split("(")[0].strip() not in TYPES[column.kind]:
            yield f"{table.relation}.{column.header} is {found}, {column.kind} agreed"


def _live_columns(connection: psycopg.Connection[Any], table: Table) -> dict[str, str]:
    rows = connection.execute(
        "select attname, format_type(atttypid, null) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [_relation(table).as_string(connection)],
    )
    return dict(rows.fetchall())


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
    # to_char gives nothing for infinity: written as its text, the loader sees and refuses it.
    return sql.SQL("case when isfinite({0}) then to_char({0}, {1}) else {0}::text end as {0}").format(
        name, sql.Literal(_to_char(column.format))
    )


# strptime's words in to_char's (PostgreSQL's manual, table 9.31).
_PATTERNS = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH24", "%M": "MI", "%S": "SS", "%f": "US", "%z": "TZHTZM"}


def _to_char(format: str) -> str:
    for word, pattern in _PATTERNS.items():
        format = format.replace(word, f"\0{pattern}\0")
    # What is left between the patterns is literal: quoted, so that no letter of it is taken for a pattern.
    parts = format.split("\0")
    return "".join(part if place % 2 else (f'"{part}"' if part else "") for place, part in enumerate(parts))


def _by_what_to_do(where: str, error: psycopg.Error) -> Exception:
    state = error.sqlstate or ""
    what = f"{type(error).__name__}{f' {state}' if state else ''}: {str(error).splitlines()[0]}"
    is_refusal = state[:2] in ("28", "3D", "3F", "42") or "password authentication failed" in str(error)
    if is_refusal:
        return BadSpec(f"{where}: {what}; not tried again; mend the connection, the rights or the spec")
    if isinstance(error, psycopg.OperationalError) or state[:2] in ("08", "40", "53", "55", "57"):
        return SourceUnavailable(f"{where}: {what}; nothing was kept of it; it is tried again")
    return error
