"""The types of published columns, as PostgreSQL writes them."""

import pyarrow as pa


def sql_type(arrow: pa.DataType) -> str:
    """Return PostgreSQL's name of a published column's type."""
    if pa.types.is_decimal(arrow):
        return f"numeric({arrow.precision},{arrow.scale})"
    names = {pa.int64(): "bigint", pa.string(): "text", pa.date32(): "date", pa.bool_(): "boolean"}
    return names.get(arrow, "timestamp with time zone")
