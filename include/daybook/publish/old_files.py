"""Removes the files of runs that are older than the spec's `keep_files_days`: raw and refused rows, receipts, results.

What readers see stays, and so do the ledger and the copies of lookups as of the day. It does a limited amount after
each deployment, oldest runs first; an index has only the runs whose files are still there.
"""

from datetime import date
from typing import NamedTuple

from daybook.ledger.receipt import STEPS
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.storage.run_names import BY_FINGERPRINT, TAKEN, folder_name

DAYS_AT_ONCE = 50
ALL = 10**9
OLD = """
    select day, run_id, started_by from run
    where pipeline = %(pipeline)s and files_removed_at is null
        and saved_at < now() - make_interval(days => %(days)s)
    order by saved_at, run_id limit %(most)s for update skip locked
"""


class _Old(NamedTuple):
    day: date
    run_id: int
    started_by: str


def remove_old_files(connect: OpenPostgres, data: DataFolder, pipeline: Pipeline) -> int:
    """Remove the files of a pipeline's oldest runs, if its spec says after how many days they go; return how many."""
    if pipeline.keep_files_days is None:
        return 0
    return at_once(connect, lambda session: _remove(session, data, pipeline, pipeline.keep_files_days or 0))


def old_runs(session: Connection, data: DataFolder, pipeline: Pipeline) -> list[Folder]:
    """Return the folders of all runs whose files go by their age; nothing is removed."""
    if pipeline.keep_files_days is None:
        return []
    asked = {"pipeline": pipeline.name, "days": pipeline.keep_files_days, "most": ALL}
    days = sorted({day for day, *_ in session.execute(OLD, asked)})
    runs = (run for day in days for run in runs_of(data.day(pipeline.name, day)))
    return [run for run in runs if is_old_run(run, pipeline.keep_files_days)]


def _remove(session: Connection, data: DataFolder, pipeline: Pipeline, days: int) -> int:
    with session.transaction():
        # Files in an object store take a while; no reader waits for these rows.
        session.execute("set local idle_in_transaction_session_timeout = 0")
        asked = {"pipeline": pipeline.name, "days": days, "most": DAYS_AT_ONCE}
        old = [_Old(*row) for row in session.execute(OLD, asked)]
        for day in sorted({run.day for run in old}):
            _remove_day(data.day(pipeline.name, day), pipeline, days)
        for run in old:
            data.days_of_runs(pipeline.name).remove_file(f"{folder_name(run.started_by)}.json")
        # A run that was cleared and saved again since has another row, whose turn comes.
        numbers = [run.run_id for run in old]
        session.execute("update run set files_removed_at = now() where run_id = any(%s)", [numbers])
        return len(numbers)


def _remove_day(folder: Folder, pipeline: Pipeline, days: int) -> None:
    """Remove the folders of a day's runs to which nobody has written for so many days."""
    runs = runs_of(folder)
    old = [run for run in runs if is_old_run(run, days)]
    for run in old:
        _remove_run(run, pipeline)
    if len(old) == len(runs):
        # Names of runs that are gone. A run that begins just now notes its own again.
        (folder / BY_FINGERPRINT).remove()
        folder.remove_if_empty()


def runs_of(folder: Folder) -> list[Folder]:
    """Return the folders in a day's folder that may be of runs."""
    return [folder / name for name in folder.names() if name not in TAKEN]


def is_old_run(folder: Folder, days: int) -> bool:
    """Return whether a folder is that of a run, with its steps, and nobody has written to it for so many days.

    Anything else in a day's folder is not ours to remove.
    """
    return not set(STEPS).isdisjoint(folder.names()) and folder.days_since_written() > days


def _remove_run(run: Folder, pipeline: Pipeline) -> None:
    if not pipeline.as_of_day:
        run.remove()
        return
    for step in run.names():
        for name in (run / step).names():
            if not (step in STEPS[:2] and name.partition(".")[0] in pipeline.as_of_day):
                (run / step).remove_file(name)
        (run / step).remove_if_empty()
    run.remove_if_empty()
