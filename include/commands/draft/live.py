"""A table as its database knows it: types, key, indexes, and what its first rows hold. Only counts leave it."""

from datetime import date
from typing import Any, NamedTuple

from psycopg import sql

from daybook.errors import BadSpec
from daybook.postgres.copy_tables import SETTINGS
from daybook.postgres.day_rows import relation
from daybook.postgres.session import Connection
from daybook.postgres.typed_columns import LiveColumn, live_columns
from daybook.text import nearest

FIRST_ROWS = 10_000
LOOK_S = 60
LOOK_SETTINGS = f"set transaction read only; {SETTINGS}; set local statement_timeout = '60s'"
# Of the columns: whether a value has to be there, and the place in the primary key.
FACTS_OF_COLUMNS = """
    select attname, attnotnull, array_position(indkey::int2[], attnum)
    from pg_attribute left join pg_index on indrelid = attrelid and indisprimary
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
"""
INDEXED = """
    select distinct attname from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
    where indrelid = to_regclass(%s) and indisvalid and indpred is null
"""
READABLE = """
    select format('%s.%s', nspname, relname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'p', 'v', 'm', 'f') and nspname not in ('pg_catalog', 'information_schema')
    and has_schema_privilege(pg_namespace.oid, 'usage') and has_table_privilege(pg_class.oid, 'select') order by 1
"""
FLOATS = ("real", "double precision")


class Seen(NamedTuple):
    """What the first rows hold in a column: how many have a value, how many different ones, digits after the point."""

    values: int
    different: int
    scale: int | None


class LiveTable(NamedTuple):
    """A table: its columns, those that always have a value, its primary key, the columns that an index begins with;
    rows: how many of its first rows were looked at; seen: by column."""

    columns: dict[str, LiveColumn]
    filled: frozenset[str]
    key: tuple[str, ...]
    indexed: frozenset[str]
    rows: int
    seen: dict[str, Seen]


def look(connection: Connection, name: str) -> LiveTable:
    """Look at a table or view. Raises BadSpec, with the nearest name, if it is not there or not ours to read."""
    quoted = relation(name).as_string(connection)
    columns = live_columns(connection, relation(name))
    readable = [str(row[0]) for row in connection.execute(READABLE.encode())]
    if name not in readable:
        if columns:
            raise BadSpec(f"{name} is there, and this connection's role may not read it: grant select on it")
        raise BadSpec(f"{name} is not there{nearest(name, readable)}")
    rows = connection.execute(FACTS_OF_COLUMNS.encode(), [quoted]).fetchall()
    places = {place: column for column, _, place in rows if place is not None}
    indexed = frozenset(row[0] for row in connection.execute(INDEXED.encode(), [quoted]))
    count, seen = _seen(connection, relation(name), columns)
    filled = frozenset(column for column, is_filled, _ in rows if is_filled)
    return LiveTable(columns, filled, tuple(places[place] for place in sorted(places)), indexed, count, seen)


def _seen(connection: Connection, name: sql.Identifier, columns: dict[str, LiveColumn]) -> tuple[int, dict[str, Seen]]:
    """Look at the first rows, in no order, so that a large table takes no longer than a small one."""
    counts = [part for column, live in columns.items() for part in _counts(sql.Identifier(column), live)]
    query = sql.SQL("select count(*), {} from (select * from {} limit {}) first_rows").format(
        sql.SQL(", ").join(counts), name, sql.Literal(FIRST_ROWS)
    )
    row: Any = connection.execute(query).fetchone()
    three = [row[place : place + 3] for place in range(1, len(row), 3)]
    return row[0], {column: Seen(*counted) for column, counted in zip(columns, three, strict=True)}


def _counts(column: sql.Identifier, live: LiveColumn) -> list[sql.Composed]:
    is_number = live.plain_type in ("numeric", *FLOATS)
    # Zeros at the end are no digits: a table knows where its point is.
    digits = "length(rtrim(split_part({0}::text::numeric::text, '.', 2), '0'))"
    scale = f"max({digits})" if is_number else "null::integer"
    parts = ("count({0})", "count(distinct {0}::text)", scale)
    return [sql.SQL(part).format(column) for part in parts]


def first_day(connection: Connection, name: str, column: str, zone: str) -> date | None:
    """Return the earliest day in a column; None if there is none.

    zone: in which an instant's day is counted. An index on the column makes it quick.
    """
    live = live_columns(connection, relation(name))[column]
    value = sql.Identifier(column)
    day = sql.SQL("min({0}) at time zone {1}") if live.plain_type == "timestamp with time zone" else sql.SQL("min({0})")
    query = sql.SQL("select ({})::date from {} where {} > '1000-01-01' and {} < '9999-01-01'").format(
        day.format(value, sql.Literal(zone)), relation(name), value, value
    )
    row = connection.execute(query).fetchone()
    found: date | None = row[0] if row else None
    return found
