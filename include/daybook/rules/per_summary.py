"""The measures that do not add up, such as a median: computed from the facts for the groups of each summary.

Part of the step `aggregate`. An engine counts how often each value comes in each group; the rest follows from these
counts in whole numbers, so that no result depends on an engine's arithmetic.
"""

from typing import Any

import narwhals as nw
import pyarrow as pa

from daybook.errors import BadData
from daybook.rules.counted import (
    Counted,
    continuous_quantiles,
    counted_of,
    discrete_quantiles,
    moments,
    variance,
)
from daybook.rules.exact import quotient, root
from daybook.rules.frames import close_frame, open_frame
from daybook.rules.groups import Groups, groups_of
from daybook.rules.inputs import input_name, input_of
from daybook.rules.integers import Integers
from daybook.rules.measure_types import measure_types
from daybook.rules.units import decimals
from daybook.spec import Engine, Measure, Pipeline
from daybook.spec.work import measures_per_summary

COUNTED = pa.schema([("group", pa.int64()), ("value", pa.int64()), ("rows", pa.int64())])


def per_summary(facts: pa.Table, pipeline: Pipeline) -> dict[str, pa.Table]:
    """Return the measures that do not add up, by summary that uses some: its group columns, then the measures.

    facts: indexed facts. Each table is ordered by its group columns. Raises BadData if a result has over 38 digits.
    """
    by = {summary.name: summary.by for summary in pipeline.summaries}
    wanted = measures_per_summary(pipeline)
    return {name: _of_summary(facts, pipeline, by[name], measures) for name, measures in wanted.items()}


def _of_summary(facts: pa.Table, pipeline: Pipeline, by: tuple[str, ...], measures: list[Measure]) -> pa.Table:
    groups, types = groups_of(facts, by), measure_types(pipeline)
    found: dict[str, pa.ChunkedArray] = {}
    # One input at a time: its counts may take as much memory as the facts.
    for name in dict.fromkeys(input_name(measure) for measure in measures):
        made_of_it = [measure for measure in measures if input_name(measure) == name]
        column = input_of(facts, made_of_it[0], pipeline)
        counted = _counted(groups, column, pipeline.engine)
        for measure in made_of_it:
            found[measure.name] = _values(pipeline, measure, counted, column, types[measure.name])
    columns = {name: groups.values[name] for name in by} | {measure.name: found[measure.name] for measure in measures}
    return pa.table(columns)


def _counted(groups: Groups, column: Integers, engine: Engine) -> Counted:
    rows = pa.table({"group": groups.numbers, "value": column.numbers}).drop_null()
    pairs = open_frame(rows, engine).group_by("group", "value").agg(nw.len().alias("rows"))
    # The engine sorts: no two pairs are equal, so there is one order, and Arrow takes several times as long.
    return counted_of(close_frame(pairs.sort("group", "value"), COUNTED, ()), groups.how_many)


def _values(
    pipeline: Pipeline, measure: Measure, counted: Counted, column: Integers, kind: pa.DataType
) -> pa.ChunkedArray:
    if measure.how == "distinct":
        return pa.chunked_array([pa.array(counted.distinct, kind)])
    if not measure.is_rounded:
        places = pa.chunked_array([pa.array(discrete_quantiles(counted, measure.share), pa.int64())])
        return column.values(places)
    return _decimals(pipeline, measure, _rounded(measure, counted, column.scale), kind)


def _rounded(measure: Measure, counted: Counted, scale: int) -> list[int | None]:
    """Return a measure in units of the last of its own digits. scale: the digits of the column."""
    if not measure.is_spread:
        found = continuous_quantiles(counted, measure.share)
        up, down = 10**measure.scale, measure.share.denominator * 10**scale
        return [None if one is None else quotient(one * up, down) for one in found]
    of = [variance(one, is_sample=measure.how.endswith("samp")) for one in moments(counted)]
    # A variance is in the square of its column's units.
    round_, power = (root, 2) if measure.how.startswith("stddev") else (quotient, 1)
    up, down = 10 ** (measure.scale * power), 10 ** (2 * scale)
    return [None if one is None else round_(one[0] * up, one[1] * down) for one in of]


def _decimals(pipeline: Pipeline, measure: Measure, numbers: list[int | None], kind: Any) -> pa.ChunkedArray:
    try:
        return decimals(numbers, kind)
    except OverflowError:
        raise BadData(
            f"{pipeline.name}: measure {measure.name!r} has more than {kind.precision} digits; nothing was published; "
            f"mend the values in {measure.of!r}, or declare a smaller scale"
        ) from None
