"""The databases of a deployment, their roles, and the rights of each. Applied again at every start.

database    owner             others who may connect
airflow     airflow           nobody
source      source_owner      source_reader: may only read
warehouse   the superuser     warehouse_owner, the role of the tasks: creates schemas, and owns those
                              daybook_reader, a group with the member `analyst`: reads the published views
"""

from collections.abc import Sequence
from itertools import chain
from typing import Protocol

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier, Literal

from deployment.secret_values import Secrets

OWNERS = {"airflow": "airflow", "source": "source_owner", "warehouse": "postgres"}
LOGINS = ("airflow", "source_owner", "source_reader", "warehouse_owner", "analyst")
READERS = "daybook_reader"

CONNECTING = (("source", "source_reader"), ("warehouse", "warehouse_owner"), ("warehouse", READERS))

# No role may take all connections of the server, or work or wait on it for ever. A session may set other time limits
# for itself, as the tasks do; a role cannot change its number of connections.
CONNECTIONS = {"source_reader": 20, "warehouse_owner": 60, "analyst": 25}
TIMES = {
    "source_reader": {"statement_timeout": "15min", "idle_in_transaction_session_timeout": "5min"},
    "warehouse_owner": {"statement_timeout": "5min", "idle_in_transaction_session_timeout": "1min"},
    "analyst": {"statement_timeout": "15min", "idle_in_transaction_session_timeout": "15min"},
}


class Server(Protocol):
    """A PostgreSQL server, of this machine or of a container: the passwords of its roles, and how to reach it."""

    @property
    def secrets(self) -> Secrets:
        """Return the deployment's secrets."""

    def dsn(self, database: str = ..., role: str = ...) -> str:
        """Return libpq's connection string for a role in a database; for the superuser unless one is named."""


def make_databases(postgres: Server) -> None:
    """Create the missing roles and databases of a running server, and set their passwords and rights."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        _run(connection, _missing_roles(connection))
        _spare_iterations(connection)
        _run(connection, _passwords(postgres))
        _run(connection, _missing_databases(connection))
        _run(connection, _rights())
        _run(connection, _limits())
    for database in OWNERS:
        with psycopg.connect(postgres.dsn(database), autocommit=True) as connection:
            connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    with psycopg.connect(postgres.dsn("source"), autocommit=True) as connection:
        _run(connection, _rights_in_source())


def _run(connection: Connection, statements: Sequence[Composed]) -> None:
    for statement in statements:
        connection.execute(statement)


def _missing_roles(connection: Connection) -> list[Composed]:
    there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    missing = [name for name in (READERS, *LOGINS) if name not in there]
    return [SQL("CREATE ROLE {} NOLOGIN").format(Identifier(name)) for name in missing]


def _spare_iterations(connection: Connection) -> None:
    # Iterations make a password slow to guess, but also each login, and every step logs in. Ours are 24 random bytes,
    # which nobody guesses. PostgreSQL has this setting since 16.
    if connection.info.server_version >= 160_000:
        connection.execute("SET scram_iterations = 1")


def _passwords(postgres: Server) -> list[Composed]:
    give = SQL("ALTER ROLE {} LOGIN PASSWORD {}")
    return [give.format(Identifier(name), Literal(getattr(postgres.secrets, name))) for name in LOGINS]


def _missing_databases(connection: Connection) -> list[Composed]:
    there = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    create = SQL("CREATE DATABASE {} OWNER {}")
    missing = {name: owner for name, owner in OWNERS.items() if name not in there}
    return [create.format(Identifier(name), Identifier(owner)) for name, owner in missing.items()]


def _rights() -> list[Composed]:
    revoke = SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC")
    change = SQL("ALTER DATABASE {} OWNER TO {}")
    grant = SQL("GRANT CONNECT ON DATABASE {} TO {}")
    return [
        *(revoke.format(Identifier(name)) for name in chain(OWNERS, ("postgres", "template1"))),
        # In an earlier version the databases belonged to the tasks' login, which could drop them.
        *(change.format(Identifier(name), Identifier(owner)) for name, owner in OWNERS.items()),
        *(grant.format(Identifier(name), Identifier(role)) for name, role in CONNECTING),
        SQL("GRANT CREATE ON DATABASE warehouse TO warehouse_owner").format(),
        SQL("GRANT {} TO analyst").format(Identifier(READERS)),
        SQL("ALTER ROLE source_reader SET default_transaction_read_only = on").format(),
    ]


def _limits() -> list[Composed]:
    most = SQL("ALTER ROLE {} CONNECTION LIMIT {}")
    longest = SQL("ALTER ROLE {} SET {} = {}")
    return [
        *(most.format(Identifier(role), Literal(number)) for role, number in CONNECTIONS.items()),
        *(
            longest.format(Identifier(role), Identifier(what), Literal(time))
            for role, times in TIMES.items()
            for what, time in times.items()
        ),
    ]


def _rights_in_source() -> list[Composed]:
    # The pipelines read every schema and table that the owner makes, at once and without a word of hers.
    give = SQL("ALTER DEFAULT PRIVILEGES FOR ROLE source_owner GRANT {} TO source_reader")
    return [
        SQL("GRANT USAGE ON SCHEMA public TO source_reader").format(),
        *(give.format(SQL(right)) for right in ("USAGE ON SCHEMAS", "SELECT ON TABLES")),
    ]
