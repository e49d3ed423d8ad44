"""The earlier days that a daily run does again: those of the spec's window whose sources have changed since.

The first task of a run that asks decides, and keeps the answer in a file, so all tasks of the run do the same days.
"""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import date, timedelta
from typing import Any

from daybook.days import scheduled_days
from daybook.errors import BadSpec
from daybook.planning.observe import observe
from daybook.planning.plan import plan
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.run_names import folder_name

log = logging.getLogger(__name__)
OpenConnection = Callable[[str], Any]


def days_with_restated(
    pipeline: Pipeline,
    day: date,
    data: DataFolder,
    run: str,
    postgres: OpenConnection,
    ftp: OpenConnection,
    asking: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> list[date]:
    """Return the days of a daily run: its own, and the published days of the window before it that have changed.

    data: the folder that keeps the answer for the run's other tasks. run: the scheduler's name for the run. asking: a
    block around the questions to servers, which decides what follows if one is away.
    """
    if not pipeline.look_back_days:
        return [day]
    kept, name = data.days_of_runs(pipeline.name), f"{folder_name(run)}.json"
    if not kept.has(name):
        with asking():
            changed = _changed(pipeline, day, data, postgres, ftp)
        kept.write_first(name, json.dumps([str(one) for one in [*changed, day]]).encode())
    try:
        return data.days_of_run(pipeline.name, run)
    except ValueError:
        raise BadSpec(
            f"{kept.path / name}: it is damaged, and named the days of run {run}; nothing was done; remove it, and "
            "clear the tasks of the run from the first on"
        ) from None


def _changed(
    pipeline: Pipeline, day: date, data: DataFolder, postgres: OpenConnection, ftp: OpenConnection
) -> list[date]:
    first = day.toordinal() - pipeline.look_back_days
    window = scheduled_days(pipeline.schedule, date.fromordinal(max(first, 1)), day - timedelta(days=1))
    if not window:
        return []
    seen = observe(pipeline, window, postgres, ftp, data)
    planned = plan(pipeline, [standing for standing in seen.standings if standing.is_published], seen.tables)
    changed = sorted(one.day for one in planned if one.reason.startswith("input changed"))
    log.info("%s looked back over %s days: %s changed", day, len(window), len(changed))
    return changed
