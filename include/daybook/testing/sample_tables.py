"""Tables of a sample: made in the source database with the types that the spec's columns ask for."""

import csv
import io
from typing import Any

import psycopg
from psycopg import sql

from daybook.postgres.sql_types import sql_type
from daybook.spec import Table, arrow_type

READER = "source_reader"


def fill_table(connection: psycopg.Connection[Any], table: Table, rows: str) -> None:
    """Make a table anew with some rows. rows: CSV with a header; a column that the spec does not name is text."""
    schema, _, name = table.relation.partition(".")
    headers = next(csv.reader(io.StringIO(rows, newline="")))
    made = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(header), sql.SQL(_type(table, header))) for header in headers
    )
    relation = sql.Identifier(schema, name)
    if schema != "public":
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    connection.execute(sql.SQL("drop table if exists {} cascade").format(relation))
    connection.execute(sql.SQL("create table {} ({})").format(relation, made))
    copy = sql.SQL("copy {} from stdin with (format csv, header)").format(relation)
    with connection.cursor().copy(copy) as into:
        into.write(rows)


def _type(table: Table, header: str) -> str:
    """Return the SQL type of a column by its header."""
    types = {column.header: sql_type(arrow_type(column)) for column in table.columns}
    return types.get(header, "text")
