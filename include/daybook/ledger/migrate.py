"""The tables of the ledger and of further targets come from numbered migrations: SQL files, each applied once.

`migrations/ledger` has those of the ledger, `migrations/further` those of what a further target holds. The table
`migration` of each schema has a row for each that was applied there. To change tables, add a file with the next number;
one that was released stays as it is. Only 0001 may meet tables: those that releases before the numbers left.

Tables of a newer Daybook are refused: they may hold what this one would write wrongly.
"""

from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from psycopg import sql

from daybook.errors import BadSpec
from daybook.postgres.session import Connection

Kind = Literal["ledger", "further"]
WHAT: dict[Kind, str] = {"ledger": "ledger", "further": "state of a further target"}


class Migration(NamedTuple):
    """A numbered change of tables; in its statements {ledger} stands for their schema."""

    number: int
    name: str
    statements: str


@cache
def migrations(kind: Kind) -> tuple[Migration, ...]:
    """Return the migrations of this Daybook, the first one first. A file's name is its number and what it is for."""
    found = sorted(files("daybook.ledger").joinpath("migrations", kind).iterdir(), key=lambda file: file.name)
    return tuple(Migration(int(file.name[:4]), file.name, file.read_text()) for file in found)


def newest(kind: Kind) -> int:
    """Return the number that the tables have when all migrations of this Daybook are applied."""
    return migrations(kind)[-1].number


def migrate(connection: Connection, kind: Kind, schema: str) -> None:
    """Apply the migrations that a schema lacks, in the open transaction: all, or none.

    Of several who come at once, one applies them and the others find them applied. Raises BadSpec, and changes nothing,
    if a newer Daybook has been there.
    """
    if _is_newest(connection, kind, schema):
        return
    # Releases before the numbers take the same lock.
    connection.execute("select pg_advisory_xact_lock(hashtext('daybook.ledger'))")
    if _is_newest(connection, kind, schema):
        return
    place = sql.Identifier(schema)
    connection.execute(sql.SQL("create schema if not exists {}").format(place))
    connection.execute(sql.SQL(_NUMBERS).format(place))
    last = _last_applied(connection, schema)
    for migration in migrations(kind):
        if migration.number > last:
            _apply(connection, migration, place)


# Not a migration: it says which were applied.
_NUMBERS = """
    create table if not exists {}.migration (
        number integer primary key,
        name text not null,
        applied_at timestamptz not null default now()
    )
"""


def _apply(connection: Connection, migration: Migration, place: sql.Identifier) -> None:
    connection.execute(sql.SQL(migration.statements).format(ledger=place))
    note = sql.SQL("insert into {}.migration (number, name) values (%s, %s)").format(place)
    connection.execute(note, [migration.number, migration.name])


def _is_newest(connection: Connection, kind: Kind, schema: str) -> bool:
    last, known = _last_applied(connection, schema), newest(kind)
    if last > known:
        raise BadSpec(
            f"the {WHAT[kind]} in the schema {schema}: expected migration {known} at most, the newest of this Daybook; "
            f"found {_name(connection, schema, last)}, of a newer one; nothing was written; run that Daybook again, or "
            "restore the backup from before its upgrade (docs/upgrading.md)"
        )
    return last == known


def _last_applied(connection: Connection, schema: str) -> int:
    """Return the highest number that was applied to a schema; 0 if none was."""
    table = sql.Identifier(schema, "migration")
    if connection.execute("select to_regclass(%s)", [table.as_string(connection)]).fetchone() == (None,):
        return 0
    row = connection.execute(sql.SQL("select max(number) from {}").format(table)).fetchone()
    return (row and row[0]) or 0


def _name(connection: Connection, schema: str, number: int) -> str:
    query = sql.SQL("select name from {} where number = %s").format(sql.Identifier(schema, "migration"))
    row = connection.execute(query, [number]).fetchone()
    return str(row[0]) if row else str(number)
