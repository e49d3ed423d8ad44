"""Takes a day back in all places: the warehouse, the published folder, finished periods, and further targets.

`./daybook rollback` and the Day page call it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Literal

from daybook.ledger.exports import is_target
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.publish.exports import Exporter
from daybook.publish.finished_periods import follow_periods
from daybook.publish.published_folder import follow
from daybook.publish.rollback import RolledBack, rollback, take_back
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder

Target = int | Literal["nothing"] | None
"""The run to go back to: its number, none at all, or the one before."""


def as_target(written: str) -> Target:
    """Return a run's number, or "nothing". Raises ValueError for another text."""
    if written == "nothing":
        return "nothing"
    if written.isascii() and written.isdecimal() and int(written):
        return int(written)
    raise ValueError(f"{written!r} is no run; nothing was changed; expected a run's number, or nothing")


def roll_back(
    pipeline: Pipeline, day: date, warehouse: OpenPostgres, data: DataFolder, who: str, why: str, to: Target = None
) -> RolledBack:
    """Roll a day back in the warehouse, and let the published folder follow.

    Raises BadSpec, and changes nothing, if no such run is kept, or the day is not published and no run is named.
    """
    if to == "nothing":
        done = at_once(warehouse, lambda connection: take_back(connection, pipeline, day, who, why))
    else:
        done = at_once(warehouse, lambda connection: rollback(connection, pipeline, day, data, who, why, to))
    at_once(warehouse, lambda connection: follow(connection, data, pipeline.name, day))
    at_once(warehouse, lambda connection: follow_periods(connection, data, pipeline))
    return done


def targets_follow(
    pipeline: Pipeline,
    day: date,
    warehouse: OpenPostgres,
    data: DataFolder,
    files: Callable[[str], AbstractContextManager[Any]],
    postgres: Callable[[str], AbstractContextManager[Connection]],
) -> dict[str, str]:
    """Let the further targets follow at once; return what became of each. One that is away still owes it.

    files, postgres: open a connection by its id.
    """
    if not pipeline.also:
        return {}
    exporter = Exporter(pipeline, data, warehouse, files, postgres)
    targets = [debt for debt in exporter.owed() if debt.day == day and is_target(debt.export)]
    return {debt.export: exporter.pay(debt) or exporter.why_not(debt) for debt in targets}
