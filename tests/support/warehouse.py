"""A look behind the readers' views: what a test cleans up, and what the invariants are checked on."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from daybook.spec import Pipeline

TABLES = ("export_owed", "exported", "decision", "ledger", "pipeline_change", "published", "run", "step")


def drop_pipeline(connection: psycopg.Connection[Any], name: str) -> None:
    """Remove a pipeline's schemas and its part of the ledger."""
    for schema in (name, f"{name}_store"):
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
    if connection.execute("select to_regclass('daybook.ledger')").fetchone() == (None,):
        return
    _let_change(connection, "disable")
    for table in TABLES:
        statement = sql.SQL("delete from {} where pipeline = %s").format(sql.Identifier("daybook", table))
        connection.execute(statement, [name])
    _let_change(connection, "enable")


def _let_change(connection: psycopg.Connection[Any], word: str) -> None:
    """Take off, or put back, what keeps publications and decisions as they are; only the tables' owner can."""
    for table in ("ledger", "decision", "exported", "pipeline_change"):
        connection.execute(f"alter table daybook.{table} {word} trigger never_changed".encode())


class Copied(NamedTuple):
    """A pipeline's part of the warehouse at one moment: the rows of each table, as JSON."""

    rows: dict[tuple[str, str], str]


def copied(connection: psycopg.Connection[Any], pipeline: Pipeline) -> Copied:
    """Copy a pipeline's part of the ledger and its saved rows."""
    found = {}
    for schema, table, its_rows in _tables(connection, pipeline):
        rows = sql.SQL("select coalesce(jsonb_agg(t), '[]')::text from {} t where ").format(
            sql.Identifier(schema, table)
        )
        found[schema, table] = str(connection.execute(rows + its_rows).fetchall()[0][0])
    return Copied(found)


def put_back(connection: psycopg.Connection[Any], pipeline: Pipeline, before: Copied) -> None:
    """Make a pipeline's part of the warehouse what it was. connection: the superuser's, so that no trigger refuses."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for schema, table, its_rows in _tables(connection, pipeline):
            name = sql.Identifier(schema, table)
            connection.execute(sql.SQL("delete from {} where ").format(name) + its_rows)
            insert = sql.SQL(
                "insert into {0} overriding system value select * from jsonb_populate_recordset(null::{0}, %s)"
            )
            connection.execute(insert.format(name), [before.rows.get((schema, table), "[]")])


def _tables(connection: psycopg.Connection[Any], pipeline: Pipeline) -> Iterator[tuple[str, str, sql.Composable]]:
    """Return the tables that there are already, and the words that choose the pipeline's rows."""
    own = sql.SQL("pipeline = {}").format(sql.Literal(pipeline.name))
    tables: list[tuple[str, str, sql.Composable]] = [("daybook", table, own) for table in TABLES]
    tables += [(pipeline.target.store, summary.name, sql.SQL("true")) for summary in pipeline.summaries]
    for schema, table, its_rows in tables:
        if connection.execute("select to_regclass(%s)", [f"{schema}.{table}"]).fetchone() != (None,):
            yield schema, table, its_rows
