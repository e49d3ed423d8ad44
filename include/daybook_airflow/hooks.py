"""Connections by their ids in Airflow, opened by the providers' hooks, and used by Daybook directly."""

import ftplib
from typing import Any

from airflow.providers.ftp.hooks.ftp import FTPHook
from airflow.providers.postgres.hooks.postgres import PostgresHook

from daybook.ftp.connect import FtpServer


def postgres(connection_id: str) -> Any:
    """Open a PostgreSQL connection by its id."""
    return PostgresHook(connection_id).get_conn()


def ftp(connection_id: str) -> ftplib.FTP:
    """Open an FTP connection by its id: over TLS, unless its extra says `insecure`."""
    stored = FTPHook.get_connection(connection_id)
    login = {"user": stored.login or "anonymous", "password": stored.password or ""}
    return FtpServer(host=stored.host, port=stored.port or 21, **login, **stored.extra_dejson).open()
