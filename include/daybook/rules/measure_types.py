"""Which measures roll up, and of which type each is."""

from collections.abc import Mapping

import pyarrow as pa

from daybook.spec import Column, Measure, Pipeline, arrow_type, fact_columns


def additive(pipeline: Pipeline) -> list[Measure]:
    """Return the measures that roll up."""
    return [measure for measure in pipeline.measures if measure.is_additive]


def measure_types(pipeline: Pipeline) -> dict[str, pa.DataType]:
    """Return the Arrow type of each measure: int64 for counts and integers, decimals at the scale of their column."""
    columns = fact_columns(pipeline)
    return {measure.name: _measure_type(measure, columns) for measure in pipeline.measures}


def _measure_type(measure: Measure, columns: Mapping[str, Column]) -> pa.DataType:
    column = measure.measured_column(columns)
    if measure.how in ("count", "distinct") or column is None:
        return pa.int64()
    if measure.is_rounded:
        return pa.decimal128(38, measure.scale)
    # 64 bits hold 19 digits; no sum needs more, since those that could are refused.
    return pa.decimal128(19, column.scale) if column.kind == "decimal" else arrow_type(column)
