"""Mended rows kept: checked against the run that refused the rows, and written down for the file that they belong to.

Each mended row is read by the loader that would load it; one that is not fit refuses them all. It asks the ledger,
reads the run's raw files, and writes into the folder of mends. Messages name rows, columns and reasons, never a value.
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
from daybook.loader.load import opened
from daybook.loader.mended import mended_records
from daybook.postgres.session import Connection
from daybook.refused import mends
from daybook.refused.file import Filled, record_of
from daybook.refused.mends import Mend
from daybook.refused.rows import LastRun, last_run, refused_rows
from daybook.spec import Pipeline, nearest
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder

SHOWN_PROBLEMS = 10
# Of these reasons the detail is two counts of fields; that of others may hold a value.
WIDTH = ("too_many_fields", "too_few_fields")

Place = tuple[str, int]
"""A source and a line of it."""
Part = tuple[str, int]
"""A source and the number of a part of it; 0 where it is one file."""


class Against(NamedTuple):
    """What mended rows are held against: the raw bytes of the rows that were refused or mended before, by place; and
    the hash of each source's raw bytes, and how the records of each of its files lie."""

    raw: Mapping[Place, bytes]
    file_sha256: Mapping[str, str]
    layouts: Mapping[Part, Layout]


def checked(filled: list[Filled], against: Against, name: str) -> dict[Place, str]:
    """Return the mended records by place. name: their file's. Raises BadData with all that is wrong with them."""
    if not filled:
        raise BadData(f"{name}: no row is mended; nothing was kept; fill the column `mended` with the whole record")
    problems = {one: problem for one in filled if (problem := _problem(one, against))}
    places: dict[Place, Filled] = {}
    for one in filled:
        if one not in problems and places.setdefault(_place(one), one).mended != one.mended:
            problems[one] = f"it is mended in another way in row {places[_place(one)].row}"
    if problems:
        raise BadData(_told(problems, len(filled), name))
    return {place: _record(one, against).decode() for place, one in places.items()}


def _problem(one: Filled, against: Against) -> str | None:
    if one.source not in against.file_sha256:
        there_are = ", ".join(against.file_sha256)
        return f"there is no such source{nearest(one.source, against.file_sha256)}; there are {there_are}"
    if one.file_sha256 != against.file_sha256[one.source]:
        return "it is of another file than the day was loaded from last; have the refused rows written anew"
    if _place(one) not in against.raw:
        return "no row that was refused is on that line"
    line = _place(one)[1]
    (made,) = mended_records({line: _record(one, against)}, against.layouts[one.source, part_of(line)])
    return _why(made.refusal) if made.refusal else None


def _place(one: Filled) -> Place:
    return one.source, int(one.line) if one.line.isdecimal() else 0


def _record(one: Filled, against: Against) -> bytes:
    return record_of(one.mended, against.raw[_place(one)])


def _why(refusal: Refusal) -> str:
    where = f"column {refusal.column!r}: " if refusal.column is not None else ""
    counts = f" ({refusal.detail})" if refusal.reason in WIDTH else ""
    return f"the loader would refuse it again: {where}{refusal.reason}{counts}"


def _told(problems: Mapping[Filled, str], count: int, name: str) -> str:
    shown = [f"row {one.row} ({one.source}, line {one.line}): {problem}" for one, problem in problems.items()]
    more = f"; and {len(shown) - SHOWN_PROBLEMS} more" if len(shown) > SHOWN_PROBLEMS else ""
    return (
        f"{name}: {len(shown)} of {count} mended rows cannot be kept, so none was; "
        f"{'; '.join(shown[:SHOWN_PROBLEMS])}{more}"
    )


class Kept(NamedTuple):
    """What was kept: the run whose rows they are, and by source how many mends are new, or other than before, and how
    many there are now."""

    run: str
    new: dict[str, int]
    now: dict[str, int]


class Person(NamedTuple):
    """Who mended rows, and why."""

    who: str
    why: str


def keep(
    connection: Connection, data: DataFolder, pipeline: Pipeline, day: date, name: str, filled: list[Filled], by: Person
) -> Kept:
    """Check mended rows and keep them. name: their file's.

    A row that was mended before may be mended again; a mend that is there already stays as it was. Raises BadData or
    BadSpec, and keeps none, where one of them is bad.
    """
    with connection.transaction():
        # Two replays of a day come one after the other: each adds to what is there.
        runs.lock_day(connection, pipeline.name, day)
        last, folder = last_run(connection, data, pipeline, day), data.mends(pipeline.name, day)
        hashes = raw_sha256(pipeline, last.receipts)
        there = {source: mends.read(folder, source, sha256) for source, sha256 in hashes.items()}
        raw = _raw(last, there)
        records = checked(filled, Against(raw, hashes, _layouts(last, pipeline, filled)), name)
        return Kept(last.run, _added(records, there, folder, hashes, by), _counts(folder, hashes))


def withdraw(connection: Connection, data: DataFolder, pipeline: Pipeline, day: date) -> int:
    """Remove all mends of a day, also those that are set aside; give how many there were."""
    with connection.transaction():
        runs.lock_day(connection, pipeline.name, day)
        folder = data.mends(pipeline.name, day)
        count = mends.count(folder)
        folder.remove()
    return count


def _raw(last: LastRun, there: dict[str, tuple[Mend, ...]]) -> dict[Place, bytes]:
    before = {(source, mend.line): mend.record.encode() for source, known in there.items() for mend in known}
    return before | {(row["source"], row["line"]): row["raw"] or b"" for row in refused_rows(last).to_pylist()}


def _layouts(last: LastRun, pipeline: Pipeline, filled: list[Filled]) -> dict[Part, Layout]:
    layouts = {}
    for source in (source for source in pipeline.sources if source.name in {one.source for one in filled}):
        extracted = extracted_by(source)
        for file in raw_files(last.receipts[extracted], source.name, source.name):
            # Its header says how a record lies; `load` holds all its bytes to their hash.
            with (last.folder / extracted).open(file.file) as stream:
                layouts[source.name, file.number] = opened(stream, source, file.name)[1]
    return layouts


def _added(
    records: dict[Place, str],
    there: dict[str, tuple[Mend, ...]],
    folder: Folder,
    hashes: dict[str, str],
    by: Person,
) -> dict[str, int]:
    """Write the mends that are new; give how many they are, by source."""
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
