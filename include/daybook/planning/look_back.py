"""The earlier days that a daily run does again: those of the spec's window whose sources have changed since."""

import logging
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from daybook.days import scheduled_days
from daybook.planning.observe import observe
from daybook.planning.plan import plan
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder

log = logging.getLogger(__name__)
OpenConnection = Callable[[str], Any]


def changed_days(
    pipeline: Pipeline, day: date, data: DataFolder, postgres: OpenConnection, ftp: OpenConnection
) -> list[date]:
    """Return the published days of the window before a day whose sources have changed since, newest first.

    data: the data folder, for the mends. postgres, ftp: open a connection by its id. Raises SourceUnavailable or
    BadSpec if a server cannot be asked.
    """
    first = day.toordinal() - pipeline.look_back_days
    window = scheduled_days(pipeline.schedule, date.fromordinal(max(first, 1)), day - timedelta(days=1))
    if not window:
        return []
    seen = observe(pipeline, window, postgres, ftp, data)
    planned = plan(pipeline, [standing for standing in seen.standings if standing.is_published], seen.tables)
    changed = [one.day for one in planned if one.reason.startswith("input changed")]
    log.info("%s looked back over %s days: %s changed", day, len(window), len(changed))
    return changed
