"""The step `summarize`: the summaries, from the aggregates, the measures that do not add up, and nothing else."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.measure_types import measure_types
from daybook.rules.ratios import ratio_of, ratio_type
from daybook.rules.rolled_up import rolled_up
from daybook.rules.top import first_groups
from daybook.spec import (
    DAYS_DUE,
    DAYS_PUBLISHED,
    CleanRows,
    Pipeline,
    Summary,
    View,
    arrow_type,
    fact_columns,
    stored_numbers,
)

NOTHING: Mapping[str, pa.Table] = MappingProxyType({})


def summarize(
    aggregates: pa.Table, pipeline: Pipeline, day: date, per_summary: Mapping[str, pa.Table] = NOTHING
) -> dict[str, pa.Table]:
    """Return each summary by name: day, the columns it groups by, its measures and ratios, and `row_count`. Of a
    roll-up it is the day's part.

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
    """Return the schema of a summary's rows of a day: day, groups, measures and ratios in the spec's order, rank.

    Of clean rows: day, line and their columns. Those of a roll-up have the measures that its columns are made from.
    """
    columns = fact_columns(pipeline)
    if isinstance(summary, CleanRows):
        own = [(name, arrow_type(columns[name])) for name in summary.columns]
        return pa.schema([("day", pa.date32()), ("line", pa.int64()), *own])
    types = measure_types(pipeline) | {ratio.name: ratio_type(ratio) for ratio in pipeline.ratios}
    groups = [(name, arrow_type(columns[name])) for name in summary.by]
    numbers = [(name, types[name]) for name in stored_numbers(summary, pipeline.ratios)]
    return pa.schema([("day", pa.date32()), *groups, *numbers, *((name, pa.int64()) for name in summary.ranks)])


def published_schema(pipeline: Pipeline, summary: View) -> pa.Schema:
    """Return the schema of what readers see of a summary, in its view and in files.

    Sums and ratios of a roll-up have 38 digits, so that no number of days is too many.
    """
    if isinstance(summary, CleanRows) or summary.every is None:
        return schema(pipeline, summary)
    columns, types = fact_columns(pipeline), measure_types(pipeline)
    wide = {measure.name: _wide(types[measure.name]) for measure in pipeline.measures if measure.how == "sum"}
    wide |= {ratio.name: _wide(ratio_type(ratio)) for ratio in pipeline.ratios}
    groups = [(name, arrow_type(columns[name])) for name in summary.by]
    numbers = [(name, (types | wide)[name]) for name in summary.columns]
    days = [(name, pa.int64()) for name in (DAYS_PUBLISHED, DAYS_DUE)]
    return pa.schema([(summary.every, pa.date32()), *groups, *numbers, *days])


def _wide(of_day: pa.DataType) -> pa.DataType:
    return pa.decimal128(38, of_day.scale if pa.types.is_decimal(of_day) else 0)


def _measured(aggregates: pa.Table, pipeline: Pipeline, summary: Summary) -> pa.Table:
    """Return the rows of a summary: the columns it groups by, `row_count`, and every measure that rolls up."""
    found = rolled_up(aggregates, summary.by, pipeline)
    return found if summary.by else _with_zeros(found, _summed(pipeline))


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
    where, numbers = f"{pipeline.name} {day}, summary {summary.name}", stored_numbers(summary, pipeline.ratios)
    for ratio in pipeline.ratios:
        # Of a roll-up, its view makes the ratios.
        if ratio.name in summary.numbers and not summary.every:
            measured = measured.append_column(ratio.name, ratio_of(measured, ratio, where))
    if summary.top:
        measured = first_groups(measured, summary.top)
    names = [*summary.by, *numbers, *summary.ranks, "row_count"]
    dated = [[day] * measured.num_rows, *(measured[name] for name in names)]
    return pa.table(dated, schema=schema(pipeline, summary).append(pa.field("row_count", pa.int64())))


def _summed(pipeline: Pipeline) -> list[str]:
    return ["row_count", *(measure.name for measure in pipeline.measures if measure.how in ("count", "sum"))]


def _check_totals(measured: dict[str, pa.Table], aggregates: pa.Table, pipeline: Pipeline) -> None:
    totals = _summed(pipeline)
    for name, summary in measured.items():
        for column in totals:
            here, there = pc.sum(summary[column]).as_py(), pc.sum(aggregates[column]).as_py()
            if (here or 0) != (there or 0):
                raise AssertionError(f"{pipeline.name}, summary {name}: {column} is {here}, its aggregates say {there}")
