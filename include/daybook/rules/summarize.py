"""The step `summarize`: the summaries, from the aggregates and nothing else, with means and shares computed exactly.

A ratio is an integer division rounded half away from zero to two decimals, like PostgreSQL's round(numeric)
(its manual, 9.3 Mathematical Functions), so no engine's floating point affects a published number.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.rules.frames import close_frame, from_units, open_frame, units
from daybook.rules.inputs import additive, measure_types
from daybook.rules.integers import as_integers
from daybook.spec import Pipeline, Ratio, Summary, arrow_type, fact_columns

RATIO = pa.decimal128(20, 2)
NOTHING: Mapping[str, pa.Table] = MappingProxyType({})


def summarize(
    aggregates: pa.Table, pipeline: Pipeline, day: date, per_summary: Mapping[str, pa.Table] = NOTHING
) -> dict[str, pa.Table]:
    """Return each summary by name: day, the columns it groups by, its measures and ratios, and `row_count`.

    aggregates: the result of `aggregate`. day: of the rows. per_summary: the measures that do not add up, by summary.
    Each summary is ordered by its group columns. Of a day without rows, a summary without groups has one row: counts
    and sums of 0, and nothing else. Raises BadData if a ratio could leave 64 bits.
    """
    scales = _scales(pipeline)
    _check_ratios_fit(aggregates, pipeline, scales)
    measured = {
        summary.name: _with_others(_measured(aggregates, pipeline, summary), summary, per_summary.get(summary.name))
        for summary in pipeline.summaries
    }
    summaries = {s.name: _summary(measured[s.name], pipeline, s, day, scales) for s in pipeline.summaries}
    _check_totals(summaries, aggregates, pipeline)
    return summaries


def schema(pipeline: Pipeline, summary: Summary) -> pa.Schema:
    """Return the published schema of a summary: day, group columns, measures and ratios in the spec's order."""
    columns = fact_columns(pipeline)
    measures = measure_types(pipeline)
    groups = [(name, arrow_type(columns[name])) for name in summary.by]
    return pa.schema([("day", pa.date32()), *groups, *((name, measures.get(name, RATIO)) for name in summary.columns)])


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


def _summary(measured: pa.Table, pipeline: Pipeline, summary: Summary, day: date, scales: dict[str, int]) -> pa.Table:
    ratios = {ratio.name: _ratio(measured, ratio, scales) for ratio in pipeline.ratios if ratio.name in summary.columns}
    columns = [ratios[name] if name in ratios else measured[name] for name in summary.columns]
    groups = [measured[name] for name in summary.by]
    dated = [[day] * measured.num_rows, *groups, *columns, measured["row_count"]]
    return pa.table(dated, schema=schema(pipeline, summary).append(pa.field("row_count", pa.int64())))


def _rolled_up(how: str, name: str) -> nw.Expr:
    column = nw.col(name)
    return getattr(column, "sum" if how == "count" else how)()  # type: ignore[no-any-return]


def _summed(pipeline: Pipeline) -> list[str]:
    return ["row_count", *(measure.name for measure in pipeline.measures if measure.how in ("count", "sum"))]


def _ratio(measured: pa.Table, ratio: Ratio, scales: dict[str, int]) -> pa.ChunkedArray:
    # round(n / d * times, 2) half away from zero = sign(n) * floor((2 * |n| * times * 100 + d) / (2 * d)) hundredths
    top, bottom = units(measured[ratio.of]), pc.multiply(units(measured[ratio.over]), 10 ** scales[ratio.of])
    over = pc.if_else(pc.greater(bottom, 0), bottom, None)
    hundredths = pc.divide(pc.add(pc.multiply(pc.abs(top), 2 * ratio.times * 100), over), pc.multiply(over, 2))
    return from_units(pc.if_else(pc.less(top, 0), pc.negate(hundredths), hundredths), RATIO)


def _scales(pipeline: Pipeline) -> dict[str, int]:
    """Return the digits after the point of each measure."""
    kinds = measure_types(pipeline).items()
    return {name: kind.scale if pa.types.is_decimal(kind) else 0 for name, kind in kinds}


def _check_ratios_fit(aggregates: pa.Table, pipeline: Pipeline, scales: dict[str, int]) -> None:
    for ratio in pipeline.ratios:
        scale = scales[ratio.of]
        top = pc.sum(pc.abs(aggregates[ratio.of])).as_py() or 0
        bottom = (pc.sum(aggregates[ratio.over]).as_py() or 0) * 10**scale
        if top * 10**scale * 2 * ratio.times * 100 + bottom >= 2**63:
            raise BadData(
                f"{pipeline.name}: ratio {ratio.name!r} could leave 64 bits; nothing was published; "
                f"mend the values behind {ratio.of!r} or give them a coarser unit"
            )


def _check_totals(summaries: dict[str, pa.Table], aggregates: pa.Table, pipeline: Pipeline) -> None:
    totals = _summed(pipeline)
    for name, summary in summaries.items():
        for column in set(totals) & set(summary.column_names):
            here, there = pc.sum(summary[column]).as_py(), pc.sum(aggregates[column]).as_py()
            if (here or 0) != (there or 0):
                raise AssertionError(f"{pipeline.name}, summary {name}: {column} is {here}, its aggregates say {there}")
