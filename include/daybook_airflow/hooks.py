"""Connections by their ids in Airflow, opened by the providers' hooks, and used by Daybook directly."""

import ftplib
import json
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseHook

from daybook.ftp.session import Line
from daybook.postgres.session import LINE_LIMITS
from daybook.transports.open import Stored, open_files


def postgres(connection_id: str) -> Any:
    """Open a PostgreSQL connection by its id, with limits for a server that does not answer, unless it has its own."""
    hook = PostgresHook(connection_id)
    hook.connection.extra = json.dumps({**LINE_LIMITS, **hook.connection.extra_dejson})
    return hook.get_conn()


def files(connection_id: str) -> ftplib.FTP | Line:
    """Open a connection to a server of files by its id; its type says over which protocol."""
    return open_files(stored(connection_id))


def stored(connection_id: str) -> Stored:
    """Return a connection by its id, as Airflow stores it. Raises Airflow's own error if there is none."""
    found = BaseHook.get_connection(connection_id)
    form = (found.host, found.port, found.login, found.password, found.extra_dejson, found.schema)
    return Stored(connection_id, found.conn_type or "", *form)
