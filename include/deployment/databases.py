"""The databases of a deployment, the roles that use them, and what each may do. Made anew at every start, the same.

database    owner             others who may connect
airflow     airflow           nobody
source      source_owner      source_reader: reads, and no more
warehouse   warehouse_owner   daybook_reader, a group whose member `analyst` is: sees what is published
"""

from collections.abc import Sequence
from itertools import chain
from typing import Protocol

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier, Literal

from deployment.secret_values import Secrets

OWNERS = {"airflow": "airflow", "source": "source_owner", "warehouse": "warehouse_owner"}
LOGINS = ("airflow", "source_owner", "source_reader", "warehouse_owner", "analyst")
READERS = "daybook_reader"

CONNECTING = {"source": "source_reader", "warehouse": READERS}


class Server(Protocol):
    """A PostgreSQL server, of this machine or of a container: the passwords of its roles, and how to reach it."""

    @property
    def secrets(self) -> Secrets:
        """Give the deployment's secrets."""

    def dsn(self, database: str = ..., role: str = ...) -> str:
        """Give libpq's connection string for a role in a database; for the superuser unless one is named."""


def make_databases(postgres: Server) -> None:
    """Make what is missing of the roles and databases of a running server, and set their passwords and rights."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        _run(connection, _missing_roles(connection))
        _run(connection, _passwords(postgres))
        _run(connection, _missing_databases(connection))
        _run(connection, _rights())
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
    grant = SQL("GRANT CONNECT ON DATABASE {} TO {}")
    return [
        *(revoke.format(Identifier(name)) for name in chain(OWNERS, ("postgres", "template1"))),
        *(grant.format(Identifier(name), Identifier(role)) for name, role in CONNECTING.items()),
        SQL("GRANT {} TO analyst").format(Identifier(READERS)),
        SQL("ALTER ROLE source_reader SET default_transaction_read_only = on").format(),
    ]


def _rights_in_source() -> list[Composed]:
    return [
        SQL("GRANT USAGE ON SCHEMA public TO source_reader").format(),
        SQL(
            "ALTER DEFAULT PRIVILEGES FOR ROLE source_owner IN SCHEMA public GRANT SELECT ON TABLES TO source_reader"
        ).format(),
    ]
