"""The data folder, as tasks, pages and callbacks of Airflow open it."""

import os

from daybook.storage.data_folder import DataFolder
from daybook.transports.data_place import data_at
from daybook_airflow.environment_connections import connection_words


def data_folder() -> DataFolder:
    """Return the folder that DAYBOOK_DATA names: on this machine, or in an object store by a connection of Airflow."""
    return data_at(os.environ["DAYBOOK_DATA"], connection_words)


def data_for_now() -> DataFolder:
    """Return it for a page or a callback of the scheduler, which wait for no store that does not answer."""
    return data_at(os.environ["DAYBOOK_DATA"], connection_words, is_for_now=True)
