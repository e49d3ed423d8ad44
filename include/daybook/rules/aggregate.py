"""The step `aggregate`: the measures per group, at the finest grain that any summary asks for.

All summaries are made from this one table, since its measures roll up (a count, sum, min or max). Those that do not,
such as a median, are in rules/per_summary.py.
"""

from typing import NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.rules.coded import Codes, codes_of
from daybook.rules.frames import close_frame, open_frame, ordered
from daybook.rules.inputs import input_name, input_of
from daybook.rules.integers import Integers
from daybook.rules.measure_types import additive, measure_types
from daybook.rules.rolled_up import rolled_up
from daybook.spec import Column, Measure, Pipeline, arrow_type, fact_columns
from daybook.spec.work import group_columns
from daybook.text import counted

# An engine's table needs a column, and no column of a spec can have this name.
ROW = "0_row"
# Groups of batches, beyond twice those of all before, that wait to be rolled up.
GROUPS_AT_ONCE = 500_000


def aggregate(facts: pa.Table, pipeline: Pipeline) -> pa.Table:
    """Return one row per group of facts: the group's columns, `row_count` (facts in it), and each additive measure.

    facts: indexed facts. Raises BadData if a sum could leave 64 bits, or the value of an expression does not fit.
    """
    aggregates = Aggregates(pipeline)
    aggregates.add(facts)
    return aggregates.table()


class Seen(NamedTuple):
    """How many rows there were, and by measure that is a sum the largest of its inputs, without the sign."""

    rows: int
    largest: dict[str, int]

    def with_others(self, other: "Seen") -> "Seen":
        """Return what was seen here and there."""
        names = self.largest | other.largest
        largest = {name: max(self.largest.get(name, 0), other.largest.get(name, 0)) for name in names}
        return Seen(self.rows + other.rows, largest)

    def check_sums_fit(self, pipeline: Pipeline) -> None:
        """Raise BadData if a sum could leave 64 bits.

        Polars and pandas wrap silently past them; no sum can exceed the largest input times the number of rows.
        """
        for measure in pipeline.measures:
            if measure.how == "sum" and self.largest.get(measure.name, 0) * self.rows >= 2**63:
                raise BadData(
                    f"{pipeline.name}: measure {measure.name!r} could leave 64 bits: {counted(self.rows, 'row')} of "
                    f"{measure.of!r}; nothing was published; declare a maximum for the column or mend the values"
                )


class Aggregates:
    """The aggregates of facts that come a batch at a time: those of each batch, rolled up now and then."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.seen = Seen(0, {})
        self._parts: list[pa.Table] = []
        self._groups = 0

    def add(self, facts: pa.Table) -> None:
        """Add some facts, or none. Raises BadData as `aggregate` does."""
        measures = additive(self._pipeline)
        made_of = {input_name(measure): measure for measure in measures if not _is_of_all_rows(measure)}
        inputs = {name: input_of(facts, measure, self._pipeline) for name, measure in made_of.items()}
        self.seen = self.seen.with_others(_seen(facts, inputs, self._pipeline))
        self.seen.check_sums_fit(self._pipeline)
        self._parts.append(_of_batch(facts, inputs, measures, self._pipeline))
        if sum(part.num_rows for part in self._parts) > 2 * self._groups + GROUPS_AT_ONCE:
            self._roll_up()

    def table(self) -> pa.Table:
        """Return the aggregates of all facts that were added; there has to be a batch, be it empty."""
        self._roll_up()
        return self._parts[0]

    def _roll_up(self) -> None:
        if len(self._parts) > 1:
            self._parts = [rolled_up(pa.concat_tables(self._parts), group_columns(self._pipeline), self._pipeline)]
        self._groups = self._parts[0].num_rows


def _seen(facts: pa.Table, inputs: dict[str, Integers], pipeline: Pipeline) -> Seen:
    sums = [measure for measure in pipeline.measures if measure.how == "sum"]
    spans = {measure.name: pc.min_max(inputs[input_name(measure)].numbers).as_py() for measure in sums}
    largest = {name: max(abs(span["min"] or 0), abs(span["max"] or 0)) for name, span in spans.items()}
    return Seen(facts.num_rows, largest)


def _of_batch(facts: pa.Table, inputs: dict[str, Integers], measures: list[Measure], pipeline: Pipeline) -> pa.Table:
    grain = group_columns(pipeline)
    # Only what is needed goes to the engine.
    table = facts.select(grain)
    # An engine groups by numbers in less time than by texts.
    texts = {name: codes_of(table[name]) for name in grain if _is_text(fact_columns(pipeline)[name])}
    for name, codes in texts.items():
        table = table.set_column(grain.index(name), name, codes.numbers)
    table = table.append_column(ROW, pa.nulls(facts.num_rows, pa.int8()))
    for name, column in inputs.items():
        table = table.append_column(name, column.numbers)
    frame, totals = open_frame(table, pipeline.engine), _totals(measures)
    grouped = frame.group_by(*grain).agg(*totals) if grain else frame.select(*totals)
    found = close_frame(grouped, _as_integers(schema(pipeline), measures, texts), () if texts else grain)
    for name, codes in texts.items():
        found = found.set_column(grain.index(name), name, codes.texts.take(found[name].combine_chunks()))
    return _with_values(ordered(found, grain) if texts else found, inputs, measures)


def _is_text(column: Column) -> bool:
    return column.kind == "text"


def schema(pipeline: Pipeline) -> pa.Schema:
    """Return the schema of the aggregates: group columns, row_count, the measures that roll up."""
    columns, types = fact_columns(pipeline), measure_types(pipeline)
    groups = [(name, arrow_type(columns[name])) for name in group_columns(pipeline)]
    measures = [(measure.name, types[measure.name]) for measure in additive(pipeline)]
    return pa.schema([*groups, ("row_count", pa.int64()), *measures])


def _as_integers(schema: pa.Schema, measures: list[Measure], texts: dict[str, Codes]) -> pa.Schema:
    numbers = dict.fromkeys((measure.name for measure in measures), pa.int64()) | dict.fromkeys(texts, pa.int32())
    return pa.schema([field.with_type(numbers.get(field.name, field.type)) for field in schema])


def _with_values(totals: pa.Table, inputs: dict[str, Integers], measures: list[Measure]) -> pa.Table:
    for measure in measures:
        if measure.how != "count":
            values = inputs[input_name(measure)].values(totals[measure.name])
            totals = totals.set_column(totals.column_names.index(measure.name), measure.name, values)
    return totals


def _totals(measures: list[Measure]) -> list[nw.Expr]:
    return [nw.len().alias("row_count"), *(_total(measure).alias(measure.name) for measure in measures)]


def _is_of_all_rows(measure: Measure) -> bool:
    return measure.of is None and measure.where is None


def _total(measure: Measure) -> nw.Expr:
    # Plain aggregates only: some engines refuse a cast or a test inside agg(), or are slow at it.
    if _is_of_all_rows(measure):
        return nw.len()
    return getattr(nw.col(input_name(measure)), measure.how)()  # type: ignore[no-any-return]
