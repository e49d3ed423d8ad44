"""The data folder, as tasks and callbacks of Airflow open it."""

import os

from airflow.sdk import ObjectStoragePath

from daybook.storage.data_folder import DataFolder


def data_folder() -> DataFolder:
    """Return the folder that DAYBOOK_DATA names: on this machine, or in an object store by a connection of Airflow."""
    return DataFolder(ObjectStoragePath(os.environ["DAYBOOK_DATA"]))
