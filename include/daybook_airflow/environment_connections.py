"""Connections of Airflow that stand in the environment: AIRFLOW_CONN_<ID>, as JSON or as an address.

They are read as Airflow reads them, without Airflow, which takes a second to be imported.
"""

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


def variable_of(connection_id: str) -> str:
    """Return the name of a connection's variable."""
    return f"AIRFLOW_CONN_{connection_id.upper()}"


def words_of(written: str) -> dict[str, Any]:
    """Return the words of a connection: conn_type, host, port, schema, login, password and extra, a dict."""
    words = json.loads(written) if written.startswith("{") else _of_uri(written)
    extra = words.get("extra") or {}
    return {**words, "extra": json.loads(extra) if isinstance(extra, str) else extra}


def connection_words(connection_id: str, variables: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the words of a connection, from the environment or from wherever Airflow keeps it.

    Raises Airflow's own errors if it is nowhere.
    """
    if written := variables.get(variable_of(connection_id)):
        return words_of(written)
    from airflow.sdk import BaseHook

    found = BaseHook.get_connection(connection_id)
    names = ("conn_type", "host", "port", "schema", "login", "password")
    return {**{name: getattr(found, name) for name in names}, "extra": found.extra_dejson}


def _of_uri(written: str) -> dict[str, Any]:
    parts = urlsplit(written)
    named = {"login": parts.username, "password": parts.password}
    plain = {name: unquote(value) for name, value in named.items() if value is not None}
    # As Airflow reads it: a type's name has an underscore if an address may have none.
    plain["conn_type"] = parts.scheme.replace("-", "_")
    place = {"host": parts.hostname, "port": parts.port, "schema": parts.path.strip("/")}
    return {**plain, **place, "extra": dict(parse_qsl(parts.query))}
