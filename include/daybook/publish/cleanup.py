"""Removes rows, files and folders that nobody can see any more, left by crashes or too old, after a day was deployed.

It never fails a deployment, and does a limited amount: the rest goes next time. Readers' rows and the runs that a day
can be rolled back to are never touched.
"""

import logging
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from psycopg import sql

from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.publish.live import stored
from daybook.publish.old_files import is_old_run, remove_old_files
from daybook.publish.orphans import ABANDONED_DAYS
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.run_names import TAKEN, folder_name, former_folder_name

log = logging.getLogger(__name__)

RUNS_AT_ONCE = 50
# An overtaken run may still be at work, and needs its files.
OVERTAKEN_HOURS = 2

# Of the day: publications beyond the kept ones, but never the last of a day that was taken back (a later run takes its
# copies of lookups: ledger/as_of.py); runs that the fence will never let through; this run, if it was not
# published, and its earlier saves. Of any day: runs saved long ago and never published; an index has only these, so
# that nothing grows with the days that are published.
REMOVABLE = """
    with publications as (
        select run_id, ledger.published_at, read_at from ledger join run using (run_id)
        where ledger.pipeline = %(pipeline)s and ledger.day = %(day)s and removed_at is null
    ), seen as (
        select run_id from published where pipeline = %(pipeline)s and day = %(day)s
    ), kept as (
        select run_id from seen union all (
            select run_id from publications where run_id not in (select run_id from seen)
            order by published_at desc, run_id desc
            limit greatest(%(keep_runs)s, 1 - (select count(*) from seen)))
    )
    select run_id from run where run_id in (
        select run.run_id from run left join ledger using (run_id)
        where run.pipeline = %(pipeline)s and run.day = %(day)s and removed_at is null and case
            when ledger.run_id is not null then run.run_id not in (select run_id from kept)
            else (run.run_id <= %(run_id)s and run.started_by = %(started_by)s)
                or (saved_at < now() - make_interval(hours => %(hours)s) and exists (
                    select from publications
                    where (publications.read_at, publications.run_id) > (run.read_at, run.run_id)))
        end
        union (
            select run_id from run
            where pipeline = %(pipeline)s and removed_at is null and not is_published
                and saved_at < now() - make_interval(days => %(days)s)
                and not exists (select from ledger where ledger.run_id = run.run_id)
            order by run_id limit %(most)s)
    )
    order by run_id limit %(most)s for update skip locked
"""

# The log of a day's steps, but for runs that are kept, and for the last ones that came to their end, changed nothing,
# failed, or loaded the day: these are asked for (step_log.py, queries.py).
_OLD_RUNS_OF_STEPS = """
    with of_day as (select * from step where pipeline = %(pipeline)s and day = %(day)s), asked as (
        select distinct on (what) run from of_day, lateral (values
            ('ended', step = 'deploy' and receipt is not null),
            ('unchanged', step = 'deploy' and receipt ->> 'outcome' = 'unchanged'),
            ('failed', state = 'failed'), ('loaded', step = 'load')) wanted (what, is_it)
        where is_it order by what, ended_at desc
    ), old as (
        select run from of_day group by run having max(ended_at) < now() - make_interval(days => %(days)s)
        except select run from asked
        except select started_by from run
            where pipeline = %(pipeline)s and day = %(day)s and removed_at is null
                and run_id <> all(%(going)s::bigint[])
    )
"""
_REMOVE_STEPS = "delete from step where pipeline = %(pipeline)s and day = %(day)s and run in (table old)"


class Deployed(NamedTuple):
    """The run that was deployed: its day, the scheduler's name for it, and its number in the ledger."""

    pipeline: Pipeline
    day: date
    run: str
    run_id: int


def clean_up(deployed: Deployed, data: DataFolder, connect: OpenPostgres) -> None:
    """Remove the leftovers after a day's deployment. Raises nothing."""
    try:
        _remove_files(connect, data, deployed)
        remove_old_files(connect, data, deployed.pipeline)
    except Exception as error:
        # The day is published: whatever went wrong here can wait, and must not fail the task.
        name = type(error).__name__
        log.warning("%s %s: not cleaned up, tried again next time: %s", deployed.pipeline.name, deployed.day, name)


def _remove_old_rows(connection: Connection, deployed: Deployed) -> dict[int, str]:
    """Remove what the warehouse has too much; return the runs of the day that still have rows, and who started each."""
    remove_rows(connection, deployed)
    remove_steps(connection, deployed.pipeline.name, deployed.day)
    return _alive(connection, deployed.pipeline.name, deployed.day)


def removable(connection: Connection, deployed: Deployed, most: int = RUNS_AT_ONCE) -> list[int]:
    """Return the numbers of the runs whose rows nobody can see any more, and lock them until the transaction ends."""
    pipeline, day, run, run_id = deployed
    asked = {"pipeline": pipeline.name, "day": day, "run_id": run_id, "started_by": run}
    asked |= {"keep_runs": pipeline.keep_runs, "most": most, "days": ABANDONED_DAYS, "hours": OVERTAKEN_HOURS}
    return [row[0] for row in connection.execute(REMOVABLE, asked)]


def remove_rows(connection: Connection, deployed: Deployed) -> list[int]:
    """Remove the rows that nobody can see any more, of so many runs at once; return the numbers of these runs."""
    with connection.transaction():
        # Asked twice: a run may have been published or rolled back to before it was locked, but not after.
        locked = removable(connection, deployed)
        if not locked:
            return []
        removed = [run_id for run_id in removable(connection, deployed) if run_id in locked]
        for summary in deployed.pipeline.views:
            delete = sql.SQL("delete from {} where run_id = any(%s)").format(stored(deployed.pipeline, summary))
            connection.execute(delete, [removed])
        connection.execute("delete from saved_summary where run_id = any(%s)", [removed])
        connection.execute(
            "delete from run where run_id = any(%s) and not exists "
            "(select from ledger where ledger.run_id = run.run_id)",
            [removed],
        )
        connection.execute("update run set removed_at = now() where run_id = any(%s)", [removed])
        return removed


def old_steps(connection: Connection, pipeline: str, day: date, going: Collection[int] = ()) -> set[str]:
    """Return the runs whose log of steps is old, and is asked for no more. going: runs whose rows go first."""
    asked = {"pipeline": pipeline, "day": day, "days": ABANDONED_DAYS, "going": list(going)}
    return {run for (run,) in connection.execute(f"{_OLD_RUNS_OF_STEPS} table old".encode(), asked)}


def remove_steps(connection: Connection, pipeline: str, day: date) -> None:
    """Remove the log of these runs."""
    asked: dict[str, Any] = {"pipeline": pipeline, "day": day, "days": ABANDONED_DAYS, "going": []}
    connection.execute(f"{_OLD_RUNS_OF_STEPS} {_REMOVE_STEPS}".encode(), asked)


def _remove_files(connect: OpenPostgres, data: DataFolder, deployed: Deployed) -> None:
    pipeline, day = deployed.pipeline.name, deployed.day
    runs, days = data.published_runs(pipeline, day), data.day(pipeline, day)
    # List first, then ask the ledger: files that a run makes after that are not on the list.
    files, folders = runs.names(), days.names()
    alive = at_once(connect, lambda connection: _remove_old_rows(connection, deployed))
    started = {name(started_by) for started_by in alive.values() for name in (folder_name, former_folder_name)}
    for name in files:
        if name.isdigit() and int(name) not in alive:
            (runs / name).remove()
    for name in folders:
        if name not in started and name not in TAKEN and is_old_run(days / name, ABANDONED_DAYS):
            (days / name).remove()
    for folder in (runs, days):
        folder.remove_left_over()


def _alive(connection: Connection, pipeline: str, day: date) -> dict[int, str]:
    """Return the runs of the day that have rows, and who started each."""
    rows = connection.execute(
        "select run_id, started_by from run where pipeline = %s and day = %s and removed_at is null",
        [pipeline, day],
    )
    return dict(rows.fetchall())
