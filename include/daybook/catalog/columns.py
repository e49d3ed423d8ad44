"""The columns that readers see: of which type, in which unit, made by which formula, from which columns of sources."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from daybook.postgres.sql_types import sql_type
from daybook.rules import summarize
from daybook.spec import (
    CleanRows,
    Column,
    Lookup,
    Measure,
    Pipeline,
    Ratio,
    Source,
    Summary,
    Top,
    View,
    fact_columns,
    own_columns,
)


class PublishedColumn(NamedTuple):
    """A column of a view. sources: the columns that it rests on, as "source.column", sorted."""

    name: str
    sql_type: str
    unit: str
    description: str
    formula: str
    sources: tuple[str, ...]


def published_columns(pipeline: Pipeline, view: View) -> list[PublishedColumn]:
    """Return the columns of a view, in its order."""
    schema = summarize.published_schema(pipeline, view)
    if isinstance(view, CleanRows):
        return [_of_rows(pipeline, view, field) for field in schema]
    return [_of_summary(pipeline, field, view) for field in schema]


def _of_summary(pipeline: Pipeline, field: pa.Field, summary: Summary) -> PublishedColumn:
    if summary.top and field.name in summary.ranks:
        return _rank(pipeline, field, summary.top)
    number = _number(pipeline, field.name)
    if number is None:
        return _of_facts(pipeline, summary, field)
    sources = _sources(pipeline, _used(pipeline, number))
    return PublishedColumn(field.name, sql_type(field.type), number.unit, number.description, formula(number), sources)


def _of_rows(pipeline: Pipeline, rows: CleanRows, field: pa.Field) -> PublishedColumn:
    if field.name == "line":
        return PublishedColumn("line", sql_type(field.type), "", "Where the row stood in the raw file", "", ())
    return _of_facts(pipeline, rows, field)


def _of_facts(pipeline: Pipeline, view: View, field: pa.Field) -> PublishedColumn:
    kind = sql_type(field.type)
    own = own_columns(view, pipeline.schedule.time_zone)
    if field.name in own:
        sources = _sources(pipeline, pipeline.day_columns) if field.name == view.names[0] else ()
        return PublishedColumn(field.name, kind, "", own[field.name], "", sources)
    known = fact_columns(pipeline).get(field.name)
    unit, description = (known.unit, known.description) if known else ("", "")
    return PublishedColumn(field.name, kind, unit, description, "", _sources(pipeline, [field.name]))


def _rank(pipeline: Pipeline, field: pa.Field, top: Top) -> PublishedColumn:
    number = _number(pipeline, top.of)
    used = [*(_used(pipeline, number) if number else []), *top.per]
    among = f" per {', '.join(top.per)}" if top.per else ""
    ties = ", equal ones alike" if top.has_ties else ""
    description = f"The place from the largest {top.of} on{among}{ties}"
    formula = f"{'rank' if top.has_ties else 'row_number'} by {top.of}{among}"
    return PublishedColumn(field.name, sql_type(field.type), "", description, formula, _sources(pipeline, used))


def _number(pipeline: Pipeline, name: str) -> Measure | Ratio | None:
    numbers: dict[str, Measure | Ratio] = {measure.name: measure for measure in pipeline.measures}
    return (numbers | {ratio.name: ratio for ratio in pipeline.ratios}).get(name)


def formula(number: Measure | Ratio) -> str:
    """Return how a measure or a ratio is made, as in "sum(amount_eur)" or "100 * late / arrivals"."""
    if isinstance(number, Ratio):
        digits = f", {number.scale} digits" if number.scale != 2 else ""
        return f"{'100 * ' if number.times == 100 else ''}{number.of} / {number.over}{digits}"
    values = "*" if number.of is None else str(number.of)
    of = values if number.quantile is None else f"{number.quantile}, {values}"
    rounded = f", {number.scale} digits" if number.is_rounded else ""
    how = f"discrete {number.how}" if number.is_quantile and not number.is_rounded else number.how
    return f"{how}({of}){rounded}{'' if number.where is None else f' where {number.where}'}"


def _used(pipeline: Pipeline, number: Measure | Ratio) -> list[str]:
    """Return the columns of the facts that a number is made from."""
    if isinstance(number, Ratio):
        parts = [_number(pipeline, number.of), _number(pipeline, number.over)]
        return [name for part in parts if part for name in _used(pipeline, part)]
    return list(number.needed_columns)


def _looked_up(pipeline: Pipeline) -> Iterator[tuple[str, Lookup, Column]]:
    for lookup in pipeline.lookups:
        source = pipeline.source(lookup.source)
        for given, name in lookup.gives.items():
            if column := source.column(given):
                yield name, lookup, column


def _sources(pipeline: Pipeline, names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({origin for name in names for origin in _origins(pipeline, name)}))


def _origins(pipeline: Pipeline, name: str) -> Iterator[str]:
    """Yield the columns of sources that a column of the facts comes from: by name, or what the transform may read."""
    facts = pipeline.source(pipeline.facts)
    if facts.column(name):
        yield f"{facts.name}.{name}"
    for given, lookup, column in _looked_up(pipeline):
        if given == name:
            yield f"{lookup.source}.{column.name}"
            yield from _keys(pipeline, lookup)
    for lookup in pipeline.lookups:
        if lookup.unknown_flag == name:
            yield from _keys(pipeline, lookup)
    for derived in pipeline.derived:
        if derived.name == name:
            yield from (origin for needed in derived.of.names() for origin in _origins(pipeline, needed))
    if name in {column.name for column in pipeline.transform_gives}:
        yield from _all(facts)


def _keys(pipeline: Pipeline, lookup: Lookup) -> Iterator[str]:
    for key in lookup.keys.values():
        yield from _origins(pipeline, key)


def _all(source: Source) -> Iterator[str]:
    yield f"{source.name}.*"
