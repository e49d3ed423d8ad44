"""Whether a table can be read as the spec has it: asked without reading a row of it, before a day needs it."""

from psycopg import sql

from daybook.errors import DaybookError
from daybook.postgres.copy_tables import check_columns
from daybook.postgres.day_rows import relation
from daybook.postgres.marks import LocalDay, marked_days
from daybook.postgres.session import Connection, translated_errors
from daybook.spec import Table


def why_not_readable(connection: Connection, table: Table, on: LocalDay) -> str:
    """Return why a table cannot be read: its columns, types or rights, or those of its mark; "" if it can.

    connection: in a transaction with the settings of copy_tables.py. on: a day to look for a mark of.
    """
    try:
        with translated_errors(table.connection), connection.transaction():
            check_columns(connection, (table,))
            connection.execute(_no_row(table))
            if table.ready:
                marked_days(connection, table.ready, on.day, on.day, on.zone)
    except DaybookError as error:
        return str(error)
    return ""


def _no_row(table: Table) -> sql.Composed:
    # PostgreSQL checks all rights, those behind a view and policies too, before it looks for the first row.
    columns = sql.SQL(", ").join(sql.Identifier(column.header) for column in table.columns)
    return sql.SQL("select {} from {} limit 0").format(columns, relation(table.relation))
