"""Connections of Airflow that stand in the environment: AIRFLOW_CONN_<ID>, as JSON or as an address.

They are read as Airflow reads them, without Airflow, which takes a second to be imported.
"""

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# Airflow's own addresses have this if an extra is more than texts.
WHOLE = "__extra__"
BACKEND = "AIRFLOW__SECRETS__BACKEND"


def variable_of(connection_id: str) -> str:
    """Return the name of a connection's variable."""
    return f"AIRFLOW_CONN_{connection_id.upper()}"


def words_of(written: str) -> dict[str, Any]:
    """Return the words of a connection: conn_type, host, port, schema, login, password and extra, a dict."""
    words = json.loads(written) if written.startswith("{") else _of_uri(written)
    extra = words.get("extra") or {}
    return {**words, "extra": json.loads(extra) if isinstance(extra, str) else extra}


def connection_words(connection_id: str, variables: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the words of a connection, for Airflow's own processes: from the environment, or where Airflow has it.

    Raises Airflow's own errors if it is nowhere.
    """
    if written := variable_words(connection_id, variables):
        return written
    from airflow.sdk import BaseHook

    found = BaseHook.get_connection(connection_id)
    names = ("conn_type", "host", "port", "schema", "login", "password")
    return {**{name: getattr(found, name) for name in names}, "extra": found.extra_dejson}


def variable_words(connection_id: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the words of a connection's variable; {} if there is none, or a secrets backend comes before it."""
    written = variables.get(variable_of(connection_id))
    return words_of(written) if written and not variables.get(BACKEND) else {}


def extra_of(query: str) -> dict[str, Any]:
    """Return what the query of a connection's address says: its values as texts, unless the whole is JSON."""
    named = dict(parse_qsl(query, keep_blank_values=True))
    extra: dict[str, Any] = json.loads(named[WHOLE]) if WHOLE in named else named
    return extra


def _of_uri(written: str) -> dict[str, Any]:
    scheme, _, rest = written.partition("://")
    # `http://https://host`: the first names the type, the second belongs to the host.
    protocol, has_protocol, place = rest.partition("://") if "://" in rest.partition("?")[0] else ("", "", rest)
    parts = urlsplit(f"//{place}")
    named = {"login": parts.username, "password": parts.password}
    plain = {name: unquote(value) for name, value in named.items() if value is not None}
    # As Airflow reads it: a type's name has an underscore if an address may have none.
    plain["conn_type"] = {"postgresql": "postgres"}.get(scheme, scheme.replace("-", "_"))
    host = unquote(parts.hostname) if parts.hostname else parts.hostname
    at = {"host": host and f"{protocol}{has_protocol}{host}", "port": parts.port, "schema": unquote(parts.path[1:])}
    return {**plain, **at, "extra": extra_of(parts.query)}
