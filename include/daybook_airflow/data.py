"""The data folder, as tasks, pages and callbacks of Airflow open it."""

import os

from daybook.storage.data_folder import DataFolder
from daybook.transports.data_place import data_at
from daybook_airflow.environment_connections import connection_words


def data_folder() -> DataFolder:
    """Return the folder that DAYBOOK_DATA names: on this machine, or in an object store by a connection of Airflow."""
    return data_at(os.environ["DAYBOOK_DATA"], connection_words)
