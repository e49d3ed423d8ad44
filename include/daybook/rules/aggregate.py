"""The step `aggregate`: the measures per group, at the finest grain that any summary asks for.

Every measure rolls up (a count, sum, min or max), so all summaries are made from this one table and nothing else.
"""

from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.rules.frames import add_columns, close_frame, open_frame
from daybook.spec import Column, Measure, Pipeline, arrow_type, fact_columns, group_columns


def aggregate(facts: pa.Table, pipeline: Pipeline) -> pa.Table:
    """Return one row per group of facts: the group's columns, `row_count` (facts in it), and every measure.

    facts: indexed facts. Raises BadData if a sum could leave 64 bits.
    """
    _check_sums_fit(facts, pipeline)
    grain = group_columns(pipeline)
    frame = _prepared(open_frame(facts, pipeline.engine), pipeline)
    grouped = frame.group_by(*grain).agg(*_totals(pipeline)) if grain else frame.select(*_totals(pipeline))
    return close_frame(grouped, schema(pipeline), grain)


def schema(pipeline: Pipeline) -> pa.Schema:
    """Return the schema of the aggregates: group columns, row_count, measures."""
    columns = fact_columns(pipeline)
    groups = [(name, arrow_type(columns[name])) for name in group_columns(pipeline)]
    return pa.schema([*groups, ("row_count", pa.int64()), *measure_types(pipeline).items()])


def measure_types(pipeline: Pipeline) -> dict[str, pa.DataType]:
    """Return the Arrow type of each measure: int64 for counts and integers, decimals at the scale of their column."""
    columns = fact_columns(pipeline)
    return {measure.name: _measure_type(measure, columns) for measure in pipeline.measures}


def _measure_type(measure: Measure, columns: dict[str, Column]) -> pa.DataType:
    if measure.how == "count" or measure.of is None:
        return pa.int64()
    column = columns[measure.of]
    # 64 bits hold 19 digits; _check_sums_fit makes sure that no sum needs more.
    return pa.decimal128(19, column.scale) if column.kind == "decimal" else pa.int64()


def _check_sums_fit(facts: pa.Table, pipeline: Pipeline) -> None:
    # Engines wrap silently past 64 bits; no sum can exceed the largest absolute value times the number of rows.
    columns = fact_columns(pipeline)
    for measure in pipeline.measures:
        if measure.how == "sum" and measure.of and facts.num_rows:
            span = pc.min_max(facts[measure.of]).as_py()
            scale = columns[measure.of].scale
            largest = max(abs(span["min"] or 0), abs(span["max"] or 0)) * 10**scale
            if largest * facts.num_rows >= 2**63:
                raise BadData(
                    f"{pipeline.name}: measure {measure.name!r} could leave 64 bits: {facts.num_rows} rows of column "
                    f"{measure.of!r}; nothing was published; declare a maximum for the column or mend the values"
                )


def _prepared(frame: nw.LazyFrame[Any], pipeline: Pipeline) -> nw.LazyFrame[Any]:
    # Plain aggregates only: some engines refuse a cast or a test inside agg(), or are slow at it.
    flags = {measure.where for measure in pipeline.measures if measure.where}
    return add_columns(frame, (nw.col(flag).cast(nw.Int64).alias(f"{flag}_as_number") for flag in sorted(flags)))


def _totals(pipeline: Pipeline) -> list[nw.Expr]:
    return [nw.len().alias("row_count"), *(_total(measure).alias(measure.name) for measure in pipeline.measures)]


def _total(measure: Measure) -> nw.Expr:
    if measure.where:
        return nw.col(f"{measure.where}_as_number").sum()
    if measure.of is None:
        return nw.len()
    return getattr(nw.col(measure.of), measure.how)()  # type: ignore[no-any-return]
