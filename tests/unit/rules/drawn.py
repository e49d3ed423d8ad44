"""Tables drawn in tests: rows of cells between bars, read by the types that a schema gives them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

READ: dict[pa.DataType, Callable[[str], Any]] = {
    pa.int64(): int,
    pa.string(): str,
    pa.date32(): date.fromisoformat,
    pa.bool_(): {"yes": True, "no": False}.__getitem__,
}


def cells(drawing: str) -> list[list[str]]:
    """Return the cells of each drawn row, the header's first; lines without a bar are left out."""
    lines = [line.strip() for line in drawing.splitlines() if "|" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not set(line) <= set("|- ")]


def table(drawing: str, schema: pa.Schema) -> pa.Table:
    """Return a drawn table as Arrow: the columns that are drawn, an empty cell or one of `-` as nothing.

    Columns of `schema` that are not drawn are nothing in every row.
    """
    header, *rows = cells(drawing)
    drawn = {name: [_read(row[place], schema.field(name).type) for row in rows] for place, name in enumerate(header)}
    return pa.table([drawn.get(name, [None] * len(rows)) for name in schema.names], schema=schema)


def _read(cell: str, kind: pa.DataType) -> Any:
    if cell in ("", "-"):
        return None
    return Decimal(cell) if pa.types.is_decimal(kind) else READ[kind](cell)


def drawing(rows: pa.Table, *columns: str) -> list[list[str]]:
    """Return those columns of a table as cells, with their header, to compare with `cells` of a drawing."""
    return [list(columns), *([_shown(value) for value in row.values()] for row in rows.select(columns).to_pylist())]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)
