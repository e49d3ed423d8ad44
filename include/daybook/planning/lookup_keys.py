"""Which keys of a lookup have changed since a day was made, of those that its facts have.

A day rests on the rows of a lookup that its facts match, or would match now, and on no others. The copy of the table
from which the day was made is compared with the present one, and the keys of rows that are not in both with the keys
of the day's facts, which `index` keeps in a file.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData, SourceUnavailable
from daybook.ledger.receipt import Receipt
from daybook.loader.load import load, schema
from daybook.planning.plan import Standing
from daybook.spec import Pipeline, Source
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.storage.tables import keys_file, read_parquet


class Copies(NamedTuple):
    """The present copies of a pipeline's tables, and the hash of each, by source."""

    folder: Folder
    sha256: Mapping[str, str]


# A lookup, and the hash that its table had when a day was made.
_Version = tuple[str, str]


def with_changed_keys(
    pipeline: Pipeline, standings: Sequence[Standing], copies: Copies, data: DataFolder
) -> list[Standing]:
    """Return the standings with the changed keys of each lookup whose table has changed.

    A lookup is left out if they are unknown: its rows were mended, files of the day's run are gone, or a copy cannot be
    loaded.
    """
    changed = {standing.day: _changed_tables(pipeline, standing, copies) for standing in standings}
    older: dict[_Version, list[Folder]] = {}
    for standing in standings:
        for version in changed[standing.day]:
            older.setdefault(version, []).append(_folder(data, standing.deployed["extract_tables"]))
    keys = {version: _changed_keys(pipeline, version, folders, copies) for version, folders in older.items()}
    return [
        standing._replace(
            changed_keys=_used(standing, {version: keys[version] for version in changed[standing.day]}, data)
        )
        for standing in standings
    ]


def _changed_tables(pipeline: Pipeline, standing: Standing, copies: Copies) -> list[_Version]:
    """Return the lookups whose tables are not what they were when the day was made."""
    if "deploy" not in standing.deployed:
        return []
    outputs, mended = standing.deployed["extract_tables"].outputs, standing.deployed["load"].inputs
    tables = {table.name for table in pipeline.tables} - {pipeline.facts}
    names = [lookup.source for lookup in pipeline.lookups if lookup.source in tables]
    was = [(name, outputs[f"{name}.csv"].sha256) for name in names if f"{name}.csv" in outputs]
    return [(name, old) for name, old in was if old != copies.sha256[name] and f"mends/{name}" not in mended]


def _folder(data: DataFolder, receipt: Receipt) -> Folder:
    return data.run(receipt.pipeline, receipt.day, receipt.run) / receipt.step


def _changed_keys(pipeline: Pipeline, version: _Version, older: list[Folder], copies: Copies) -> pa.Array | None:
    """Return the keys of the rows that are in one copy only; None if they are unknown."""
    name, sha256 = version
    file, source = f"{name}.csv", pipeline.source(name)
    whole = (folder for folder in older if folder.has(file) and folder.written(file).sha256 == sha256)
    if (was := next(whole, None)) is None:
        return None
    try:
        rows = pa.concat_tables([_counted(was, source), _counted(copies.folder, source)])
    except BadData:
        return None
    key = next(column.header for column in source.columns if column.name in source.key)
    found = rows.group_by(rows.column_names).aggregate([([], "count_all")])
    return pc.unique(found.filter(pc.equal(found.column(found.num_columns - 1), 1))[key]).drop_null()


def _counted(folder: Folder, source: Source) -> pa.Table:
    """Return the typed rows of a copy, each once, with their number: rows that share a key match nothing."""
    with folder.open(f"{source.name}.csv") as file:
        rows = pa.concat_tables([schema(source).empty_table(), *(batch.kept for batch in load(file, source))])
    values = rows.drop_columns(["line"])
    return (
        values.group_by(values.column_names)
        .aggregate([([], "count_all")])
        .rename_columns([*values.column_names, "line"])
    )


def _used(
    standing: Standing, changed: Mapping[_Version, pa.Array | None], data: DataFolder
) -> dict[str, tuple[str, ...]]:
    """Return the changed keys that the day's facts have, by lookup."""
    used = {}
    for (name, _), keys in changed.items():
        known = _keys_of_facts(standing.deployed["index"], name, data)
        if keys is not None and known is not None:
            used[name] = tuple(str(key) for key in known.filter(pc.is_in(known, keys)).to_pylist())
    return used


def _keys_of_facts(index: Receipt, name: str, data: DataFolder) -> pa.ChunkedArray | None:
    file, folder = keys_file(name), _folder(data, index)
    if file not in index.outputs or not folder.has(file):
        return None
    try:
        with folder.open_unchanged(file, index.outputs[file].sha256) as stream:
            return read_parquet(stream).column(0)
    except SourceUnavailable:
        return None
