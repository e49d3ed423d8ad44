"""The measures that do not add up, such as a median: computed from the facts for the groups of each summary.

Part of the step `aggregate`. Of each batch of facts it is counted how often each value comes in each group; the counts
of all batches are added up, and the rest follows from them in whole numbers. So the results are exact, and what is held
grows with the distinct values in the groups, not with the rows.
"""

from typing import Any

import pyarrow as pa

from daybook.errors import BadData
from daybook.rules.coded import plain_table
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
from daybook.rules.integers import Integers, as_integers
from daybook.rules.measure_types import measure_types
from daybook.rules.units import decimals
from daybook.spec import Engine, Measure, Pipeline
from daybook.spec.work import measures_per_summary

COUNTED = pa.schema([("group", pa.int64()), ("value", pa.int64()), ("rows", pa.int64())])
# No column of a spec has these names.
VALUE, ROWS = "0_value", "0_rows"
# Counts of batches, beyond twice those of all before, that wait to be added up.
COUNTS_AT_ONCE = 1_000_000


def per_summary(facts: pa.Table, pipeline: Pipeline) -> dict[str, pa.Table]:
    """Return the measures that do not add up, by summary that uses some: its group columns, then the measures.

    facts: indexed facts. Each table is ordered by its group columns. Raises BadData if a result has over 38 digits.
    """
    found = PerSummary(pipeline)
    found.add(facts)
    return found.tables()


class PerSummary:
    """The measures that do not add up, of facts that come a batch at a time."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._by = {summary.name: summary.by for summary in pipeline.summaries}
        self._wanted = measures_per_summary(pipeline)
        self._counts = {
            (summary, input_name(measure)): _Counts(self._by[summary])
            for summary, measures in self._wanted.items()
            for measure in measures
        }

    def add(self, facts: pa.Table) -> None:
        """Count some facts, or none. Raises BadData if the value of an expression does not fit."""
        made_of = {input_name(measure): measure for measures in self._wanted.values() for measure in measures}
        for name, measure in made_of.items():
            column = input_of(facts, measure, self._pipeline)
            values = column.values(column.numbers)
            for (_, of), counts in self._counts.items():
                if of == name:
                    counts.add(facts, values)

    def tables(self) -> dict[str, pa.Table]:
        """Return what `per_summary` returns; there has to be a batch, be it empty."""
        return {name: self._of_summary(name, measures) for name, measures in self._wanted.items()}

    def counts(self) -> dict[tuple[str, str], pa.Table]:
        """Return how many rows have each value in each group, ROWS, by summary and what is counted."""
        return {key: counts.table() for key, counts in self._counts.items()}

    def add_counts(self, key: tuple[str, str], counts: pa.Table) -> None:
        """Count rows that were counted elsewhere, as `counts` returns them."""
        self._counts[key].add_counts(counts)

    def _of_summary(self, summary: str, measures: list[Measure]) -> pa.Table:
        by, types = self._by[summary], measure_types(self._pipeline)
        groups, found = pa.table({}), dict[str, pa.ChunkedArray]()
        for name in dict.fromkeys(input_name(measure) for measure in measures):
            counts = self._counts[summary, name].table()
            numbered, column = groups_of(counts, by), as_integers(counts[VALUE])
            counted = _counted(numbered, column, counts[ROWS], self._pipeline.engine)
            groups = numbered.values
            for measure in (measure for measure in measures if input_name(measure) == name):
                found[measure.name] = _values(self._pipeline, measure, counted, column, types[measure.name])
        return pa.table(
            {name: groups[name] for name in by} | {measure.name: found[measure.name] for measure in measures}
        )


class _Counts:
    """How many rows have each value in each group."""

    def __init__(self, by: tuple[str, ...]) -> None:
        self._names = [*by, VALUE]
        self._parts: list[pa.Table] = []
        self._most = COUNTS_AT_ONCE

    def add(self, facts: pa.Table, values: pa.ChunkedArray) -> None:
        rows = plain_table(facts.select(self._names[:-1])).append_column(VALUE, values)
        counts = rows.group_by(self._names).aggregate([([], "count_all")])
        self.add_counts(counts.select([*self._names, "count_all"]).rename_columns([*self._names, ROWS]))

    def add_counts(self, counts: pa.Table) -> None:
        self._parts.append(counts)
        if sum(part.num_rows for part in self._parts) > self._most:
            self._most = 2 * self.table().num_rows + COUNTS_AT_ONCE

    def table(self) -> pa.Table:
        if len(self._parts) > 1:
            added = pa.concat_tables(self._parts).group_by(self._names).aggregate([(ROWS, "sum")])
            self._parts = [added.select([*self._names, f"{ROWS}_sum"]).rename_columns([*self._names, ROWS])]
        return self._parts[0]


def _counted(groups: Groups, column: Integers, rows: pa.ChunkedArray, engine: Engine) -> Counted:
    counts = pa.table({"group": groups.numbers, "value": column.numbers, "rows": rows}).drop_null()
    # The engine sorts: no two pairs are equal, so there is one order, and Arrow takes several times as long.
    sorted_ = open_frame(counts, engine).sort("group", "value")
    return counted_of(close_frame(sorted_, COUNTED, ()), groups.how_many)


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
