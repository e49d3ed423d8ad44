"""Connections for a person's commands, by their ids in Airflow: from AIRFLOW_CONN_<ID>, or from where Airflow has them.

`. .daybook/env` sets these variables, and so do docker compose and a verb that asks this checkout's servers.
"""

import ftplib
import os
from collections.abc import Mapping
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
from daybook_airflow.kept_connections import NoConnection, kept_words

FILES_SECONDS = 20.0
HOW_TO_SET = "nothing was done; run `. .daybook/env` first, or set it"


def postgres(connection_id: str) -> Connection:
    """Open a PostgreSQL connection by its id. Raises BadSpec if there is none."""
    return postgres_of(dsn(connection_id))


def postgres_of(dsn: str) -> Connection:
    """Open a PostgreSQL connection by libpq's connection string, with limits for a server that does not answer."""
    limits = {name: value for name, value in LINE_LIMITS.items() if name not in conninfo_to_dict(dsn)}
    limited = make_conninfo(dsn, **limits)
    return watched(psycopg.connect(limited), limited)


def dsn(connection_id: str) -> str:
    """Return a PostgreSQL connection as a connection string of libpq. Raises BadSpec if there is none."""
    return _dsn(_words(connection_id))


def _dsn(words: Mapping[str, Any]) -> str:
    named = {"host": "host", "port": "port", "schema": "dbname", "login": "user", "password": "password"}
    known = {libpq: str(words[word]) for word, libpq in named.items() if words.get(word)}
    return make_conninfo("", **known, **words["extra"])


def warehouse_dsn(connection_id: str) -> str:
    """Return the warehouse's connection string: DAYBOOK_WAREHOUSE, or Airflow's connection. Raises BadSpec."""
    if stated := os.environ.get("DAYBOOK_WAREHOUSE"):
        return stated
    try:
        return _dsn(kept_words(connection_id))
    except NoConnection as error:
        raise BadSpec(
            f"{connection_id}: DAYBOOK_WAREHOUSE is not set; {error}; nothing was changed; run `. .daybook/env` first, "
            "or give DAYBOOK_WAREHOUSE=postgresql://user:password@host/database"
        ) from None


def files(connection_id: str, time_limit_s: float = FILES_SECONDS) -> ftplib.FTP | Line:
    """Open a connection to a server of files by its id; its type says over which protocol.

    Raises BadSpec if there is none, or a word of it is refused.
    """
    words = _words(connection_id)
    address = (words.get("host"), int(words.get("port") or 0), words.get("login"), words.get("password"))
    stored = Stored(connection_id, words.get("conn_type") or "", *address, words["extra"], words.get("schema"))
    return open_files(stored, time_limit_s)


def data() -> DataFolder:
    """Return the data folder. Raises BadSpec if DAYBOOK_DATA is not set."""
    if not os.environ.get("DAYBOOK_DATA"):
        raise BadSpec(f"DAYBOOK_DATA is not set; {HOW_TO_SET}")
    return data_of(os.environ["DAYBOOK_DATA"])


def data_of(address: str) -> DataFolder:
    """Return the data folder of an address. Raises BadSpec if it is refused, or its connection is not set."""
    return data_at(address, _words)


def check_known(connection_id: str) -> None:
    """Raise NoConnection if no connection has this id."""
    kept_words(connection_id)


def _words(connection_id: str) -> dict[str, Any]:
    try:
        return kept_words(connection_id)
    except NoConnection as error:
        raise BadSpec(f"{error}; {HOW_TO_SET}") from None
