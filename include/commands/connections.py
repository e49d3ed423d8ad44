"""Connections for a person's commands, by their ids in Airflow: read from AIRFLOW_CONN_<ID>, as Airflow reads them.

`. .daybook/env` sets these variables, and so do docker compose and a verb that asks this checkout's servers. A
connection that is stored only in Airflow's database is not seen here: set its variable for the command.
"""

import ftplib
import os
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from commands.stopped_servers import watched
from daybook.errors import BadSpec
from daybook.ftp.session import Line
from daybook.postgres.session import LINE_LIMITS, Connection
from daybook.storage.data_folder import DataFolder
from daybook.transports.data_place import data_at
from daybook.transports.open import Stored, open_files
from daybook_airflow.environment_connections import variable_of, words_of

FILES_SECONDS = 20.0


def postgres(connection_id: str) -> Connection:
    """Open a PostgreSQL connection by its id. Raises BadSpec if it is not set."""
    return postgres_of(dsn(connection_id))


def postgres_of(dsn: str) -> Connection:
    """Open a PostgreSQL connection by libpq's connection string, with limits for a server that does not answer."""
    limits = {name: value for name, value in LINE_LIMITS.items() if name not in conninfo_to_dict(dsn)}
    limited = make_conninfo(dsn, **limits)
    return watched(psycopg.connect(limited), limited)


def dsn(connection_id: str) -> str:
    """Return a PostgreSQL connection as a connection string of libpq. Raises BadSpec if it is not set."""
    words = _words(connection_id)
    named = {"host": "host", "port": "port", "schema": "dbname", "login": "user", "password": "password"}
    known = {libpq: str(words[word]) for word, libpq in named.items() if words.get(word)}
    return make_conninfo("", **known, **words["extra"])


def warehouse_dsn(connection_id: str) -> str:
    """Return the warehouse's connection string from the environment: DAYBOOK_WAREHOUSE, or Airflow's connection."""
    variable = f"AIRFLOW_CONN_{connection_id.upper()}"
    if not (os.environ.get("DAYBOOK_WAREHOUSE") or os.environ.get(variable)):
        raise BadSpec(
            f"{connection_id}: neither DAYBOOK_WAREHOUSE nor {variable} is set; nothing was changed; run "
            "`. .daybook/env` first, or give DAYBOOK_WAREHOUSE=postgresql://user:password@host/database"
        )
    return os.environ.get("DAYBOOK_WAREHOUSE") or dsn(connection_id)


def files(connection_id: str, time_limit_s: float = FILES_SECONDS) -> ftplib.FTP | Line:
    """Open a connection to a server of files by its id; its type says over which protocol.

    Raises BadSpec if it is not set, or a word of it is refused.
    """
    words = _words(connection_id)
    address = (words.get("host"), int(words.get("port") or 0), words.get("login"), words.get("password"))
    stored = Stored(connection_id, words.get("conn_type") or "", *address, words["extra"], words.get("schema"))
    return open_files(stored, time_limit_s)


def data() -> DataFolder:
    """Return the data folder. Raises BadSpec if DAYBOOK_DATA is not set."""
    return data_of(_variable("DAYBOOK_DATA"))


def data_of(address: str) -> DataFolder:
    """Return the data folder of an address. Raises BadSpec if it is refused, or its connection is not set."""
    return data_at(address, _words)


def _words(connection_id: str) -> dict[str, Any]:
    return words_of(_variable(variable_of(connection_id)))


def _variable(name: str) -> str:
    if not os.environ.get(name):
        raise BadSpec(f"{name} is not set; nothing was done; run `. .daybook/env` first, or set it")
    return os.environ[name]
