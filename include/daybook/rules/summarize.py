"""The step `summarize`: the summaries, from the aggregates, the measures that do not add up, and nothing else."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.frames import close_frame, open_frame
from daybook.rules.integers import as_integers
from daybook.rules.measure_types import additive, measure_types
from daybook.rules.ratios import ratio_of, ratio_type
from daybook.rules.top import first_groups
from daybook.spec import CleanRows, Pipeline, Summary, View, arrow_type, fact_columns

NOTHING: Mapping[str, pa.Table] = MappingProxyType({})


def summarize(
    aggregates: pa.Table, pipeline: Pipeline, day: date, per_summary: Mapping[str, pa.Table] = NOTHING
) -> dict[str, pa.Table]:
    """Return each summary by name: day, the columns it groups by, its measures and ratios, and `row_count`.

    aggregates: the result of `aggregate`. day: of the rows. per_summary: the measures that do not add up, by summary.
    Each summary is ordered by its group columns. Of a day without rows, a summary without groups has one row: counts
    and sums of 0, and nothing else. Raises BadData as `ratio_of`.
    """
    measured = {
        summary.name: _with_others(_measured(aggregates, pipeline, summary), summary, per_summary.get(summary.name))
        for summary in pipeline.summaries
    }
    _check_totals(measured, aggregates, pipeline)
    return {summary.name: _summary(measured[summary.name], pipeline, summary, day) for summary in pipeline.summaries}


def schema(pipeline: Pipeline, summary: View) -> pa.Schema:
    """Return the published schema of a summary: day, group columns, measures and ratios in the spec's order, rank.

    Of clean rows: day, line and their columns.
    """
    columns = fact_columns(pipeline)
    if isinstance(summary, CleanRows):
        own = [(name, arrow_type(columns[name])) for name in summary.columns]
        return pa.schema([("day", pa.date32()), ("line", pa.int64()), *own])
    types = measure_types(pipeline) | {ratio.name: ratio_type(ratio) for ratio in pipeline.ratios}
    groups = [(name, arrow_type(columns[name])) for name in summary.by]
    numbers = [(name, types[name]) for name in summary.columns]
    return pa.schema([("day", pa.date32()), *groups, *numbers, *((name, pa.int64()) for name in summary.ranks)])


def _measured(aggregates: pa.Table, pipeline: Pipeline, summary: Summary) -> pa.Table:
    """Return the rows of a summary: the columns it groups by, `row_count`, and every measure that rolls up."""
    measures = additive(pipeline)
    integers = {measure.name: as_integers(aggregates[measure.name]) for measure in measures}
    table = aggregates.select([*summary.by, "row_count"])
    for name, column in integers.items():
        table = table.append_column(name, column.numbers)
    totals = [nw.col("row_count").sum(), *(_rolled_up(measure.how, measure.name) for measure in measures)]
    frame = open_frame(table, pipeline.engine)
    grouped = frame.group_by(*summary.by).agg(*totals) if summary.by else frame.select(*totals)
    rolled_up = close_frame(grouped, table.schema, summary.by)
    for name, column in integers.items():
        rolled_up = rolled_up.set_column(rolled_up.column_names.index(name), name, column.values(rolled_up[name]))
    return rolled_up if summary.by else _with_zeros(rolled_up, _summed(pipeline))


def _with_others(measured: pa.Table, summary: Summary, others: pa.Table | None) -> pa.Table:
    """Return the rows of a summary with the measures that do not add up, which have the same groups in one order."""
    if others is None:
        return measured
    if not measured.select(summary.by).equals(others.select(summary.by)):
        raise AssertionError(f"summary {summary.name}: its aggregates and its other measures have not the same groups")
    for name in others.column_names[len(summary.by) :]:
        measured = measured.append_column(name, others[name])
    return measured


def _with_zeros(totals: pa.Table, names: list[str]) -> pa.Table:
    """Return the one row of totals with 0 as the count or sum of no rows, on which the engines do not agree."""
    if totals["row_count"][0].as_py():
        return totals
    for name in names:
        field = totals.schema.field(name)
        zero = Decimal(0) if pa.types.is_decimal(field.type) else 0
        totals = totals.set_column(totals.column_names.index(name), field, pa.array([zero], field.type))
    return totals


def _summary(measured: pa.Table, pipeline: Pipeline, summary: Summary, day: date) -> pa.Table:
    where = f"{pipeline.name} {day}, summary {summary.name}"
    for ratio in pipeline.ratios:
        if ratio.name in summary.numbers:
            measured = measured.append_column(ratio.name, ratio_of(measured, ratio, where))
    if summary.top:
        measured = first_groups(measured, summary.top)
    names = [*summary.by, *summary.columns, *summary.ranks, "row_count"]
    dated = [[day] * measured.num_rows, *(measured[name] for name in names)]
    return pa.table(dated, schema=schema(pipeline, summary).append(pa.field("row_count", pa.int64())))


def _rolled_up(how: str, name: str) -> nw.Expr:
    column = nw.col(name)
    return getattr(column, "sum" if how == "count" else how)()  # type: ignore[no-any-return]


def _summed(pipeline: Pipeline) -> list[str]:
    return ["row_count", *(measure.name for measure in pipeline.measures if measure.how in ("count", "sum"))]


def _check_totals(measured: dict[str, pa.Table], aggregates: pa.Table, pipeline: Pipeline) -> None:
    totals = _summed(pipeline)
    for name, summary in measured.items():
        for column in totals:
            here, there = pc.sum(summary[column]).as_py(), pc.sum(aggregates[column]).as_py()
            if (here or 0) != (there or 0):
                raise AssertionError(f"{pipeline.name}, summary {name}: {column} is {here}, its aggregates say {there}")
