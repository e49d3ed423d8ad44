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
    _let_change(connection, "disable")
    for table in TABLES:
        statement = sql.SQL("delete from {} where pipeline = %s").format(sql.Identifier("daybook", table))
        connection.execute(statement, [name])
    _let_change(connection, "enable")


def _let_change(connection: psycopg.Connection[Any], word: str) -> None:
    """Take off, or put back, what keeps publications and decisions as they are; only the tables' owner can."""
    for table in ("ledger", "decision"):
        connection.execute(f"alter table daybook.{table} {word} trigger never_changed".encode())
