"""Connections by their ids, for processes that are no tasks: from the environment, or from wherever Airflow keeps them.

Airflow also keeps them in its database and in a secrets backend. Its own command is asked, in a process of its own,
which takes three seconds: the REST API masks passwords, and what `airflow.sdk` finds outside of a task leaves the
database out. Its answer holds for five minutes, so that what goes on for days sees a password that was changed.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from daybook.errors import BadSpec
from daybook.text import one_line
from daybook_airflow.environment_connections import BACKEND, extra_of, variable_of, variable_words

HOLDS_SECONDS = 300
ANSWER_SECONDS = 60.0
# With these endings, too, Airflow reads a setting: from a command's answer, or from a secrets backend.
DATABASE = tuple(f"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN{ending}" for ending in ("", "_CMD", "_SECRET"))
PARTS = ("conn_type", "host", "schema", "login", "password")


class NoConnection(BadSpec):
    """No connection has this id. The message says where it was looked for."""


def names_an_airflow(variables: Mapping[str, str] = os.environ) -> bool:
    """Return whether an environment names an Airflow that may keep connections: its database, or a secrets backend."""
    return any(variables.get(name) for name in (BACKEND, *DATABASE))


def kept_words(connection_id: str) -> dict[str, Any]:
    """Return a connection's words: conn_type, host, port, schema, login, password and extra, a dict.

    As in a task, a secrets backend comes before the variables. Raises NoConnection.
    """
    if written := variable_words(connection_id, os.environ):
        return written
    variable = variable_of(connection_id)
    if not names_an_airflow():
        raise NoConnection(f"{variable} is not set")
    found = _asked(connection_id, int(time.monotonic() // HOLDS_SECONDS))
    if isinstance(found, str):
        raise NoConnection(f"{variable} is not set, and `airflow connections get {one_line(connection_id)}` {found}")
    return dict(found)


@lru_cache(maxsize=64)
def _asked(connection_id: str, period: int) -> dict[str, Any] | str:
    """Return what Airflow's command says of a connection, or why it says nothing. period: when it was asked."""
    command = [sys.executable, "-m", "airflow", "connections", "get", "--output", "json", "--", connection_id]
    plain = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    limits = {"NO_COLOR": "1", "PGCONNECT_TIMEOUT": "10"}
    try:
        done = subprocess.run(  # noqa: S603 - Airflow's own command
            command, env=plain | limits, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"does not answer in {ANSWER_SECONDS:.0f} s"
    # Airflow's own lines may stand before it.
    answers = [line for line in done.stdout.splitlines() if line.startswith("[{")]
    return _words(json.loads(answers[-1])[0]) if answers else _why_not(done)


def _words(answer: Mapping[str, Any]) -> dict[str, Any]:
    port = answer["port"]
    # Every value of its `extra_dejson` is a text, also a number; the address keeps what they are.
    extra = extra_of(urlsplit(answer["get_uri"]).query)
    return {**{part: answer[part] for part in PARTS}, "port": int(port) if port else None, "extra": extra}


def _why_not(done: subprocess.CompletedProcess[str]) -> str:
    if "Connection not found" in done.stdout + done.stderr:
        return "finds none in Airflow's secrets backends and database (nor if its database does not answer)"
    return f"fails: {one_line((done.stderr.strip().splitlines() or ['no message'])[-1])}"
