"""Which keys of a lookup have changed since a day was made, of those that its facts have.

A day rests on the rows of a lookup that its facts match, or would match now, and on no others. The copy of the table
from which the day was made is compared with the table of now (changed_rows.py), and the keys of rows that are not in
both with the keys of the day's facts, which `index` keeps in a file. Of rows that hold for some days only, those of the
day are compared.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData, BrokenChain
from daybook.ledger.receipt import Receipt
from daybook.planning.changed_rows import Change, changed_rows
from daybook.planning.old_copies import folder_of, whole_copy
from daybook.planning.standing import Standing
from daybook.postgres.day_state import DayState
from daybook.rules.valid_rows import valid_rows
from daybook.spec import Lookup, Pipeline, Table
from daybook.storage.data_folder import DataFolder
from daybook.storage.tables import keys_file, read_parquet

# A lookup's source, and the hash of the copy of its table from which a day was made.
_Version = tuple[str, str]
# The changed keys of a lookup since a version: for a day, or for all days if its rows hold for ever. None: unknown.
_Known = dict[tuple[_Version, str, date | None], pa.Table | None]


def with_changed_keys(
    pipeline: Pipeline,
    standings: Sequence[Standing],
    now: Mapping[str, DayState],
    open_postgres: Callable[[str], Any],
    data: DataFolder,
) -> list[Standing]:
    """Return the standings with the changed keys of each lookup whose table has changed, by source.

    now: what the rows are of each table that is read whole. A source is left out if they are unknown: its rows were
    mended, files of the day's run are gone, or its rows cannot be loaded. Raises SourceUnavailable or BadSpec if a
    database cannot be asked.
    """
    changed = {standing.day: _changed_tables(pipeline, standing, now) for standing in standings}
    older: dict[_Version, list[Receipt]] = {}
    for standing in standings:
        for version in changed[standing.day]:
            older.setdefault(version, []).append(standing.deployed["extract_tables"])
    changes = {version: _change(pipeline, version, made, open_postgres, data) for version, made in older.items()}
    known: _Known = {}
    return [
        standing._replace(
            changed_keys=dict(_used(pipeline, standing, {v: changes[v] for v in changed[standing.day]}, data, known))
        )
        for standing in standings
    ]


def _changed_tables(pipeline: Pipeline, standing: Standing, now: Mapping[str, DayState]) -> list[_Version]:
    """Return the lookups whose tables are not what they were when the day was made."""
    if "deploy" not in standing.deployed:
        return []
    extracted, mended = standing.deployed["extract_tables"], standing.deployed["load"].inputs
    asked = {name for name, state in now.items() if extracted.slices.get(name) != state} - {pipeline.facts}
    names = dict.fromkeys(lookup.source for lookup in pipeline.lookups if lookup.source in asked - standing.settled)
    was = [(name, extracted.outputs[f"{name}.csv"].sha256) for name in names if f"{name}.csv" in extracted.outputs]
    return [(name, old) for name, old in was if f"mends/{name}" not in mended]


def _change(
    pipeline: Pipeline,
    version: _Version,
    made: list[Receipt],
    open_postgres: Callable[[str], Any],
    data: DataFolder,
) -> Change | None:
    """Return the rows of then and of now; None if they are unknown."""
    name, sha256 = version
    table, copy = pipeline.source(name), whole_copy(data, made, name, sha256)
    if copy is None or not isinstance(table, Table):
        return None
    # Rows of one key are compared together: which of them holds on a day depends on the others.
    keys = [set(lookup.keys) for lookup in pipeline.lookups if lookup.source == name]
    shared = [column for column in table.key if all(column in key for key in keys)]
    return changed_rows(partial(open_postgres, table.connection), table, shared, copy.open)


def _used(
    pipeline: Pipeline,
    standing: Standing,
    changes: Mapping[_Version, Change | None],
    data: DataFolder,
    known: _Known,
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the changed keys that the day's facts have, with their source."""
    for version, change in changes.items():
        found: list[list[str] | None] = []
        for lookup in (lookup for lookup in pipeline.lookups if lookup.source == version[0]):
            place = version, lookup.label, standing.day if lookup.valid_from else None
            if place not in known:
                known[place] = change and _changed_keys(change, lookup, standing.day)
            found.append(_in_both(_keys_of_facts(standing.deployed["index"], lookup, data), known[place]))
        if None not in found:
            yield version[0], tuple(sorted({key for keys in found for key in keys or ()}))


def _changed_keys(change: Change, lookup: Lookup, day: date) -> pa.Table | None:
    """Return the keys of the rows that hold on the day in one copy only; None if two rows of a key hold."""
    try:
        copies = [valid_rows(rows, lookup, day) for rows in change]
    except BadData:
        return None
    # When a row begins and ends is no part of what it says on the day.
    unsaid = {"line", lookup.valid_from, lookup.valid_to} - {*lookup.keys, *lookup.gives}
    said = [name for name in change.now.column_names if name not in unsaid]
    # Rows that share a key match nothing, so how often a row is there counts too.
    rows = pa.concat_tables([_counted(copy.select(said), "times") for copy in copies])
    only_once = _counted(rows, "copies")
    return _counted(only_once.filter(pc.equal(only_once["copies"], 1)).select(list(lookup.keys)), "rows").drop("rows")


def _counted(rows: pa.Table, name: str) -> pa.Table:
    """Return each row once, with the number of times that it was there under a name."""
    counted = rows.group_by(rows.column_names).aggregate([([], "count_all")])
    return counted.rename_columns([*rows.column_names, name])


def _in_both(facts: pa.Table | None, changed: pa.Table | None) -> list[str] | None:
    """Return the keys that are in both, as text; None if one of them is unknown."""
    if facts is None or changed is None:
        return None
    # Decimals of both sides have one scale, and perhaps not one number of digits.
    named = facts.rename_columns(changed.column_names)
    both = _counted(pa.concat_tables([named, changed], promote_options="permissive"), "sides")
    found = both.filter(pc.equal(both["sides"], 2)).drop("sides").drop_null()
    return [", ".join(str(value) for value in key.values()) for key in found.to_pylist()]


def _keys_of_facts(index: Receipt, lookup: Lookup, data: DataFolder) -> pa.Table | None:
    file, folder = keys_file(lookup.label), folder_of(data, index)
    if file not in index.outputs or not folder.has(file):
        return None
    try:
        with folder.open_unchanged(file, index.outputs[file].sha256) as stream:
            return read_parquet(stream)
    except BrokenChain:
        return None
