"""What each measure is made of, and of which type it is.

A measure is made of a column of the facts, as integers, with nothing in the rows that do not count.
"""

import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.integers import Integers, as_integers
from daybook.spec import Column, Measure, Pipeline, arrow_type, fact_columns


def additive(pipeline: Pipeline) -> list[Measure]:
    """Return the measures that roll up."""
    return [measure for measure in pipeline.measures if measure.is_additive]


def input_of(facts: pa.Table, measure: Measure) -> Integers:
    """Return what a measure is made of: `of`, or a 1 for each row; nothing in rows for which `where` is not true."""
    column = as_integers(facts[measure.of]) if measure.of else _ones(facts.num_rows)
    if measure.where is None:
        return column
    return column._replace(numbers=pc.if_else(facts[measure.where], column.numbers, pa.scalar(None, pa.int64())))


def input_name(measure: Measure) -> str:
    """Return a name for what a measure is made of, equal for equal inputs, which no column of a spec can have."""
    return f"0_{measure.of or ''}_0_{measure.where or ''}"


def measure_types(pipeline: Pipeline) -> dict[str, pa.DataType]:
    """Return the Arrow type of each measure: int64 for counts and integers, decimals at the scale of their column."""
    columns = fact_columns(pipeline)
    return {measure.name: _measure_type(measure, columns) for measure in pipeline.measures}


def _measure_type(measure: Measure, columns: dict[str, Column]) -> pa.DataType:
    if measure.how in ("count", "distinct") or measure.of is None:
        return pa.int64()
    if measure.is_rounded:
        return pa.decimal128(38, measure.scale)
    column = columns[measure.of]
    # 64 bits hold 19 digits; no sum needs more, since those that could are refused.
    return pa.decimal128(19, column.scale) if column.kind == "decimal" else arrow_type(column)


def _ones(rows: int) -> Integers:
    return Integers(pa.chunked_array([pa.repeat(pa.scalar(1, pa.int64()), rows)]), pa.int64())
