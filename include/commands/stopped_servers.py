"""Ends the waiting of a command on a server that was stopped in the middle of a query.

PostgreSQL's own time limits are kept by the server, which is stopped; and the kernel goes on to take what is sent to
it. So every now and then another connection is opened, and if that gets no answer, the waiting ones are cut.
"""

import threading
import time
from functools import cache
from weakref import WeakKeyDictionary

import psycopg

from daybook.postgres.session import Connection, cut

SECONDS_BETWEEN_LOOKS = 15.0
TRIES = 2
_LOCK = threading.Lock()
_open: WeakKeyDictionary[Connection, str] = WeakKeyDictionary()


def watched(connection: Connection, dsn: str) -> Connection:
    """Return the connection, which is cut once its server does not answer. dsn: with a connect_timeout."""
    with _LOCK:
        _open[connection] = dsn
    _begin()
    return connection


@cache
def _begin() -> None:
    threading.Thread(target=_watch, name="daybook-stopped-servers", daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        with _LOCK:
            waiting = {connection: dsn for connection, dsn in _open.items() if not connection.closed}
        silent = {dsn for dsn in set(waiting.values()) if not any(_answers(dsn) for _ in range(TRIES))}
        for connection in (connection for connection, dsn in waiting.items() if dsn in silent):
            cut(connection)


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.errors.ConnectionTimeout:
        return False
    except psycopg.Error:
        return True
    return True
