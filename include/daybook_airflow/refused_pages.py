"""What the plugin answers about the refused rows of a day: the page, and the file to mend them in.

Only the API server imports it, when it is asked. It asks the ledger for the run, and reads the run's files.
"""

from datetime import date
from functools import partial

from daybook.ledger.raw_files import raw_sha256
from daybook.pages.refused_page import refused_page
from daybook.postgres.session import at_once
from daybook.refused.file import refused_csv
from daybook.refused.rows import LastRun, last_run, refused_rows
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook_airflow.hooks import postgres


def refused_answer(data: DataFolder, pipeline: Pipeline, day: date, *, shows_text: bool) -> bytes:
    """Return the page. shows_text: whether it is for somebody who may see what is in the rows.

    Raises BadSpec if no run has loaded the day, or its files are gone; another DaybookError if the ledger cannot be
    asked.
    """
    last = _last(data, pipeline, day)
    return refused_page(pipeline, day, last, refused_rows(last), shows_text=shows_text)


def refused_file(data: DataFolder, pipeline: Pipeline, day: date) -> bytes:
    """Return the rows as `./daybook refused --out` writes them. Raises as `refused_answer` does."""
    last = _last(data, pipeline, day)
    return refused_csv(refused_rows(last), raw_sha256(pipeline, last.receipts))


def _last(data: DataFolder, pipeline: Pipeline, day: date) -> LastRun:
    connect = partial(postgres, pipeline.target.connection)
    return at_once(connect, lambda connection: last_run(connection, data, pipeline, day))
