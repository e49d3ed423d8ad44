"""Stores mended rows: checked against the run that refused the rows, and stored for the file that they belong to.

Each mended row is read by the loader that would load it; if one is bad, all are refused. It asks the ledger, reads the
run's raw files, and writes into the folder of mends. Messages name rows, columns and reasons, never a value.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from daybook.errors import BadData
from daybook.ledger import runs
from daybook.ledger.raw_files import extracted_by, raw_files, raw_sha256
from daybook.loader.layout import Layout, Refusal
from daybook.loader.line_numbers import part_of
from daybook.loader.load import layout_of
from daybook.loader.mended import mended_records
from daybook.postgres.session import Connection
from daybook.refused import mends
from daybook.refused.file import Filled, record_of
from daybook.refused.mends import Mend
from daybook.refused.rows import LastRun, last_run, refused_rows
from daybook.spec import Pipeline, nearest
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.text import counted

SHOWN_PROBLEMS = 10
# The detail of these reasons is two counts of fields; that of others may hold a value.
WIDTH = ("too_many_fields", "too_few_fields")

Place = tuple[str, int]
"""A source and a line of it."""
PartOfSource = tuple[str, int]
"""A source and the number of a part of it; 0 if it is one file."""


class Against(NamedTuple):
    """The data that mended rows are checked against: the raw bytes of the rows refused or mended before, by place; the
    hash of each source's raw bytes, and the layout of each of its files."""

    raw: Mapping[Place, bytes]
    file_sha256: Mapping[str, str]
    layouts: Mapping[PartOfSource, Layout]


def checked(filled: list[Filled], against: Against, name: str) -> dict[Place, str]:
    """Return the mended records by place. name: their file's. Raises BadData with all that is wrong with them."""
    if not filled:
        raise BadData(f"{name}: no row is mended; nothing was kept; fill the column `mended` with the whole record")
    problems = {row: problem for row in filled if (problem := _problem(row, against))}
    places: dict[Place, Filled] = {}
    for row in filled:
        if row not in problems and places.setdefault(_place(row), row).mended != row.mended:
            problems[row] = f"it is mended in another way in row {places[_place(row)].row}"
    if problems:
        raise BadData(_message(problems, len(filled), name))
    return {place: _record(row, against).decode() for place, row in places.items()}


def _problem(row: Filled, against: Against) -> str | None:
    if row.source not in against.file_sha256:
        there_are = ", ".join(against.file_sha256)
        return f"there is no such source{nearest(row.source, against.file_sha256)}; there are {there_are}"
    if row.file_sha256 != against.file_sha256[row.source]:
        return "it is of another file than the day was loaded from last; have the refused rows written anew"
    if _place(row) not in against.raw:
        return "no row that was refused is on that line"
    line = _place(row)[1]
    (record,) = mended_records({line: _record(row, against)}, against.layouts[row.source, part_of(line)])
    return _why(record.refusal) if record.refusal else None


def _place(row: Filled) -> Place:
    return row.source, int(row.line) if row.line.isdecimal() else 0


def _record(row: Filled, against: Against) -> bytes:
    return record_of(row.mended, against.raw[_place(row)])


def _why(refusal: Refusal) -> str:
    where = f"column {refusal.column!r}: " if refusal.column is not None else ""
    counts = f" ({refusal.detail})" if refusal.reason in WIDTH else ""
    return f"the loader would refuse it again: {where}{refusal.reason}{counts}"


def _message(problems: Mapping[Filled, str], count: int, name: str) -> str:
    shown = [f"row {row.row} ({row.source}, line {row.line}): {problem}" for row, problem in problems.items()]
    more = f"; and {len(shown) - SHOWN_PROBLEMS} more" if len(shown) > SHOWN_PROBLEMS else ""
    return (
        f"{name}: {len(shown)} of {counted(count, 'mended row')} cannot be kept, so none was; "
        f"{'; '.join(shown[:SHOWN_PROBLEMS])}{more}"
    )


class Replayed(NamedTuple):
    """The result of a replay: the run that refused the rows, and by source the number of new or changed mends, and of
    all mends now."""

    run: str
    new: dict[str, int]
    now: dict[str, int]


class Person(NamedTuple):
    """Who mended rows, and why."""

    who: str
    why: str


def keep(
    connection: Connection, data: DataFolder, pipeline: Pipeline, day: date, name: str, filled: list[Filled], by: Person
) -> Replayed:
    """Check mended rows and keep them. name: their file's.

    A row that was mended before may be mended again; an equal mend stays as it was. Raises BadData or BadSpec, and
    keeps none, if one of them is bad.
    """
    with connection.transaction():
        # Two replays of a day take turns: each adds to the mends of the other.
        runs.lock_day(connection, pipeline.name, day)
        last, folder = last_run(connection, data, pipeline, day), data.mends(pipeline.name, day)
        hashes = raw_sha256(pipeline, last.receipts)
        there = {source: mends.read(folder, source, sha256) for source, sha256 in hashes.items()}
        raw = _raw(last, there)
        records = checked(filled, Against(raw, hashes, _layouts(last, pipeline, filled)), name)
        return Replayed(last.run, _added(records, there, folder, hashes, by), _counts(folder, hashes))


def withdraw(connection: Connection, data: DataFolder, pipeline: Pipeline, day: date) -> int:
    """Remove all mends of a day, even those set aside; return how many there were."""
    with connection.transaction():
        runs.lock_day(connection, pipeline.name, day)
        folder = data.mends(pipeline.name, day)
        count = mends.count(folder)
        folder.remove()
    return count


def _raw(last: LastRun, there: dict[str, tuple[Mend, ...]]) -> dict[Place, bytes]:
    before = {(source, mend.line): mend.record.encode() for source, known in there.items() for mend in known}
    return before | {(row["source"], row["line"]): row["raw"] or b"" for row in refused_rows(last).to_pylist()}


def _layouts(last: LastRun, pipeline: Pipeline, filled: list[Filled]) -> dict[PartOfSource, Layout]:
    layouts = {}
    for source in (source for source in pipeline.sources if source.name in {row.source for row in filled}):
        extracted = extracted_by(source)
        for file in raw_files(last.receipts[extracted], source.name, source.name):
            # Only the header is read, for the layout; but it must be the file that the rows were refused from.
            with (last.folder / extracted).open_unchanged(file.file, file.sha256) as stream:
                layouts[source.name, file.number] = layout_of(stream, source, file.name)
    return layouts


def _added(
    records: dict[Place, str],
    there: dict[str, tuple[Mend, ...]],
    folder: Folder,
    hashes: dict[str, str],
    by: Person,
) -> dict[str, int]:
    """Write the new mends; return their number by source."""
    new: Counter[str] = Counter()
    for source, known in there.items():
        by_line = {mend.line: mend for mend in known}
        for (_, line), record in ((place, record) for place, record in records.items() if place[0] == source):
            if line not in by_line or by_line[line].record != record:
                by_line[line] = Mend(line=line, record=record, who=by.who, why=by.why)
                new[source] += 1
        if new[source]:
            mends.write(folder, source, hashes[source], by_line.values())
    return dict(+new)


def _counts(folder: Folder, hashes: dict[str, str]) -> dict[str, int]:
    counts = {source: len(mends.read(folder, source, sha256)) for source, sha256 in hashes.items()}
    return {source: count for source, count in counts.items() if count}
