"""Exports: a day's published files, and its rows, go to other places, after readers see them.

The debt is written with the pointer, in one transaction, so no crash forgets it; it is paid here, by the day's
`deploy`, by those of later runs, or by `./daybook export`. Whatever goes wrong is noted and tried again: the day stays
published.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from daybook.errors import NOT_KEPT, DaybookError
from daybook.ftp.send import send
from daybook.ledger import exports
from daybook.ledger.exports import Forgotten, Owed, in_words
from daybook.postgres.session import Connection, OpenPostgres, at_once, warehouse_settings
from daybook.publish import finished_periods, outgoing
from daybook.publish.finished_periods import place_of
from daybook.publish.further_target import follow
from daybook.spec import Export, Pipeline, Target
from daybook.storage.data_folder import DataFolder
from daybook.text import counted

log = logging.getLogger(__name__)

# The turn belongs to a transaction that is idle while files are sent: a process that hangs loses it then. A task has
# less time.
SENDING = "set local idle_in_transaction_session_timeout = '2h'"
LIMIT_S = 7200.0
# One deployment pays only so many debts of other days; the rest is paid next time.
PAID_AT_ONCE = 20


class Exporter(NamedTuple):
    """What exports of a pipeline, and its further targets, need: the warehouse, the published files, and connections
    by their ids. files, postgres: open a connection to a server of files, or to a database, by its id."""

    pipeline: Pipeline
    data: DataFolder
    warehouse: OpenPostgres
    files: Callable[[str], AbstractContextManager[Any]]
    postgres: Callable[[str], AbstractContextManager[Connection]]

    def pay_day(self, day: date) -> dict[str, str]:
        """Do what is owed of a day, then of others by each export that does not fail; return what became of the day's,
        and what was let go.

        Raises nothing.
        """
        try:
            gone = {one.export: f"let go: {one}" for one in self.let_go()}
            owed = self.owed() if self.pipeline.exports or self.pipeline.also else []
            done = {debt: self.pay(debt) for debt in owed if debt.day == day}
            failed = {debt.export for debt, what in done.items() if not what}
            # One that fails each time must not stand before all others.
            others = sorted((debt for debt in owed if debt.day != day), key=lambda debt: debt.tries)
            for debt in others[:PAID_AT_ONCE]:
                if debt.export not in failed and not self.pay(debt):
                    failed.add(debt.export)
            return gone | {debt.export: what or self.why_not(debt) for debt, what in done.items()}
        except Exception as error:
            # The day is published: whatever went wrong here is still owed, and must not fail the task.
            log.warning("%s %s: not exported, tried again later: %s", self.pipeline.name, day, type(error).__name__)
            return {}

    def owed(self) -> list[Owed]:
        """Return what is owed by the exports that the spec has."""
        return at_once(self.warehouse, lambda session: exports.owed_of(session, self.pipeline))

    def let_go(self) -> list[Forgotten]:
        """Forget what is owed by exports and further targets that the spec has no more; return it."""
        gone = at_once(self.warehouse, lambda session: exports.let_go(session, self.pipeline))
        for one in gone:
            log.info("%s: %s: let go", self.pipeline.name, one)
        return gone

    def pay(self, owed: Owed) -> str:
        """Do one export; return what was done, or "" if it failed, which is noted."""
        try:
            do = partial(self._paid, owed=owed)
            settings = f"{warehouse_settings()}; {SENDING}"
            what = at_once(self.warehouse, do, settings=settings, limit_s=LIMIT_S)
        except Exception as error:
            self._note_failed(owed, error)
            return ""
        log.info("%s %s: %s: %s", self.pipeline.name, owed.day, in_words(owed.export), what)
        return what

    def _paid(self, connection: Connection, owed: Owed) -> str:
        name, day = self.pipeline.name, owed.day
        if not exports.has_turn(connection, name, day):
            return "another process is at it"
        if target := next((one for one in self.pipeline.also if str(one) == owed.export), None):
            return self._followed(connection, owed, target)
        files = self._to_send(connection, owed)
        if files is None:
            exports.settle(connection, name, owed)
            return "readers see another run by now"
        return self._sent(connection, owed, files)

    def _to_send(self, connection: Connection, owed: Owed) -> list[outgoing.File] | None:
        """Return the files of a debt; None if readers do not see them any more."""
        _, of_period, roll_up = owed.export.partition("/")
        export, pipeline = self._export(owed), self.pipeline
        if not of_period:
            is_seen = exports.seen_run(connection, pipeline.name, owed.day) == owed.run_id
            return outgoing.of_day(self.data, pipeline, export, owed.day, owed.run_id) if is_seen else None
        noted = finished_periods.noted(connection).get(pipeline.name, {}).get((roll_up, owed.day))
        if noted is None:
            return None
        place = self.data.published(pipeline.name) / roll_up / place_of(owed.day, noted.state)
        return outgoing.of_period(place, export, owed.day, roll_up)

    def _export(self, owed: Owed) -> Export:
        name = owed.export.partition("/")[0]
        return next(export for export in self.pipeline.exports if export.name == name)

    def _sent(self, connection: Connection, owed: Owed, files: list[outgoing.File]) -> str:
        name, export = self.pipeline.name, self._export(owed)
        sent = {file.path: file.hash for file in files}
        before = next((one for one in exports.last_sent(connection, name, owed.day) if one.export == owed.export), None)
        is_there = before and (before.connection, before.files) == (export.connection, sent)
        if before and is_there and not owed.is_asked:
            exports.settle(connection, name, owed)
            return f"the same files are there since {before.exported_at:%Y-%m-%d %H:%M:%S %Z}"
        connect, to_send = partial(self.files, export.connection), [file.outgoing for file in files]
        # Before a file of the day is replaced, what marks them as whole is removed.
        marker = next((file.path for file in files if file.is_marker), None)
        send(connect, export.connection, to_send, removed=marker)
        exports.note_sent(connection, name, owed, export.connection, sent)
        exports.settle(connection, name, owed)
        return f"{counted(len(files), 'file')} sent to {export.connection}"

    def _followed(self, connection: Connection, owed: Owed, target: Target) -> str:
        connect = partial(self.postgres, target.connection)
        followed = follow(connection, connect, self.pipeline, target, owed.day, is_asked=owed.is_asked)
        name, done = self.pipeline.name, owed._replace(run_id=followed.run_id or owed.run_id)
        noted = [(one.export, one.run_id, one.files) for one in exports.last_sent(connection, name, owed.day)]
        is_noted = (owed.export, done.run_id, followed.rows) in noted and not owed.is_asked
        # If a process was ended after the commit there, the day is as it should be, and nobody has noted it.
        if followed.rows is not None and not is_noted:
            exports.note_sent(connection, name, done, target.connection, followed.rows)
        exports.settle(connection, self.pipeline.name, owed)
        return followed.told

    def _note_failed(self, owed: Owed, error: Exception) -> None:
        # A foreign error's message may quote a value of a row; its traceback is in the log.
        is_ours = isinstance(error, DaybookError)
        why = str(error) if is_ours else f"{type(error).__name__}, {NOT_KEPT}"
        log.warning(
            *("%s %s: %s failed: %s", self.pipeline.name, owed.day, in_words(owed.export), why), exc_info=not is_ours
        )
        at_once(self.warehouse, lambda session: exports.note_failed(session, self.pipeline.name, owed, why))

    def why_not(self, owed: Owed) -> str:
        """Return why a debt is still owed, in a sentence."""
        why = next((debt.error for debt in self.owed() if (debt.day, debt.export) == (owed.day, owed.export)), "")
        return f"owed: {why}; the next run tries again, and so does ./daybook export"


def ask_again(connection: Connection, pipeline: Pipeline, days: Iterable[date]) -> list[date]:
    """Note that all exports of days, and of finished periods that these are in, have to be done whatever was sent
    before; return the days that are published."""
    done = []
    for day in days:
        if run_id := exports.seen_run(connection, pipeline.name, day):
            exports.owe(connection, pipeline, day, run_id, is_asked=True)
            done.append(day)
    for roll_up, first in finished_periods.with_days(connection, pipeline, done):
        exports.owe_period(connection, pipeline, roll_up, first, is_asked=True)
    return done
