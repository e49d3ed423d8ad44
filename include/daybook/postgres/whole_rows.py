"""What the rows of a table that is read whole are now: asked in one query, and nothing is copied.

A row's hash is that of its line in a copy (copy_tables.py), so a copy that an older run made can be compared with the
table as it is now (copied_rows.py): buckets of keys tell where they differ, and only the rows of these are fetched.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import BinaryIO

from psycopg import sql

from daybook.postgres.day_rows import CONTENT_OF_HASHES, condition, relation
from daybook.postgres.day_state import DayState
from daybook.postgres.session import Connection
from daybook.postgres.typed_columns import live_columns, value
from daybook.spec import Column, Table

# The signs for which COPY puts a text into quotes (PostgreSQL's manual, COPY, CSV Format).
QUOTED = '[,"\n\r]'
# In a table of one column also for a text that older versions took for the end of the copy.
QUOTED_ALONE = rf"{QUOTED}|^\\\.$"
# The kinds whose values have none of them.
UNQUOTED = ("integer", "decimal", "boolean")


def whole_state(connection: Connection, table: Table) -> DayState:
    """Return how many rows a table has that a copy would read, and a hash of them, whatever their order."""
    query = sql.SQL("select count(*), {content} from ({rows}) as rows").format(
        content=CONTENT_OF_HASHES, rows=_hashed_rows(connection, table, ())
    )
    row = connection.execute(query).fetchone()
    return DayState(*row) if row and row[0] else DayState(0, "")


def whole_buckets(connection: Connection, table: Table, key: Sequence[str]) -> dict[int, DayState]:
    """Return what `whole_state` does for each bucket of rows. key: headers; rows with equal values share a bucket."""
    query = sql.SQL("select bucket, count(*), {content} from ({rows}) as rows group by 1").format(
        content=CONTENT_OF_HASHES, rows=_hashed_rows(connection, table, key)
    )
    return {bucket: DayState(rows, content) for bucket, rows, content in connection.execute(query)}


def copy_buckets(
    connection: Connection, table: Table, key: Sequence[str], numbers: Collection[int], file: BinaryIO
) -> None:
    """Write the rows of some buckets as CSV with a header into `file`, as a copy of the table has them."""
    names = (
        sql.SQL("{} as {}").format(_value(place), sql.Identifier(column.header))
        for place, column in enumerate(table.columns)
    )
    query = sql.SQL("copy (select {} from ({}) as fields where {} = any({})) to stdout ({})").format(
        sql.SQL(", ").join(names),
        _fields(connection, table),
        _bucket(table, key),
        sql.Literal(sorted(numbers)),
        sql.SQL("format csv, header true, encoding 'UTF8'"),
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for block in copy:
            file.write(block)


def _hashed_rows(connection: Connection, table: Table, key: Sequence[str]) -> sql.Composed:
    return sql.SQL("select {} as bucket, {} as row_state from ({}) as fields").format(
        _bucket(table, key), _hash(range(len(table.columns))), _fields(connection, table)
    )


def _fields(connection: Connection, table: Table) -> sql.Composed:
    """Return the query of the values that a copy writes, and of each as it stands in the copy, named by their place."""
    live = live_columns(connection, relation(table.relation))
    values = (
        sql.SQL("{} as {}").format(value(column, live[column.header]), _value(place))
        for place, column in enumerate(table.columns)
    )
    fields = (
        sql.SQL("{}, {} as {}").format(_value(place), _as_csv(_value(place), column, table), _field(place))
        for place, column in enumerate(table.columns)
    )
    # Each value is written once: PostgreSQL merges no query with an offset into the one around it.
    return sql.SQL("select {} from (select {} from {} where {}) as read offset 0").format(
        sql.SQL(", ").join(fields),
        sql.SQL(", ").join(values),
        relation(table.relation),
        condition(table.where),
    )


def _value(place: int) -> sql.Identifier:
    return sql.Identifier(f"value_{place}")


def _field(place: int) -> sql.Identifier:
    return sql.Identifier(f"field_{place}")


def _bucket(table: Table, key: Sequence[str]) -> sql.Composed:
    if not key:
        return sql.Composed([sql.Literal(0)])
    headers = [column.header for column in table.columns]
    hashed = _hash(headers.index(name) for name in key)
    return sql.SQL("('x' || encode(substr({}, 1, 2), 'hex'))::bit(16)::integer").format(hashed)


def _hash(places: Iterable[int]) -> sql.Composed:
    line = sql.SQL(" || ',' || ").join(map(_field, places))
    return sql.SQL("sha256(convert_to({}, 'UTF8'))").format(line)


def _as_csv(name: sql.Identifier, column: Column, table: Table) -> sql.Composed:
    # concat writes a value as COPY does, by its type's output function: true is t. Of nothing it makes an empty text.
    if column.kind in UNQUOTED:
        return sql.SQL("concat({})").format(name)
    return sql.SQL(
        "case when {0} is null then '' when concat({0}) = '' or concat({0}) ~ {1} "
        "then '\"' || replace(concat({0}), '\"', '\"\"') || '\"' else concat({0}) end"
    ).format(name, sql.Literal(QUOTED_ALONE if len(table.columns) == 1 else QUOTED))
