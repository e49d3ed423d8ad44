"""The published folder against the ledger: every pipeline, every day, each file; and the next run's number.

A copy of a running deployment, or a copy of only one of the two, lets the folder show other runs than the warehouse.
This module compares and changes nothing; publish/realign.py mends.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import NamedTuple

from daybook.ledger import runs
from daybook.ledger.pipeline_changes import summaries_retired
from daybook.ledger.queries import is_begun
from daybook.postgres.session import Connection
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder

REPORT = "report.html"
WRITTEN_AGAIN = ".written_again.json"


class Seen(NamedTuple):
    """The run that readers of the warehouse see, and its published files: the hash of each, or None if no receipt has
    one."""

    run_id: int
    files: dict[str, str | None]


class Ledger(NamedTuple):
    """The ledger's answers. seen: by pipeline and day. runs: all that it knows, as pipeline, day and number. highest:
    the largest number that a run has or had."""

    seen: dict[str, dict[date, Seen]]
    runs: set[tuple[str, date, int]]
    highest: int


class Difference(NamedTuple):
    """What the folder shows other than the warehouse. day: None if it is about no day in particular."""

    pipeline: str
    day: date | None
    found: str


def ledger_of(connection: Connection) -> Ledger:
    """Return the ledger's answers about every pipeline; nothing if there is no ledger yet."""
    if not is_begun(connection):
        return Ledger({}, set(), 0)
    seen: dict[str, dict[date, Seen]] = {}
    retired = summaries_retired(connection)
    for pipeline, day, run_id, published_at, files in connection.execute(_SEEN):
        gone = {one.summary for one in retired if one.pipeline == pipeline and one.changed_at > published_at}
        kept = {name: output for name, output in files.items() if name.partition(".")[0] not in gone}
        seen.setdefault(pipeline, {})[day] = Seen(run_id, _with_all(kept))
    known = connection.execute("select pipeline, day, run_id from run").fetchall()
    return Ledger(seen, {(pipeline, day, run_id) for pipeline, day, run_id in known}, runs.highest_number(connection))


# Receipts from before 0.2.0 do not say what `save` published; the Parquet files are the bytes of `summarize`.
_SEEN = """
    select pipeline, day, run_id, published_at, coalesce(
        nullif(jsonb_path_query_first(receipts, '$[*] ? (@.step == "save").published'), '{}'),
        jsonb_path_query_first(receipts, '$[*] ? (@.step == "summarize").outputs'))
    from published join ledger using (pipeline, day, run_id) order by pipeline, day
"""


def _with_all(files: Mapping[str, Mapping[str, str]]) -> dict[str, str | None]:
    found: dict[str, str | None] = {name: output["sha256"] for name, output in files.items()}
    copies = [f"{name.removesuffix('.parquet')}.csv" for name in files if name.endswith(".parquet")]
    return {**dict.fromkeys([*copies, REPORT]), **found}


def differences(ledger: Ledger, data: DataFolder, names: Iterable[str]) -> Iterator[Difference]:
    """Return what the folder shows other than the warehouse, by pipeline and day.

    names: of the pipelines in the folder that belong to this warehouse, beside those that its ledger knows.
    """
    for pipeline in sorted({*ledger.seen, *names}):
        seen, shown = ledger.seen.get(pipeline, {}), data.shown(pipeline)
        copied = data.copied_days(pipeline)
        for day in sorted({*seen, *shown, *copied}):
            if found := _of_day(data, pipeline, day, seen.get(day), shown.get(day), is_copy=day in copied):
                yield Difference(pipeline, day, "; ".join(found))
        yield from _ahead(ledger, data, pipeline)


def broken_links(data: DataFolder) -> Iterator[Difference]:
    """Return the links to a run whose files are not there: all that can be seen without the warehouse."""
    for pipeline in data.published_pipelines():
        for day, target in sorted(data.shown(pipeline).items()):
            if not (data.published(pipeline) / target).exists():
                yield Difference(pipeline, day, f"the folder's link points to {target}, which is not there")


def wrong_files(data: DataFolder, pipeline: str, day: date, seen: Seen) -> dict[str, str]:
    """Return the published files of a run that are "missing" or "changed", by name."""
    folder = data.published_files(pipeline, day, seen.run_id)
    again = written_again(folder)
    found = {}
    for name, sha256 in seen.files.items():
        if not folder.has(name):
            found[name] = "missing"
        elif sha256 and folder.fault(name, sha256) and folder.fault(name, again.get(name, sha256)):
            found[name] = "changed"
    return found


def written_again(folder: Folder) -> dict[str, str]:
    """Return the hash of each file of a run that a restore wrote again: the spec or a library may be another by now."""
    if not folder.has(WRITTEN_AGAIN):
        return {}
    with suppress(ValueError):
        found = json.loads(folder.text(WRITTEN_AGAIN))
        return found if isinstance(found, dict) else {}
    return {}


def _of_day(
    data: DataFolder, pipeline: str, day: date, seen: Seen | None, target: str | None, *, is_copy: bool
) -> list[str]:
    if is_copy:
        return ["the day is a folder and not a link, as in a copy that followed the links"]
    if seen is None:
        return [f"the folder shows {_run_in(target)}, which the warehouse does not know"]
    found = []
    if data.published_run_id(pipeline, day) != seen.run_id:
        found.append(f"readers of the warehouse see run {seen.run_id}, the folder shows {_run_in(target)}")
    wrong = wrong_files(data, pipeline, day, seen)
    return [*found, *(f"{name} of run {seen.run_id} is {how}" for name, how in wrong.items())]


def _run_in(target: str | None) -> str:
    if target is None:
        return "nothing"
    number = target.rpartition("/")[2]
    return f"run {number}" if number.isdecimal() else target


def _ahead(ledger: Ledger, data: DataFolder, pipeline: str) -> Iterator[Difference]:
    ahead = [run_id for _, run_id in data.saved_runs(pipeline) if run_id > ledger.highest]
    if ahead:
        yield Difference(
            pipeline,
            None,
            f"the folder has files of runs up to {max(ahead)}; the warehouse knows none after {ledger.highest}, so it "
            "would give their numbers once more",
        )
