"""A look behind the readers' views: what a test cleans up, and what the invariants are checked on."""

from typing import Any

import psycopg
from psycopg import sql

TABLES = ("decision", "ledger", "published", "run", "step")


def drop_pipeline(connection: psycopg.Connection[Any], name: str) -> None:
    """Remove a pipeline's schemas and its part of the ledger."""
    for schema in (name, f"{name}_store"):
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
    if connection.execute("select to_regclass('daybook.ledger')").fetchone() == (None,):
        return
    for table in TABLES:
        statement = sql.SQL("delete from {} where pipeline = %s").format(sql.Identifier("daybook", table))
        connection.execute(statement, [name])
