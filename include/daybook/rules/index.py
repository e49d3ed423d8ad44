"""The step `index`: the facts joined to the lookups by key, a batch at a time; it counts those without a match.

A lookup's key is unique here: `clean` refused rows that share a key, and of rows that hold for some days only one holds
on the day. Lookups follow in the spec's order, so one may be joined by a column of an earlier one. A fact without a
match is refused; or, if the spec says so, kept with empty lookup columns and a flag. Then columns are derived of those
that were looked up (derive.py), and the rules that need such columns are checked (row_rules.py).
"""

from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.coded import codes_of, is_coded, of_each_value
from daybook.rules.derive import REFUSED_BY_RULE, derive
from daybook.rules.frames import ordered, rows_schema, without
from daybook.rules.row_rules import keep_to_rules
from daybook.rules.units import units
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
    columns, matched = _joined_columns(facts.column_names, pipeline), ordered(facts, ["line"])
    for lookup in pipeline.lookups:
        matched = _matched(matched, valid[lookup.label], lookup)
    names = ["line", *(column.name for column in columns), *map(_mark, pipeline.lookups)]
    return _split(matched.select(names), pipeline)


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


def _matched(facts: pa.Table, lookup_rows: pa.Table, lookup: Lookup) -> pa.Table:
    """Return facts with what a lookup gives, and whether it has no row for them. lookup_rows: one for each key."""
    here = [facts[name] for name in lookup.keys.values()]
    place = _places(here, [lookup_rows[name] for name in lookup.keys])
    for column, name in lookup.gives.items():
        facts = facts.append_column(name, _taken(lookup_rows[column], place))
    is_unknown = pc.is_null(place)
    for flag in (_mark(lookup), lookup.unknown_flag):
        facts = facts.append_column(flag, is_unknown) if flag else facts
    return facts


def _places(keys: list[pa.ChunkedArray], among: list[pa.ChunkedArray]) -> pa.Array:
    """Return the place of each key among others, which are different; nothing if it is not there."""
    here, there = keys[0], among[0]
    for own, other in zip(keys[1:], among[1:], strict=True):
        # A pair of places as one number, which never exceeds the square of the number of rows.
        firsts, seconds = pc.unique(there), pc.unique(other)
        here, there = (
            pa.chunked_array([pc.add(pc.multiply(_place(one, firsts), len(seconds)), _place(two, seconds))])
            for one, two in ((here, own), (there, other))
        )
    return _place(here, there)


def _place(values: pa.ChunkedArray, among: pa.Array | pa.ChunkedArray) -> pa.Array:
    among = units(among) if isinstance(among, pa.ChunkedArray) else units(pa.chunked_array([among]))
    among = among.combine_chunks()
    found = of_each_value(lambda some: pc.index_in(some, value_set=among, skip_nulls=True), units(values))
    return found.cast(pa.int64())


def _taken(column: pa.ChunkedArray, place: pa.Array) -> pa.ChunkedArray:
    """Return the values at some places; texts as codes if they are needed more often than there are of them."""
    if not pa.types.is_string(column.type) or len(column) > len(place):
        return pa.chunked_array([column.combine_chunks().take(place)], column.type)
    codes = codes_of(column)
    return codes._replace(numbers=codes.numbers.take(place)).column()


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
    facts = matched.drop_columns([*map(_mark, pipeline.lookups)])
    counted = {label: count for label, count in unknown.items() if count}
    return Indexed(facts, ordered(pa.concat_tables([*refused, by_zero, ruled_out]), ["line"]), counted, keys)


def _keys(facts: pa.Table, columns: list[str]) -> pa.Table:
    """Return the whole keys that the facts have in some columns, each once, sorted."""
    found = facts.select(columns)
    texts = {name: codes_of(found[name]) for name in columns if is_coded(found[name])}
    for name, codes in texts.items():
        found = found.set_column(columns.index(name), name, codes.numbers)
    found = found.group_by(columns, use_threads=False).aggregate([]).drop_null()
    for name, codes in texts.items():
        found = found.set_column(columns.index(name), name, codes.texts.take(found[name].combine_chunks()))
    return ordered(found, columns)


def _refused(facts: pa.Table, lookup: Lookup) -> pa.Table:
    size = facts.num_rows
    return pa.table([facts["line"], [lookup.refused_column] * size, [lookup.reason] * size], schema=REFUSED_BY_RULE)
