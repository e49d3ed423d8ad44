"""Whether a role may publish in a database: asked before a day needs it. It changes nothing."""

from collections.abc import Collection, Iterator

from daybook.postgres.session import Connection


def missing_rights(connection: Connection, schemas: Collection[str]) -> Iterator[str]:
    """Return what the role of a connection lacks to publish into these schemas, as the database says it.

    schemas: of the views, of the rows behind them, and of the ledger.
    """
    if _is_true(connection, "select pg_is_in_recovery() or current_setting('default_transaction_read_only')::bool"):
        yield "the database is read-only: a standby, or set so"
    missing = set(schemas) - {name for (name,) in connection.execute(_THERE, [list(schemas)])}
    if missing and not _is_true(connection, "select has_database_privilege(current_database(), 'create')"):
        yield f"{_role(connection)} may not create the schema {', '.join(sorted(missing))}"
    for (name,) in connection.execute(_CLOSED, [list(schemas)]):
        yield f"{_role(connection)} may not create tables in the schema {name}"
    for name, owner in connection.execute(_OF_OTHERS, [list(schemas)]):
        yield f"{name} belongs to {owner}, whose rights {_role(connection)} has not"


_THERE = "select nspname from pg_namespace where nspname = any(%s)"
_CLOSED = """
    select nspname from pg_namespace where nspname = any(%s)
        and not (has_schema_privilege(oid, 'usage') and has_schema_privilege(oid, 'create')) order by 1
"""
_OF_OTHERS = """
    select format('%%I.%%I', nspname, relname), pg_get_userbyid(relowner) from pg_class
        join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = any(%s) and relkind in ('r', 'p', 'v', 'S') and not pg_has_role(relowner, 'usage') order by 1
"""


def _role(connection: Connection) -> str:
    row = connection.execute("select current_user").fetchone()
    return str(row[0]) if row else ""


def _is_true(connection: Connection, query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return bool(row and row[0])
