"""What the plugin answers about the measures of a day beside those of other days.

Only the API server imports it, when it is asked.
"""

from datetime import UTC, date, datetime
from functools import partial

from daybook.days import why_outside
from daybook.errors import BadSpec
from daybook.ledger.queries import is_begun
from daybook.pages.charts_page import charts_page, days_beside
from daybook.planning.compared import ByDay, compared
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook_airflow.hooks import postgres


def charts_answer(data: DataFolder, pipeline: Pipeline, day: date) -> bytes:
    """Return the page of a day's charts.

    Raises BadSpec if the day is not one of the schedule that is over, another DaybookError if the warehouse cannot be
    asked.
    """
    if why := why_outside(pipeline.schedule, day, datetime.now(UTC)):
        raise BadSpec(f"{pipeline.name}: {why}; it has no charts")
    beside = days_beside(pipeline, day)
    days = sorted({day, *beside.before, *beside.weekdays})
    found = at_once(partial(postgres, pipeline.target.connection), partial(_compared, pipeline=pipeline, days=days))
    return charts_page(pipeline, day, found, is_published=data.published_run_id(pipeline.name, day) is not None)


def _compared(connection: Connection, *, pipeline: Pipeline, days: list[date]) -> dict[str, ByDay]:
    return compared(connection, pipeline, days) if is_begun(connection) else {}
