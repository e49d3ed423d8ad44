"""Files that nobody will ask for: of runs that the ledger does not know, or half written by a process that is dead.

A run that is at work has no row in the ledger before its first step has ended, so only folders to which nobody has
written for a week count. Nothing is removed here.
"""

from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

from daybook.ledger.queries import is_begun
from daybook.ledger.receipt import STEPS
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.storage.run_names import TAKEN, folder_name, former_folder_name

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
            self.folder.remove_file(self.name)
        else:
            self.folder.remove()


class Known(NamedTuple):
    """What a ledger knows of a pipeline: the runs that have rows, as day and number; and by day the names of folders
    of runs that it has anything of."""

    saved: set[tuple[date, int]]
    folders: set[tuple[date, str]]


def known_pipelines(connection: Connection) -> set[str]:
    """Return the names of the pipelines that the ledger has anything of."""
    if not is_begun(connection):
        return set()
    return {name for (name,) in connection.execute("select pipeline from run union select pipeline from step")}


def known(connection: Connection, pipeline: str) -> Known:
    """Return what the ledger knows of a pipeline's runs."""
    if not is_begun(connection):
        return Known(set(), set())
    saved = connection.execute(
        "select day, run_id, started_by from run where pipeline = %s and removed_at is null", [pipeline]
    ).fetchall()
    steps = connection.execute("select distinct day, run from step where pipeline = %s", [pipeline]).fetchall()
    of_runs = {(day, run) for day, _, run in saved} | set(steps)
    names = {(day, name(run)) for day, run in of_runs for name in (folder_name, former_folder_name)}
    return Known({(day, run_id) for day, run_id, _ in saved}, names)


def orphans(connect: OpenPostgres, data: DataFolder, pipeline: str) -> Iterator[Orphan]:
    """Return the files of a pipeline that nobody will ask for, by their place."""
    # List first, then ask the ledger: files that a run makes after that are not on the list.
    saved, runs = data.saved_runs(pipeline), list(_folders_of_runs(data, pipeline))
    has = at_once(connect, lambda connection: known(connection, pipeline))
    for day, run_id in saved:
        if (day, run_id) not in has.saved:
            yield Orphan(data.published_files(pipeline, day, run_id), "published files of a run without rows")
    for day, run in runs:
        if (day, run.path.name) not in has.folders and is_abandoned(run):
            yield Orphan(run, "files of a run that the ledger does not know")
    yield from _half_written(data, pipeline)


def unknown_pipelines(data: DataFolder, names: Collection[str]) -> Iterator[Orphan]:
    """Return the folders of pipelines that are not among these: a module is gone, or was never published."""
    for name in sorted(data.pipelines() - set(names)):
        for folder in data.folders_of(name):
            yield Orphan(folder, f"no module and no ledger knows a pipeline {name!r}")


def _folders_of_runs(data: DataFolder, pipeline: str) -> Iterator[tuple[date, Folder]]:
    for day in data.days(pipeline):
        folder = data.day(pipeline, day)
        yield from ((day, folder / name) for name in folder.names() if name not in TAKEN)


def is_abandoned(folder: Folder) -> bool:
    """Return whether a folder is that of a run, with its steps, and nobody has written to it for a while.

    Anything else in a day's folder is not ours to remove.
    """
    return not set(STEPS).isdisjoint(folder.names()) and folder.days_since_written() > ABANDONED_DAYS


def _half_written(data: DataFolder, pipeline: str) -> Iterator[Orphan]:
    for top in data.folders_of(pipeline):
        for folder, name in top.left_over():
            yield Orphan(folder, "half written by a process that is dead", name)
