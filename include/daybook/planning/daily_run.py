"""The days of a daily run: its own, those before it that were missed, whose sources have changed, or for which its
file may have late rows.

The first task of a run that asks decides, and keeps the answer in a file, so all tasks of the run do the same days.
"""

import json
import logging
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from daybook.days import days_around
from daybook.errors import BadSpec
from daybook.ledger import step_log
from daybook.ledger.decisions import rollbacks
from daybook.ledger.queries import is_begun
from daybook.planning.catch_up import missed_days
from daybook.planning.look_back import changed_days
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.run_names import folder_name
from daybook.text import spell

log = logging.getLogger(__name__)
OpenConnection = Callable[[str], Any]


class DailyRun(NamedTuple):
    """A run that the schedule made for a day. run: the scheduler's name for it. now: an instant with a time zone.

    is_at_its_begin: no step of the run is done yet, so days may still join it.
    """

    pipeline: Pipeline
    day: date
    run: str
    now: datetime
    is_at_its_begin: bool


def days_of(run: DailyRun, data: DataFolder, postgres: OpenConnection, ftp: OpenConnection) -> list[date]:
    """Return the days that a daily run works on, newest first: its own is the first.

    data: the folder that keeps the answer for the run's other tasks. postgres, ftp: open a connection by its id.
    Raises SourceUnavailable or BadSpec if a server cannot be asked, BadSpec if the kept answer is damaged.
    """
    kept, name = data.days_of_runs(run.pipeline.name), f"{folder_name(run.run)}.json"
    if not kept.has(name):
        if not run.is_at_its_begin:
            return [run.day]
        kept.write_first(name, json.dumps([str(day) for day in _decided(run, data, postgres, ftp)]).encode())
    try:
        return data.days_of_run(run.pipeline.name, run.run)
    except ValueError:
        raise BadSpec(
            f"{kept.path / name}: it is damaged, and named the days of run {run.run}; nothing was done; remove it, and "
            "clear the tasks of the run from the first on"
        ) from None


def _decided(run: DailyRun, data: DataFolder, postgres: OpenConnection, ftp: OpenConnection) -> list[date]:
    changed = changed_days(run.pipeline, run.day, data, postgres, ftp)
    return [run.day, *sorted({*_missed(run, postgres), *_with_late_rows(run, postgres), *changed}, reverse=True)]


def _with_late_rows(run: DailyRun, postgres: OpenConnection) -> list[date]:
    """Return the published days before the run's that may have rows in its file, which need not be there yet."""
    most = max((file.late_days for file in run.pipeline.files), default=0)
    days = days_around(run.pipeline.schedule, run.day, most)[:most]
    if not days:
        return []
    connect = partial(postgres, run.pipeline.target.connection)
    return at_once(connect, lambda session: _published(session, run.pipeline, days))


def _published(session: Connection, pipeline: Pipeline, days: list[date]) -> list[date]:
    if not is_begun(session):
        return []
    asked = (session, pipeline.name, days[0], days[-1])
    settled = step_log.published_days(*asked) - set(rollbacks(*asked))
    return [day for day in days if day in settled]


def _missed(run: DailyRun, postgres: OpenConnection) -> list[date]:
    if not run.pipeline.catch_up_days:
        return []
    connect = partial(postgres, run.pipeline.target.connection)
    missed = at_once(connect, lambda session: missed_days(session, run.pipeline, run.day, run.now))
    if missed:
        log.info("%s catches up %s missed days: %s", run.day, len(missed), spell(tuple(missed)))
    return missed
