"""Turns: one writer per pipeline and day, and one row per step with its outcome, written as the day is given back.

A step holds the day's lock while it works, across scheduler, UI, backfill and command line: another run's step on the
same day waits for it. The lock belongs to a transaction that does nothing else until the step is over, and then writes
the step's row: so it ends with the process, however that ends, and holds behind a pooler too. A process that hangs is
overtaken after a while: the lock only saves work, the fence of publish/deploy.py keeps readers safe.

The ledger's tables are those of this release before a step begins: the first turn makes them so.

A task of several days holds those that are done for some seconds, and writes their rows together. It never waits for a
day while it holds others, so no two tasks wait for each other.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from types import TracebackType
from typing import Self

import psycopg

from daybook.environment import ledger_schema
from daybook.errors import SourceUnavailable
from daybook.ledger import runs
from daybook.ledger.migrate import newest
from daybook.ledger.step_rows import StepRow, Trying, write
from daybook.postgres.session import Connection, OpenPostgres, begin, limited, translated_errors, warehouse_settings

# A step takes seconds. If one holds the day for longer, it hangs, or has so much to do that we do not wait for it.
# Checked each time that the session's lock_timeout has passed.
PATIENCE_S = 60
# The holder's transaction takes the lock and then waits for the step's end, and no snapshot of it holds up a vacuum. So
# it may be idle for as long as the step works, and its last change of state is when it took the lock.
HOLDING = "set local idle_in_transaction_session_timeout = 0"
# One statement: every step begins with it.
TAKE = "select pg_advisory_xact_lock(hashtext(%s), %s), (select max(number) from migration)"
OVERTAKE = """
    select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and objsubid = 2 and granted and datname = current_database()
    and classid = hashtext(%s)::oid and objid = %s::int::oid and state_change < now() - make_interval(secs => %s)
"""
log = logging.getLogger(__name__)


class Turns:
    """The days that a task holds, in one transaction; when its block ends, all are given back."""

    def __init__(self, connect: OpenPostgres, hold_s: float = 0.0) -> None:
        """Hold nothing yet. hold_s: for how long days may be held together; 0 gives each back as its step ends."""
        self._connect, self._hold_s = connect, hold_s
        self._opened = ExitStack()
        self._session: Connection | None = None
        self._held_since = 0.0
        self._rows: list[StepRow] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.give_back()

    @contextmanager
    def of(self, trying: Trying) -> Iterator[Connection]:
        """Be the only writer of a pipeline's day until the block ends; yield the session that holds the lock.

        Its transaction is open, and only for `note`. Raises SourceUnavailable if the warehouse cannot be reached;
        BadSpec if a newer Daybook made the ledger's tables.
        """
        session = self._take(trying)
        try:
            yield session
        finally:
            if time.monotonic() - self._held_since >= self._hold_s:
                self.give_back()

    def note(self, row: StepRow) -> None:
        """Let a step's row be written when its day is given back."""
        self._rows.append(row)

    def give_back(self) -> None:
        """Write the rows of the days that are held, and let their locks go. Raises nothing of PostgreSQL's."""
        rows, session = self._rows, self._session
        self._rows, self._session = [], None
        if session is None:
            return
        try:
            with limited(session):
                write(session, rows)
                session.commit()
        except psycopg.Error as error:
            # The step's own outcome counts, not its log: we were overtaken, or the warehouse is down, full or a
            # standby. If the session is broken, the locks are gone already; it is not used again.
            named = "; ".join(f"{row.trying.pipeline} {row.trying.day}, {row.trying.step}" for row in rows)
            log.warning("%s: %s: not written into the ledger", type(error).__name__, named or "no step's row")
            session.close()
        finally:
            self._opened.close()

    def _take(self, trying: Trying) -> Connection:
        if self._session and not _is_free(self._session, trying):
            self.give_back()
        if self._session is None:
            with translated_errors("the warehouse"), ExitStack() as opened:
                session = opened.enter_context(self._connect())
                _lock(session, trying)
                self._session, self._opened, self._held_since = session, opened.pop_all(), time.monotonic()
        return self._session


def _is_free(session: Connection, trying: Trying) -> bool:
    """Take the day's lock beside those that are held, if nobody has it; return whether that is so."""
    try:
        with limited(session):
            taken = session.execute("select pg_try_advisory_xact_lock(hashtext(%s), %s)", _key(trying)).fetchone()
    except psycopg.Error:
        return False
    return taken == (True,)


def _lock(session: Connection, trying: Trying) -> None:
    while not _is_taken(session, trying):
        log.warning("%s %s: waits for another run's step on this day", trying.pipeline, trying.day)


def _is_taken(session: Connection, trying: Trying) -> bool:
    with limited(session):
        begin(session, f"{warehouse_settings()}; {HOLDING}")
        try:
            taken = session.execute(TAKE, _key(trying)).fetchone()
        except psycopg.errors.LockNotAvailable:
            session.rollback()
            _overtake(session, trying)
            return False
        except psycopg.errors.UndefinedTable:
            taken = None
        if taken and taken[1] == newest("ledger"):
            return True
        session.rollback()
        _prepare(session)
    return _is_taken(session, trying)


def _prepare(session: Connection) -> None:
    begin(session)
    runs.prepare(session)
    session.commit()


def _overtake(session: Connection, trying: Trying) -> None:
    begin(session)
    session.execute(OVERTAKE, [*_key(trying), PATIENCE_S])
    session.commit()


def _key(trying: Trying) -> list[object]:
    return [_lock_of(trying.pipeline), trying.day.toordinal()]


def _lock_of(pipeline: str) -> str:
    return f"{ledger_schema()}.write {pipeline}"


def check_none_at_work(connection: Connection, pipeline: str) -> None:
    """Raise SourceUnavailable if a step of a pipeline is at work on any day."""
    if days := days_at_work(connection, pipeline):
        named = ", ".join(map(str, days))
        raise SourceUnavailable(f"{pipeline}: a step is at work on {named}; nothing was changed; wait for its end")


def days_at_work(connection: Connection, pipeline: str) -> list[date]:
    """Return the days of which a step is at work now, on any machine."""
    rows = connection.execute(
        "select distinct objid::bigint from pg_locks where locktype = 'advisory' and objsubid = 2 and granted "
        "and database = (select oid from pg_database where datname = current_database()) "
        "and classid = hashtext(%s)::oid order by 1",
        [_lock_of(pipeline)],
    ).fetchall()
    return [date.fromordinal(ordinal) for (ordinal,) in rows]
