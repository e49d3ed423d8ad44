"""What the plugin answers about the report of a day: the charts beside other days, and the published file.

Only the API server imports it, when it is asked.
"""

from datetime import date
from functools import partial

from daybook.ledger.queries import is_begun
from daybook.pages.report_page import days_beside, report_page
from daybook.planning.compared import ByDay, compared
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook_airflow.hooks import postgres


def report_answer(data: DataFolder, pipeline: Pipeline, day: date) -> bytes:
    """Return the page of a day's report. Raises DaybookError if the warehouse cannot be asked."""
    beside = days_beside(pipeline, day)
    days = sorted({day, *beside.before, *beside.weekdays})
    found = at_once(partial(postgres, pipeline.target.connection), partial(_compared, pipeline=pipeline, days=days))
    return report_page(pipeline, day, found, is_published=published_report(data, pipeline, day) is not None)


def published_report(data: DataFolder, pipeline: Pipeline, day: date) -> bytes | None:
    """Return the report that readers of a day see, or None."""
    run_id = data.published_run_id(pipeline.name, day)
    return None if run_id is None else data.published_files(pipeline.name, day, run_id).content("report.html")


def _compared(connection: Connection, *, pipeline: Pipeline, days: list[date]) -> dict[str, ByDay]:
    return compared(connection, pipeline, days) if is_begun(connection) else {}
