"""Tables of one moment for all days of a task: a table that is read whole is copied once, and shared.

A day's rows of the other tables are copied in the same snapshot, when the day's turn comes. So the transaction stays
open from one day to the next. If it ends before, as after an error or a long wait, the next day begins at a new moment,
with new copies of all tables: the tables of one day are always of one moment.
"""

from datetime import datetime
from functools import partial
from typing import NamedTuple

from psycopg.pq import TransactionStatus

from daybook.errors import NotYet, SourceUnavailable
from daybook.postgres.copy_tables import COPIES_S, SETTINGS, WHERE, Copied, Copying
from daybook.postgres.marks import LocalDay
from daybook.postgres.session import Connection, OpenPostgres, at_once, limited, translated_errors
from daybook.spec import Table
from daybook.storage.folder import Folder


class CopyOf(NamedTuple):
    """A table's copy: the folder that has it, and what was copied."""

    folder: Folder
    copied: Copied


class Copies(NamedTuple):
    """The copies of some tables, by source, and when their moment began."""

    of: dict[str, CopyOf]
    read_at: datetime


class SharedMoment:
    """A moment of a database, to which the tables of several days are copied one day after another."""

    def __init__(self, connect: OpenPostgres) -> None:
        """Remember how to connect; nothing is read yet. connect: opens a connection that stays open if it is needed."""
        self._connect = connect
        self._connection: Connection | None = None
        self._names: frozenset[str] = frozenset()
        self._shared: dict[str, CopyOf] = {}
        self._read_at: datetime | None = None

    def copy(self, tables: tuple[Table, ...], folder: Folder, on: LocalDay, now: datetime) -> Copies:
        """Return the copies of a day's tables; those that no other day has copied are copied into the folder.

        tables: of this database. now: an instant. Raises what `copy_tables` does.
        """
        missing = tuple(table for table in tables if table.name not in self._shared)
        if self._read_at is None or (missing and not self._goes_on(missing)):
            return self._begin(tables, folder, on, now)
        try:
            found = self._go_on(Copying(self._connect, missing, folder, on))
        except NotYet:
            raise
        except SourceUnavailable:
            return self._begin(tables, folder, on, now)
        return self._copies(tables, folder, found, self._read_at)

    def _goes_on(self, tables: tuple[Table, ...]) -> bool:
        """Return whether the transaction is open, and has locked these tables."""
        is_open = self._connection is not None and not self._connection.closed
        return is_open and _is_whole(self._connection) and self._names.issuperset(table.name for table in tables)

    def _begin(self, tables: tuple[Table, ...], folder: Folder, on: LocalDay, now: datetime) -> Copies:
        self._end()
        stays = any(_is_of_a_day(table) for table in tables)
        do = partial(self._keep, Copying(self._connect, tables, folder, on))
        found = at_once(self._connect, do, settings=SETTINGS, where=WHERE, limit_s=COPIES_S, commits=not stays)
        self._read_at, self._names = now, frozenset(table.name for table in tables)
        if not stays:
            self._connection = None
        return self._copies(tables, folder, found, now)

    def _keep(self, copying: Copying, connection: Connection) -> dict[str, Copied]:
        found = copying.at_a_new_moment(connection)
        self._connection = connection
        return found

    def _go_on(self, copying: Copying) -> dict[str, Copied]:
        if not copying.tables or self._connection is None:
            return {}
        with translated_errors(WHERE), limited(self._connection, COPIES_S):
            return copying.at_this_moment(self._connection)

    def _copies(self, tables: tuple[Table, ...], folder: Folder, found: dict[str, Copied], read_at: datetime) -> Copies:
        new = {name: CopyOf(folder, copied) for name, copied in found.items()}
        self._shared |= {
            table.name: new[table.name] for table in tables if table.name in new and not _is_of_a_day(table)
        }
        return Copies({table.name: new.get(table.name) or self._shared[table.name] for table in tables}, read_at)

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._shared, self._read_at = None, {}, None


def _is_of_a_day(table: Table) -> bool:
    """Return whether each day has its own copy: its rows, or whether they are there, depend on the day."""
    return bool(table.day or table.ready)


def _is_whole(connection: Connection | None) -> bool:
    return connection is not None and connection.info.transaction_status == TransactionStatus.INTRANS
