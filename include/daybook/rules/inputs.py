"""What each measure is made of: a column of the facts as integers, with nothing in the rows that do not count."""

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.rules.derive import fitting, places
from daybook.rules.integers import Integers, as_integers
from daybook.spec import Expression, Measure, Pipeline, fact_columns


def input_of(facts: pa.Table, measure: Measure, pipeline: Pipeline) -> Integers:
    """Return what a measure is made of: `of`, or a 1 for each row; nothing in rows for which `where` is not true.

    Raises BadData if the value of an expression does not fit, or if one that is to refuse it divides by zero.
    """
    where = values_of(measure.where, facts, measure, pipeline)
    of = values_of(measure.of, facts, measure, pipeline, where)
    column = _ones(facts.num_rows) if of is None else as_integers(of)
    if where is None:
        return column
    return column._replace(numbers=pc.if_else(where, column.numbers, pa.scalar(None, pa.int64())))


def values_of(
    word: str | Expression | None,
    facts: pa.Table,
    measure: Measure,
    pipeline: Pipeline,
    where: pa.ChunkedArray | None = None,
) -> pa.ChunkedArray | None:
    """Return the values that a word of a measure stands for: of a column, or of an expression; None if it is not said.

    where: whether each row counts, if not all do. Raises BadData if the value of an expression does not fit, or if one
    that is to refuse it divides by zero in a row that counts.
    """
    if not isinstance(word, Expression):
        return None if word is None else facts[word]
    found = fitting(word, facts, fact_columns(pipeline), pipeline, f"measure {measure.name!r}")
    counts = found.is_by_zero if where is None else pc.and_(found.is_by_zero, pc.fill_null(where, fill_value=False))
    if lines := facts["line"].filter(counts).to_pylist():
        columns = ", ".join(map(repr, word.refused_divisors()))
        raise BadData(
            f"{pipeline.name}: {pipeline.facts}, {places(lines)}, measure {measure.name!r}: {word!r} divides by zero "
            f"(column {columns}), which it is to refuse; nothing was published; mend the values, or declare "
            "by_zero='nothing'"
        )
    return found.values


def input_name(measure: Measure) -> str:
    """Return a name for what a measure is made of, equal for equal inputs, which no column of a spec can have."""
    return f"0_{_said(measure.of)}_0_{_said(measure.where)}"


def _said(word: str | Expression | None) -> str:
    return "" if word is None else str(word)


def _ones(rows: int) -> Integers:
    return Integers(pa.chunked_array([pa.repeat(pa.scalar(1, pa.int64()), rows)]), pa.int64())
