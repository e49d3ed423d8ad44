"""Files that nobody will ask for: of runs that the ledger does not know, or half written by a process that is dead.

A run that is at work has no row in the ledger before its first step has ended, so only folders to which nobody has
written for a week count. Nothing is removed here.
"""

from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

from daybook.ledger.queries import is_begun
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.publish.old_files import is_old_run, runs_of
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.storage.run_names import folder_name, former_folder_name

# A failed run may wait for some days before a person clears its `deploy`.
ABANDONED_DAYS = 7


class Orphan(NamedTuple):
    """A folder, or a half-written file in it (name), that nobody will ask for, and why."""

    folder: Folder
    why: str
    name: str = ""

    @property
    def place(self) -> str:
        """Return the path, as a person finds it."""
        return str(self.folder.path / self.name if self.name else self.folder.path)

    def remove(self) -> None:
        """Remove it."""
        if self.name:
            self.folder.give_up(self.name)
        else:
            self.folder.remove()


class Known(NamedTuple):
    """What a ledger knows of a pipeline: the runs that have rows, as day and number; and by day the names of folders
    of runs that it has anything of."""

    saved: set[tuple[date, int]]
    folders: set[tuple[date, str]]


class Going(NamedTuple):
    """What of the ledger is about to go: the numbers of runs whose rows go, and by day the runs whose log goes."""

    rows: frozenset[int] = frozenset()
    steps: frozenset[tuple[date, str]] = frozenset()


NOTHING = Going()


def known_pipelines(connection: Connection) -> set[str]:
    """Return the names of the pipelines that the ledger has anything of."""
    if not is_begun(connection):
        return set()
    return {name for (name,) in connection.execute("select pipeline from run union select pipeline from step")}


def known(connection: Connection, pipeline: str, going: Going = NOTHING) -> Known:
    """Return what the ledger knows of a pipeline's runs, without what is about to go."""
    if not is_begun(connection):
        return Known(set(), set())
    saved = connection.execute(
        "select day, run_id, started_by from run where pipeline = %s and removed_at is null", [pipeline]
    ).fetchall()
    kept = [(day, run_id, run) for day, run_id, run in saved if run_id not in going.rows]
    steps = connection.execute("select distinct day, run from step where pipeline = %s", [pipeline]).fetchall()
    of_runs = {(day, run) for day, _, run in kept} | (set(steps) - going.steps)
    names = {(day, name(run)) for day, run in of_runs for name in (folder_name, former_folder_name)}
    return Known({(day, run_id) for day, run_id, _ in kept}, names)


def orphans(connect: OpenPostgres, data: DataFolder, pipeline: str, going: Going = NOTHING) -> Iterator[Orphan]:
    """Return the files of a pipeline that nobody will ask for, by their place. going: out of the ledger, first."""
    # List first, then ask the ledger: files that a run makes after that are not on the list.
    saved, runs = data.saved_runs(pipeline), list(_folders_of_runs(data, pipeline))
    has = at_once(connect, lambda connection: known(connection, pipeline, going))
    for day, run_id in saved:
        if (day, run_id) not in has.saved:
            yield Orphan(data.published_files(pipeline, day, run_id), "published files of a run without rows")
    for day, run in runs:
        if (day, run.path.name) not in has.folders and is_old_run(run, ABANDONED_DAYS):
            yield Orphan(run, "files of a run that the ledger does not know")
    yield from _half_written(data, pipeline)


def unknown_pipelines(data: DataFolder, names: Collection[str]) -> Iterator[Orphan]:
    """Return the folders of pipelines that are not among these: a module is gone, or was never published."""
    for name in sorted(data.pipelines() - set(names)):
        for folder in data.folders_of(name):
            yield Orphan(folder, f"no module and no ledger knows a pipeline {name!r}")


def _folders_of_runs(data: DataFolder, pipeline: str) -> Iterator[tuple[date, Folder]]:
    for day in data.days(pipeline):
        yield from ((day, run) for run in runs_of(data.day(pipeline, day)))


def _half_written(data: DataFolder, pipeline: str) -> Iterator[Orphan]:
    for top in data.folders_of(pipeline):
        for folder, name in top.left_over():
            yield Orphan(folder, "half written by a process that is dead", name)
