"""Keeping house: all that cleanup.py leaves for later, of every day of a pipeline at once; first only named.

After each deployment cleanup.py removes a limited amount, of the days that are deployed. Here is the rest: of days that
nobody deploys any more, and what a day's limit left over. By the same rules, so that what readers see, the runs that a
day can be rolled back to, and all that the ledger still needs stay.
"""

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import NamedTuple

from daybook.ledger.queries import is_begun
from daybook.ledger.runs import prepare
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.publish.cleanup import Deployed, old_steps, removable, remove_rows, remove_steps
from daybook.publish.old_files import ALL, old_runs, remove_old_files
from daybook.publish.orphans import Going, Orphan, orphans
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder


class Removal(NamedTuple):
    """One thing that goes: what kind it is ("rows", "log" or "files"), where it is, and why it may go."""

    what: str
    place: str
    why: str


class Untidy(NamedTuple):
    """All that may go of a pipeline. rows: runs by number, with day and name; steps: by day and run."""

    pipeline: Pipeline
    rows: dict[int, tuple[date, str]]
    steps: frozenset[tuple[date, str]]
    orphans: tuple[Orphan, ...]
    old: tuple[Folder, ...]

    @property
    def removals(self) -> list[Removal]:
        """Return them one by one, in the order in which they go."""
        return [*_of_rows(self), *_of_files(self)]


def _of_rows(untidy: Untidy) -> Iterator[Removal]:
    name = untidy.pipeline.name
    for run_id, (day, run) in sorted(untidy.rows.items()):
        yield Removal("rows", f"{name} {day}, run {run_id} ({run})", "nobody can see them or roll back to them")
    for day, run in sorted(untidy.steps):
        yield Removal("log", f"{name} {day}, steps of {run}", "its rows are gone, and a later run of each kind is kept")


def _of_files(untidy: Untidy) -> Iterator[Removal]:
    for orphan in untidy.orphans:
        yield Removal("files", orphan.place, orphan.why)
    for folder in untidy.old:
        yield Removal("files", str(folder.path), f"older than keep_files_days={untidy.pipeline.keep_files_days}")


def untidy(connect: OpenPostgres, data: DataFolder, pipeline: Pipeline) -> Untidy:
    """Return all that may go of a pipeline; remove nothing. Raises BadSpec if a newer Daybook made the ledger."""
    rows, steps = at_once(connect, partial(_in_ledger, pipeline=pipeline))
    of_files = tuple(orphans(connect, data, pipeline.name, Going(frozenset(rows), steps)))
    orphaned = {str(orphan.folder.path) for orphan in of_files}
    old = at_once(connect, lambda session: old_runs(session, data, pipeline) if is_begun(session) else [])
    return Untidy(pipeline, rows, steps, of_files, tuple(folder for folder in old if str(folder.path) not in orphaned))


def tidy(connect: OpenPostgres, data: DataFolder, found: Untidy) -> None:
    """Remove what `untidy` found; a run that is needed again since stays."""
    for day in sorted({day for day, _ in found.rows.values()}):
        while at_once(connect, partial(remove_rows, deployed=_as_deployed(found.pipeline, day))):
            pass
    for day in sorted({day for day, _ in found.steps}):
        at_once(connect, partial(remove_steps, pipeline=found.pipeline.name, day=day))
    for orphan in found.orphans:
        orphan.remove()
    while found.old and remove_old_files(connect, data, found.pipeline):
        pass


def _in_ledger(
    connection: Connection, *, pipeline: Pipeline
) -> tuple[dict[int, tuple[date, str]], frozenset[tuple[date, str]]]:
    if not is_begun(connection):
        return {}, frozenset()
    prepare(connection)
    days = [day for (day,) in connection.execute(_DAYS_OF_SEVERAL, {"pipeline": pipeline.name})]
    # What was never published of any day is found by each of them, and so by one that is no day.
    found = {number for day in (date.min, *days) for number in removable(connection, _as_deployed(pipeline, day), ALL)}
    runs = connection.execute("select run_id, day, started_by from run where run_id = any(%s)", [sorted(found)])
    rows = {run_id: (day, run) for run_id, day, run in runs}
    logged = connection.execute("select distinct day from step where pipeline = %s order by 1", [pipeline.name])
    steps = {(day, run) for (day,) in logged.fetchall() for run in old_steps(connection, pipeline.name, day, rows)}
    return rows, frozenset(steps)


_DAYS_OF_SEVERAL = """
    select day from run where pipeline = %(pipeline)s and removed_at is null group by day having count(*) > 1 order by 1
"""


def _as_deployed(pipeline: Pipeline, day: date) -> Deployed:
    return Deployed(pipeline, day, "", 0)
