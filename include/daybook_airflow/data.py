"""The data folder, as tasks, pages and callbacks of Airflow open it."""

import os
from typing import Any

from daybook.storage.data_folder import DataFolder
from daybook.transports.data_place import data_at
from daybook_airflow.environment_connections import variable_of, words_of


def data_folder() -> DataFolder:
    """Return the folder that DAYBOOK_DATA names: on this machine, or in an object store by a connection of Airflow."""
    return data_at(os.environ["DAYBOOK_DATA"], _words)


def _words(connection_id: str) -> dict[str, Any]:
    """Return the words of a connection, from the environment or as Airflow finds it; it raises Airflow's own errors."""
    if written := os.environ.get(variable_of(connection_id)):
        return words_of(written)
    # Airflow's code is slow to import, and most data folders need no connection.
    from airflow.sdk import BaseHook

    found = BaseHook.get_connection(connection_id)
    names = ("conn_type", "host", "port", "schema", "login", "password")
    return {**{name: getattr(found, name) for name in names}, "extra": found.extra_dejson}
