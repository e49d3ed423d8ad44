"""From a published number back to its rows, and from those rows to the number again. Pure.

The number is computed in another way than by `aggregate` and `summarize`: plainly, by Arrow and Python's decimals over
the rows of one group.
"""

import math
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadSpec
from daybook.rules.inputs import values_of
from daybook.spec import Measure, Pipeline, Ratio, Summary, arrow_type, fact_columns, nearest

Number = int | Decimal | date | str | None
# More digits than any published number has.
EXACT = Context(prec=150, rounding=ROUND_HALF_UP)


def summary_named(pipeline: Pipeline, name: str, column: str) -> Summary:
    """Return the summary of that name. Raises BadSpec if there is none, or it has no such column."""
    summaries = {summary.name: summary for summary in pipeline.summaries}
    if name not in summaries:
        there_are = ", ".join(summaries)
        raise BadSpec(f"{pipeline.name}: no summary {name!r}{nearest(name, summaries)}; there are {there_are}")
    columns = summaries[name].columns
    if column not in columns:
        raise BadSpec(
            f"{pipeline.name}, summary {name}: no column {column!r}{nearest(column, columns)}; it has "
            f"{', '.join(columns)}"
        )
    return summaries[name]


def group_values(pipeline: Pipeline, summary: Summary, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a group as its columns hold them, from the words typed; an empty word means null.

    Raises BadSpec for a column that the summary does not group by, and for a word that is not a value of its column.
    """
    columns = fact_columns(pipeline)
    unknown = [name for name in typed if name not in summary.by]
    if unknown:
        by = ", ".join(summary.by) or "nothing"
        raise BadSpec(
            f"{pipeline.name}, summary {summary.name}: it is not grouped by {unknown[0]!r} but by {by}"
            f"{nearest(unknown[0], summary.by)}"
        )
    return {name: _value(name, word, arrow_type(columns[name])) for name, word in typed.items()}


def rows_of(facts: pa.Table, group: Mapping[str, Any]) -> pa.Table:
    """Return the facts of a group."""
    for name, value in group.items():
        column = facts[name]
        is_in = pc.is_null(column) if value is None else pc.equal(column, pa.scalar(value, column.type))
        facts = facts.filter(is_in)
    return facts


def recomputed(facts: pa.Table, pipeline: Pipeline, column: str) -> Number:
    """Return a measure or a ratio over all rows of a table of facts."""
    measures = {measure.name: measure for measure in pipeline.measures}
    ratios = {ratio.name: ratio for ratio in pipeline.ratios}
    if column in measures:
        return _measure(facts, measures[column], pipeline)
    return _ratio(facts, ratios[column], pipeline)


def _value(name: str, word: str, kind: pa.DataType) -> Any:
    try:
        return pa.scalar(word).cast(kind).as_py() if word else None
    except pa.ArrowInvalid:
        raise BadSpec(f"{name}={word}: expected a value of type {kind}; nothing was traced") from None


def _measure(facts: pa.Table, measure: Measure, pipeline: Pipeline) -> Number:
    where = values_of(measure.where, facts, measure, pipeline)
    rows = facts if where is None else facts.filter(where)
    of = values_of(measure.of, rows, measure, pipeline)
    values: list[Any] = [1] * rows.num_rows if of is None else of.drop_null().to_pylist()
    if measure.how in _OF_NO_VALUES:
        return _OF_NO_VALUES[measure.how](values)
    return _of_some(sorted(values), measure) if values else None


_OF_NO_VALUES: dict[str, Callable[[list[Any]], Number]] = {
    "count": len,
    "sum": sum,
    "distinct": lambda values: len(set(values)),
}


def _of_some(values: list[Any], measure: Measure) -> Number:
    """Return a measure of at least one value. values: in ascending order."""
    if measure.is_spread:
        return _spread([Fraction(value) for value in values], measure)
    found: Number = _quantile(values, measure) if measure.is_quantile else values[0 if measure.how == "min" else -1]
    return found


def _quantile(values: list[Any], measure: Measure) -> Any:
    if measure.method == "discrete":
        # The rank from 0 on, rounded up.
        return values[max(math.ceil(measure.share * len(values)) - 1, 0)]
    place = measure.share * (len(values) - 1)
    low, high = (Fraction(values[step(place)]) for step in (math.floor, math.ceil))
    return _rounded(low + (high - low) * (place - math.floor(place)), measure.scale)


def _spread(values: list[Fraction], measure: Measure) -> Number:
    mean = sum(values, start=Fraction(0)) / len(values)
    degrees = len(values) - 1 if measure.how.endswith("samp") else len(values)
    if not degrees:
        return None
    variance = sum(((value - mean) ** 2 for value in values), start=Fraction(0)) / degrees
    return _rounded(variance if measure.how.startswith("var") else _root(variance), measure.scale)


def _root(number: Fraction) -> Fraction:
    return Fraction(EXACT.sqrt(EXACT.divide(number.numerator, number.denominator)))


def _rounded(number: Fraction, scale: int) -> Decimal:
    return EXACT.quantize(EXACT.divide(number.numerator, number.denominator), Decimal(1).scaleb(-scale))


def _ratio(facts: pa.Table, ratio: Ratio, pipeline: Pipeline) -> Number:
    measures = {measure.name: measure for measure in pipeline.measures}
    top, bottom = (_measure(facts, measures[name], pipeline) for name in (ratio.of, ratio.over))
    if not isinstance(top, int | Decimal) or not isinstance(bottom, int | Decimal) or not bottom:
        return None
    return _rounded(Fraction(top) * ratio.times / Fraction(bottom), ratio.scale)
