"""The days of a daily run: its own, those before it that were missed, and those whose sources have changed.

The first task of a run that asks decides, and keeps the answer in a file, so all tasks of the run do the same days.
"""

import json
import logging
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from daybook.errors import BadSpec
from daybook.planning.catch_up import missed_days
from daybook.planning.look_back import changed_days
from daybook.postgres.session import at_once
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
    return [run.day, *sorted({*_missed(run, postgres), *changed}, reverse=True)]


def _missed(run: DailyRun, postgres: OpenConnection) -> list[date]:
    if not run.pipeline.catch_up_days:
        return []
    connect = partial(postgres, run.pipeline.target.connection)
    missed = at_once(connect, lambda session: missed_days(session, run.pipeline, run.day, run.now))
    if missed:
        log.info("%s catches up %s missed days: %s", run.day, len(missed), spell(tuple(missed)))
    return missed
