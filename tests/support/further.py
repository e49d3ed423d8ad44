"""A second database beside the warehouse, under the connection `analytics`, which may be away."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from daybook.spec import Pipeline, Target
from deployment.servers.postgres import LocalPostgres

from .servers import Servers

DATABASE = "analytics"


def further(schema: str) -> Target:
    """Return the further target of a test."""
    return Target(connection=DATABASE, schema=schema)


def make_database(postgres: LocalPostgres) -> None:
    """Make the database, with the rights of the warehouse."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        if connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(f"create database {DATABASE}".encode())
            connection.execute(f"grant create on database {DATABASE} to warehouse_owner".encode())


@dataclass(frozen=True)
class WithFurther(Servers):
    """The servers, and the second database."""

    def dsn_of(self, connection: str) -> str:
        """Return the connection string behind a connection's id; nobody listens there if the database is away.

        `alias` is the warehouse, under another name.
        """
        if connection != DATABASE:
            return super().dsn_of("warehouse" if connection == "alias" else connection)
        dsn = self.postgres.dsn(DATABASE, "warehouse_owner")
        return f"{dsn} port=1" if (self.data / "is_away").exists() else dsn

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let nobody listen where the second database is, for the length of a block."""
        self.data.mkdir(exist_ok=True)
        (self.data / "is_away").touch()
        yield
        (self.data / "is_away").unlink()

    def in_both(self, query: str, pipeline: Pipeline) -> list[list[tuple[Any, ...]]]:
        """Return what readers see in the first database and in the second one. {}: the schema."""
        found = []
        for database, target in (("warehouse", pipeline.target), (DATABASE, pipeline.also[0])):
            with psycopg.connect(self.postgres.dsn(database, "analyst")) as connection:
                found.append(connection.execute(query.replace("{}", target.schema_).encode()).fetchall())
        return found

    def held(self, pipeline: Pipeline) -> list[tuple[Any, ...]]:
        """Return the day and the run of all that the second database holds."""
        query = "select day::text, run_id from {} where pipeline = %s and run_id is not null order by 1"
        with self.connect_postgres(DATABASE) as connection:
            table = sql.Identifier(pipeline.also[0].state, "published")
            return connection.execute(sql.SQL(query).format(table), [pipeline.name]).fetchall()

    def owed(self, pipeline: Pipeline) -> list[tuple[Any, ...]]:
        """Return what is owed: the day, to whom, the run, the number of tries, and the last error."""
        query = "select day::text, export, run_id, tries, error from daybook.export_owed where pipeline = %s order by 1"
        return self.rows(query, pipeline.name, role="warehouse_owner")
