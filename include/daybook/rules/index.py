"""The step `index`: the facts joined to the lookups by key, a batch at a time; it counts those without a match.

A lookup's key is unique here: `clean` refused rows that share a key, and of rows that hold for some days only one holds
on the day. Lookups follow in the spec's order, so one may be joined by a column of an earlier one. A fact without a
match is refused; or, if the spec says so, kept with empty lookup columns and a flag. Then columns are derived of those
that were looked up (derive.py), and the rules that need such columns are checked (row_rules.py).
"""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.derive import REFUSED_BY_RULE, derive
from daybook.rules.frames import add_columns, close_frame, open_frame, ordered, rows_schema, without
from daybook.rules.row_rules import keep_to_rules
from daybook.rules.valid_rows import valid_rows
from daybook.spec import Column, Lookup, Pipeline, clean_columns, derived_in_index, fact_columns
from daybook.spec.work import rules_in_index


class Indexed(NamedTuple):
    """The result of `index`: the facts with the lookups' columns, the refused ones (line, column, reason), and by
    lookup: the number of kept facts without a match, and the keys that the facts have, with a match or without."""

    facts: pa.Table
    refused: pa.Table
    unknown: dict[str, int]
    keys: dict[str, pa.Table]


def index(facts: pa.Table, lookups: dict[str, pa.Table], pipeline: Pipeline, day: date) -> Indexed:
    """Join the facts to the lookups.

    facts: all clean facts, with their line. lookups: {source name: its clean rows}. Returns the facts ordered by line,
    with the columns that the lookups add, the flags, and the columns derived of them. Raises BadData if two rows of a
    lookup hold on the day, or a derived value does not fit.
    """
    return index_batch(facts, valid_lookups(lookups, pipeline, day), pipeline)


def valid_lookups(lookups: dict[str, pa.Table], pipeline: Pipeline, day: date) -> dict[str, pa.Table]:
    """Return the rows that hold on the day, by the label of the lookup. Raises BadData if two of a key do."""
    return {lookup.label: valid_rows(lookups[lookup.source], lookup, day) for lookup in pipeline.lookups}


def index_batch(facts: pa.Table, valid: dict[str, pa.Table], pipeline: Pipeline) -> Indexed:
    """Join some facts to the rows of the lookups that hold on the day, as `index` does.

    facts: at least the columns that `needed_after_clean` names.
    """
    schema = rows_schema(_joined_columns(facts.column_names, pipeline))
    for lookup in pipeline.lookups:
        schema = schema.append(pa.field(_mark(lookup), pa.bool_()))
    frame = open_frame(facts, pipeline.engine)
    for lookup in pipeline.lookups:
        frame = _matched(frame, open_frame(valid[lookup.label], pipeline.engine), lookup)
    return _split(close_frame(frame, schema, ["line"]), pipeline)


def all_keys(found: Iterable[pa.Table]) -> pa.Table:
    """Return the keys of several batches, each once, sorted."""
    tables = list(found)
    return tables[0] if len(tables) == 1 else _keys(pa.concat_tables(tables), tables[0].column_names)


def indexed_schema(given: Collection[str], pipeline: Pipeline) -> pa.Schema:
    """Return the schema of indexed facts. given: the columns that they had before, without `line`."""
    derived = [made.column for made in derived_in_index(pipeline)]
    return rows_schema([*_joined_columns(given, pipeline), *derived])


def _joined_columns(given: Collection[str], pipeline: Pipeline) -> list[Column]:
    """Return the columns of the facts before further ones are derived, without those that stayed behind."""
    later = {made.column.name for made in derived_in_index(pipeline)}
    behind = {column.name for column in clean_columns(pipeline)}.difference(given)
    return [column for name, column in fact_columns(pipeline).items() if name not in later | behind]


def _mark(lookup: Lookup) -> str:
    return f"is_unknown_in_{lookup.label}"


def _matched(frame: nw.LazyFrame[Any], lookup_rows: nw.LazyFrame[Any], lookup: Lookup) -> nw.LazyFrame[Any]:
    given = [nw.col(column).alias(name) for column, name in lookup.gives.items()]
    keys = [nw.col(there).alias(here) for there, here in lookup.keys.items()]
    found = lookup_rows.select(*keys, *given, nw.lit(True).alias("is_found"))
    joined = frame.join(found, on=list(lookup.keys.values()), how="left")
    flags = [name for name in (_mark(lookup), lookup.unknown_flag) if name]
    return add_columns(joined, (nw.col("is_found").is_null().alias(name) for name in flags)).drop("is_found")


def _split(matched: pa.Table, pipeline: Pipeline) -> Indexed:
    keys = {lookup.label: _keys(matched, list(lookup.keys.values())) for lookup in pipeline.lookups}
    refused = []
    for lookup in pipeline.lookups:
        if lookup.when_unknown == "refuse":
            is_unknown = matched[_mark(lookup)]
            refused.append(_refused(matched.filter(is_unknown), lookup))
            matched = without(matched, is_unknown)
    columns = fact_columns(pipeline).values()
    matched, by_zero = derive(matched, derived_in_index(pipeline), columns, pipeline)
    matched, ruled_out = keep_to_rules(matched, rules_in_index(pipeline), columns, pipeline)
    unknown = {lookup.label: pc.sum(matched[_mark(lookup)]).as_py() or 0 for lookup in pipeline.lookups}
    facts = matched.drop_columns([_mark(lookup) for lookup in pipeline.lookups])
    counted = {label: count for label, count in unknown.items() if count}
    return Indexed(facts, ordered(pa.concat_tables([*refused, by_zero, ruled_out]), ["line"]), counted, keys)


def _keys(facts: pa.Table, columns: list[str]) -> pa.Table:
    """Return the whole keys that the facts have in some columns, each once, sorted."""
    found = facts.select(columns).group_by(columns, use_threads=False).aggregate([])
    return ordered(found.drop_null(), columns)


def _refused(facts: pa.Table, lookup: Lookup) -> pa.Table:
    size = facts.num_rows
    return pa.table([facts["line"], [lookup.refused_column] * size, [lookup.reason] * size], schema=REFUSED_BY_RULE)
