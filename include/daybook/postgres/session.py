"""Sessions with PostgreSQL: limits on every wait, another try if that helps at once, errors by what to do next.

The caller's function opens the connection. The work is a function too, because it runs again from the start if a
deadlock or a cut connection ended it.

Everything that we set ends with its transaction, and no statement stays prepared: a pooler in transaction mode, such as
pgbouncer, gives the server's session to its next client after each.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg

from daybook.environment import ledger_schema
from daybook.errors import BadSpec, DaybookError, SourceUnavailable

Connection = psycopg.Connection[Any]
# Opens a connection, or lends one that is kept open, for the length of a block.
OpenPostgres = Callable[[], AbstractContextManager[Connection]]
Result = TypeVar("Result")

# A lock, a slow query, a stopped process or a silent line must not hold a task, or the day's lock, for ever. Without
# row_security PostgreSQL refuses a query from which a policy would hide rows, instead of hiding them (its manual,
# 20.11.1).
LIMITS = (
    "set local lock_timeout = '30s'; set local statement_timeout = '5min'; "
    "set local idle_in_transaction_session_timeout = '1min'; set local row_security = off"
)
# Given to libpq if a connection does not say otherwise: a server that is stopped, or a line that is cut, must not hold
# a task or a command for ever (its manual, 32.1.2).
LINE_LIMITS = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 10,
    "keepalives_interval": 10,
    "keepalives_count": 2,
}
SILENCE_S = 120.0
# These limits are kept by the server's process, which may itself be stopped or hang. So our side has one for
# the whole transaction, well above those of its few statements.
TRANSACTION_S = 900.0
TRIES = 3


def warehouse_settings() -> str:
    """Return the settings of a transaction in the warehouse: limits, and the ledger's schema for tables without one.

    The search path names only schemas that no other role may write to.
    """
    return f"{LIMITS}; set local search_path = pg_catalog, {ledger_schema()}, pg_temp"


def at_once(
    connect: OpenPostgres,
    do: Callable[[Connection], Result],
    *,
    settings: str | None = None,
    where: str = "the warehouse",
    limit_s: float = TRANSACTION_S,
    commits: bool = True,
) -> Result:
    """Do something in a session of its own; if another try helps at once, start again, up to three tries.

    connect: opens a connection. do: may run more than once, and must check by itself whether its work is done already:
    a commit whose answer was lost may have happened. settings: of the transaction, if not the warehouse's. limit_s:
    after that long a try is cut. commits: end the transaction; else `do` has taken the session over. Raises
    SourceUnavailable or BadSpec for PostgreSQL's errors.
    """
    with translated_errors(where):
        for _ in range(TRIES - 1):
            # A refused connection is not tried again at once: that is how accounts get locked.
            with connect() as connection:
                try:
                    return _in(connection, do, settings, limit_s, commits)
                except psycopg.Error as error:
                    if not _helps_at_once(error):
                        raise
                    # Nothing half done may be committed, and the next try gets another connection.
                    connection.close()
        with connect() as connection:
            return _in(connection, do, settings, limit_s, commits)


def _in(
    connection: Connection, do: Callable[[Connection], Result], settings: str | None, limit_s: float, commits: bool
) -> Result:
    with limited(connection, limit_s):
        begin(connection, settings)
        result = do(connection)
        if commits:
            connection.commit()
    return result


@contextmanager
def limited(connection: Connection, limit_s: float = TRANSACTION_S) -> Iterator[None]:
    """Cut a connection if the block does not end in time; its error is then psycopg.OperationalError, as of a cut line.

    Only this ends the waiting for a server's process that is stopped: its own limits stand still with it, and the
    kernel goes on to answer for it.
    """
    has_cut = threading.Event()

    def end() -> None:
        has_cut.set()
        cut(connection)

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except psycopg.Error as error:
        if not has_cut.is_set():
            raise
        raise psycopg.OperationalError(
            f"not done after {limit_s:g} s, and cut: the server's process is stopped or hangs ({_said(error)})"
        ) from None
    finally:
        timer.cancel()


def begin(connection: Connection, settings: str | None = None) -> None:
    """Begin a transaction with these settings, or the warehouse's, which end with it.

    The connection must not be in a transaction.
    """
    connection.autocommit = False
    # A prepared statement would outlive the transaction, in a session that is not ours any more.
    connection.prepare_threshold = None
    connection.execute((settings or warehouse_settings()).encode())


# ClientWrite: it waits for us to read, so it has sent data that never arrived. A query that is older than its
# statement_timeout is not at work: the process is stopped, or it would have been ended.
LONGEST_QUERY = "16min"
AT_WORK = """
    select state = 'active' and wait_event is distinct from 'ClientWrite'
        and query_start > clock_timestamp() - %s::interval
    from pg_stat_activity where pid = %s
"""


class Silence:
    """Cuts a connection on which nothing has arrived for too long: the server may be gone without a word.

    Neither keepalives nor tcp_user_timeout notice a proxy that is alive and forwards nothing. A query still at work,
    such as a long sort, is not silence: a second connection asks the server.
    """

    def __init__(self, connection: Connection, connect: OpenPostgres, limit_s: float = SILENCE_S) -> None:
        self._connection, self._connect, self._limit_s = connection, connect, limit_s
        self._heard_at, self._is_over = time.monotonic(), threading.Event()
        self._has_cut, self._pid = False, 0
        self._thread = threading.Thread(target=self._watch, name="daybook-silence", daemon=True)

    def heard(self) -> None:
        """Note that something arrived."""
        self._heard_at = time.monotonic()

    def watch(self, pid: int) -> None:
        """Ask about this process of the server. The connection itself may only know a pooler's number for it."""
        self._pid = pid

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()
        if self._has_cut and isinstance(error, psycopg.Error):
            raise SourceUnavailable(
                f"the source database: no data for {self._limit_s:g} s, and its query is not at work; "
                "the connection was cut, nothing was kept of it"
            ) from None

    def _watch(self) -> None:
        while not self._is_over.wait(self._left_s()):
            if self._left_s() > 0 or self._is_at_work():
                continue
            if not self._is_over.is_set():
                self._has_cut = True
                cut(self._connection)
            return

    def _left_s(self) -> float:
        return max(0.0, self._heard_at + self._limit_s - time.monotonic())

    def _is_at_work(self) -> bool:
        try:
            with self._connect() as other:
                row = other.execute(AT_WORK, [LONGEST_QUERY, self._pid]).fetchone()
        except psycopg.Error:
            return False
        if row and row[0]:
            self.heard()
        return bool(row and row[0])


def cut(connection: Connection) -> None:
    """Cut a connection that somebody else waits on, who then gets an error."""
    with contextlib.suppress(psycopg.Error, OSError):
        connection.cancel_safe(timeout=5)
    # Shut the socket down, and a reader sees its end at once; closing it would free a descriptor in use.
    with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _helps_at_once(error: psycopg.Error) -> bool:
    # Serialization failure, deadlock; a row that another session has just written, which the next try sees; or a cut
    # line, after which the server may have done the work or not.
    return error.sqlstate in ("40001", "40P01", "23505") or _is_cut(error)


def _is_cut(error: psycopg.Error) -> bool:
    ended_by_server = error.sqlstate in ("57P01", "57P02", "25P03")
    return ended_by_server or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None)


@contextmanager
def translated_errors(where: str) -> Iterator[None]:
    """Translate PostgreSQL's errors into ours, by what to do next (its manual, appendix A: classes of SQLSTATE)."""
    try:
        yield
    except psycopg.Error as error:
        raise _by_what_to_do(where, error) from None


# Phrases in a server's refusal of a login: such an error comes without an SQLSTATE.
REFUSED_LOGINS = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "is not permitted to log in",
    "permission denied for database",
    "certificate verify failed",
    "signature failure",
    "server certificate for",
    "does not support SSL",
)
TRANSIENT = ("08", "25", "40", "53", "55", "57", "58")
REFUSALS = ("28", "2B", "3D", "3F", "42")


def _by_what_to_do(where: str, error: psycopg.Error) -> Exception:
    state = error.sqlstate or ""
    what = f"{type(error).__name__}{f' {state}' if state else ''}"
    if state[:2] in ("22", "23"):
        return DaybookError(f"{where}: {what}{_place(error)}; nothing was changed; a bug: the rows had been checked")
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return SourceUnavailable(
            f"{where}: it takes the connection and does not answer (connect_timeout); nothing was kept of it; its "
            "process is stopped or hangs, or the line is cut: start it again, or mend the line"
        )
    said = f"{where}: {what}: {_said(error)}"
    if _is_by_policy(error):
        return BadSpec(f"{said}; nothing was read; not tried again; {_SEES_ALL}")
    if state[:2] in REFUSALS or (not state and any(words in str(error) for words in REFUSED_LOGINS)):
        return BadSpec(f"{said}; nothing was changed; not tried again; mend the connection, the rights or the spec")
    if isinstance(error, psycopg.OperationalError) or state[:2] in TRANSIENT:
        return SourceUnavailable(f"{said}; nothing was kept of it{_hint(state)}")
    return error


_SEES_ALL = (
    "row level security hides rows from this role, which would be missing without a word; give the role BYPASSRLS, "
    "or let it read a view whose owner has that right or owns the table"
)


def _is_by_policy(error: psycopg.Error) -> bool:
    # By the server's function, which no language of its messages changes; a refused INSERT has another.
    return error.sqlstate == "42501" and error.diag.source_function == "check_enable_rls"


def _said(error: psycopg.Error) -> str:
    # The first line only: the lines after it can hold values of a row.
    return error.diag.message_primary or str(error).strip().splitlines()[0]


def _place(error: psycopg.Error) -> str:
    # Only the place: PostgreSQL's own message quotes the value.
    named = (error.diag.schema_name, error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
    return f" in {'.'.join(filter(None, named))}" if any(named) else ""


def _hint(state: str) -> str:
    hints = {
        "53100": "; readers still see what was published before; make room on the server's disk",
        "53300": "; give the pool of this connection fewer slots, or the server more connections",
        "57014": "; if it is stopped again, look at the query's plan",
        "25006": "; the server is a standby: if it stays so, mend the connection's host",
    }
    return hints.get(state, "")
