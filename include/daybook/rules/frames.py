"""Frames for the pure steps: an Arrow table in, a lazy narwhals frame of the pipeline's engine, an Arrow table out.

The steps are written once against narwhals and run on Polars, pandas or DuckDB; on a Spark cluster, each worker runs
them on Polars, and what is brought together of several workers is a frame of Spark's. Two things keep the engines
equal to the byte: they compute with decimals as 64-bit integers in units of the last digit, which become decimals again
at the end; and Arrow sorts the rows at the end, by columns that the step names.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from daybook.rules.coded import codes_of, is_coded, plain_table
from daybook.rules.units import from_units, units
from daybook.spec import LIBRARIES, Column, Engine, Source, arrow_type

# A table in more pieces is sorted.
MOST_PIECES = 1000


def rows_schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema of rows with their line: `line` (the physical line in the raw file), then the columns."""
    return pa.schema([("line", pa.int64()), *((column.name, arrow_type(column)) for column in columns)])


def under_names(rows: pa.Table, source: Source) -> pa.Table:
    """Return rows that have `line` and the source's columns under their headers, with the names of the spec."""
    return rows.rename_columns(["line", *(column.name for column in source.columns)])


def open_frame(table: pa.Table, engine: Engine) -> nw.LazyFrame[Any]:
    """Return the table as a lazy frame of the engine. Decimals become integers in units of their last digit."""
    return open_as_it_is(for_engines(table), engine)


def open_as_it_is(table: pa.Table, engine: Engine) -> nw.LazyFrame[Any]:
    """Return the table as a lazy frame of the engine, with its decimals."""
    return _OPEN[LIBRARIES[engine]](table)


def close_frame(frame: nw.LazyFrame[Any], schema: pa.Schema, order: Sequence[str]) -> pa.Table:
    """Run the frame; return its rows with the columns and types of `schema`, sorted by `order` (nulls last)."""
    table = frame.select(*schema.names).collect("pyarrow").to_native().select(schema.names)
    typed = pa.table([_typed(table[field.name], field.type) for field in schema], schema=schema)
    return _in_one_piece(ordered(typed, order))


def add_columns(frame: nw.LazyFrame[Any], columns: Iterable[nw.Expr]) -> nw.LazyFrame[Any]:
    """Return the frame with the columns added. There may be none, which narwhals would refuse."""
    added = list(columns)
    return frame.with_columns(*added) if added else frame


def ordered(table: pa.Table, order: Sequence[str]) -> pa.Table:
    """Return the table sorted by the columns of `order`, ascending, nulls last."""
    if not order or not table.num_rows:
        return table
    found = _by_line(table) if list(order) == ["line"] else None
    if found is not None:
        return found
    return table.take(pc.sort_indices(table, sort_keys=[(name, "ascending") for name in order]))


def _by_line(table: pa.Table) -> pa.Table | None:
    """Return the table sorted by line if it is in order, or in a few pieces that are; else None."""
    # Rows come in order, or as the threads of a join left them. To put the pieces in order takes a tenth of sorting.
    if table["line"].null_count:
        return None
    lines = table["line"].to_numpy()
    starts = np.flatnonzero(np.diff(lines, prepend=lines[0] + 1) < 0)
    if len(starts) > MOST_PIECES:
        return None
    ends = np.append(starts[1:], len(lines))
    by_first = np.argsort(lines[starts])
    starts, ends = starts[by_first], ends[by_first]
    if (lines[ends[:-1] - 1] >= lines[starts[1:]]).any():
        return None
    pieces = [table.slice(start, end - start) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return table if len(pieces) == 1 else pa.concat_tables(pieces)


def without(rows: pa.Table, are_out: pa.ChunkedArray) -> pa.Table:
    """Return rows without some of them; if none is to go, which is the rule, nothing is copied."""
    return rows.filter(pc.invert(are_out)) if pc.any(are_out).as_py() else rows


def _in_one_piece(table: pa.Table) -> pa.Table:
    # An engine's threads decide about the pieces, and these about where a page of a Parquet file ends.
    return table.combine_chunks() if any(column.num_chunks > 1 for column in table.columns) else table


def hashes(rows: pa.Table) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each row: equal rows have equal ones, also in another table; others may, rarely.

    Polars makes them for every engine: no result depends on them, since what shares one is compared exactly.
    """
    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type) or is_coded(rows[place]):
            rows = rows.set_column(place, field.name, _hashed_texts(rows[place]))
    found: NDArray[np.uint64] = _in_polars(for_engines(rows)).hash_rows().to_numpy()
    return found


def _hashed_texts(column: pa.ChunkedArray) -> pa.Array:
    """Return the hash of each text; nothing if there is none."""
    codes = codes_of(column)
    hashed = _in_polars(pa.table([codes.texts], ["text"]))["text"].hash().to_numpy()
    return pa.array(hashed, pa.uint64()).take(codes.numbers)


def units_at_most(value: int | Decimal, column: Column) -> int:
    """Return the largest integer of a frame that is not over a value of the spec (1.256 at scale 2: 125).

    A frame holds integers, so "over 125.6" and "over 125" are the same for it, and "at most" too.
    """
    return math.floor(_in_units(value, column))


def units_at_least(value: int | Decimal, column: Column) -> int:
    """Return the smallest integer of a frame that is not below a value of the spec (1.256 at scale 2: 126)."""
    return math.ceil(_in_units(value, column))


def _in_units(value: int | Decimal, column: Column) -> Fraction:
    # Not Decimal.scaleb, which rounds to 28 digits.
    scale = column.scale if column.kind == "decimal" else 0
    return Fraction(value) * Fraction(10**scale)


def _open_polars(table: pa.Table) -> nw.LazyFrame[Any]:
    frame: nw.LazyFrame[Any] = nw.from_native(_in_polars(table).lazy())
    return frame


def _in_polars(table: pa.Table) -> Any:
    import polars

    # rechunk: a copy of all columns, only to have each in one piece.
    return polars.from_arrow(table, rechunk=False)


def _open_pandas(table: pa.Table) -> nw.LazyFrame[Any]:
    import pandas

    # Arrow's types: pandas' default ones turn an integer column with a null into floats.
    frame: nw.DataFrame[Any] = nw.from_native(table.to_pandas(types_mapper=pandas.ArrowDtype))
    return frame.lazy()


def _open_duckdb(table: pa.Table) -> nw.LazyFrame[Any]:
    import duckdb

    # The process's default connection: relations of two connections cannot be joined.
    return nw.from_native(duckdb.from_arrow(table))


_OPEN = {"polars": _open_polars, "pandas": _open_pandas, "duckdb": _open_duckdb}


def for_engines(table: pa.Table) -> pa.Table:
    """Return the table with integers in units of the last digit instead of decimals, and with texts, not codes."""
    table = plain_table(table)
    for position, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(position, field.name, units(table[field.name]))
    return table


def _typed(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if column.type == wanted:
        return column
    if not pa.types.is_decimal(wanted):
        return column.cast(wanted)
    # DuckDB sums integers into decimals of scale 0: by way of int64 all engines agree.
    return from_units(column.cast(pa.int64()), wanted)
