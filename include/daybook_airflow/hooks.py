"""Connections by their ids in Airflow, opened by the providers' hooks, and used by Daybook directly."""

import ftplib
import json
from typing import Any

from airflow.providers.ftp.hooks.ftp import FTPHook
from airflow.providers.postgres.hooks.postgres import PostgresHook

from daybook.ftp.connect import FtpServer
from daybook.postgres.session import LINE_LIMITS


def postgres(connection_id: str) -> Any:
    """Open a PostgreSQL connection by its id, with limits for a server that does not answer, unless it has its own."""
    hook = PostgresHook(connection_id)
    hook.connection.extra = json.dumps({**LINE_LIMITS, **hook.connection.extra_dejson})
    return hook.get_conn()


def ftp(connection_id: str) -> ftplib.FTP:
    """Open an FTP connection by its id: over TLS, unless its extra says `insecure`."""
    stored = FTPHook.get_connection(connection_id)
    login = {"user": stored.login or "anonymous", "password": stored.password or ""}
    return FtpServer(host=stored.host, port=stored.port or 21, **login, **stored.extra_dejson).open()
