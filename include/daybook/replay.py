"""Mended rows kept: checked against the run that refused the rows, and written down for the file that they are of.

The commands `replay` of the package and of the deployment rest on it. It asks the ledger, reads the run's raw files,
and writes into the folder of mends.
"""

from collections import Counter
from datetime import date
from typing import Any, NamedTuple

from daybook import ledger, mends
from daybook.loader.layout import Layout
from daybook.loader.load import opened
from daybook.mends import Mend
from daybook.postgres.session import Connection
from daybook.raw_files import extracted_by, raw_files, raw_sha256
from daybook.refused_file import Filled
from daybook.refused_rows import LastRun, last_run, refused_rows
from daybook.replay_check import Against, Part, Place, checked
from daybook.spec import Pipeline
from daybook.storage.folder import Folder


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
    connection: Connection, data: Any, pipeline: Pipeline, day: date, name: str, filled: list[Filled], by: Person
) -> Kept:
    """Check mended rows and keep them. data: the data folder. name: their file's.

    A row that was mended before may be mended again; a mend that is there already stays as it was. Raises BadData or
    BadSpec, and keeps none, where one of them is bad.
    """
    with connection.transaction():
        # Two replays of a day come one after the other: each adds to what is there.
        ledger.lock_day(connection, pipeline.name, day)
        last, folder = last_run(connection, data, pipeline, day), mends.folder_of(data, pipeline.name, day)
        hashes = raw_sha256(pipeline, last.receipts)
        there = {source: mends.read(folder, source, sha256) for source, sha256 in hashes.items()}
        raw = _raw(last, there)
        records = checked(filled, Against(raw, hashes, _layouts(last, pipeline, filled)), name)
        return Kept(last.run, _added(records, there, folder, hashes, by), _counts(folder, hashes))


def withdraw(connection: Connection, data: Any, pipeline: Pipeline, day: date) -> int:
    """Remove all mends of a day, also those that are set aside; give how many there were."""
    with connection.transaction():
        ledger.lock_day(connection, pipeline.name, day)
        folder = mends.folder_of(data, pipeline.name, day)
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
