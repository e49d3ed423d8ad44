"""Exports: a day's published files, and its rows, go to other places, after readers see them.

The debt is written with the pointer, in one transaction, so no crash forgets it; it is paid here, by the day's
`deploy`, by those of later runs, or by `./daybook export`. Whatever goes wrong is noted and tried again: the day stays
published.
"""

import hashlib
import logging
import posixpath
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

from daybook.environment import environment
from daybook.errors import BadSpec, DaybookError
from daybook.ftp.send import Outgoing, send
from daybook.ledger import exports
from daybook.ledger.exports import Forgotten, Owed, in_words
from daybook.postgres.session import Connection, OpenPostgres, at_once, warehouse_settings
from daybook.publish.further_target import follow
from daybook.spec import Export, Pipeline, Target
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
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
        run_id = exports.seen_run(connection, name, day)
        if run_id != owed.run_id:
            exports.settle(connection, name, owed)
            return "readers see another run by now"
        export = next(export for export in self.pipeline.exports if export.name == owed.export)
        files = list(self._outgoing(export, day, run_id))
        sent = {file.path: file.hash for file in files}
        before = next((one for one in exports.last_sent(connection, name, day) if one.export == export.name), None)
        is_there = before and (before.connection, before.files) == (export.connection, sent)
        if before and is_there and not owed.is_asked:
            exports.settle(connection, name, owed)
            return f"the same files are there since {before.exported_at:%Y-%m-%d %H:%M:%S %Z}"
        marker = files[-1].path if export.marker else None
        connect, outgoing = partial(self.files, export.connection), [file.outgoing for file in files]
        send(connect, export.connection, outgoing, removed=marker)
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

    def _outgoing(self, export: Export, day: date, run_id: int) -> Iterator["_File"]:
        folder = self.data.published_files(self.pipeline.name, day, run_id)
        names = tuple(summary.name for summary in self.pipeline.summaries if not summary.every)
        files = [_of_folder(folder, file, _here(path)) for file, path in export.files_on(day, names)]
        yield from files
        if marker := export.marker_on(day):
            yield _marker(_here(marker), files)

    def _note_failed(self, owed: Owed, error: Exception) -> None:
        # A foreign error's message may quote a value of a row; its traceback is in the log.
        is_ours = isinstance(error, DaybookError)
        why = str(error) if is_ours else f"{type(error).__name__}, see the log of the task"
        log.warning(
            *("%s %s: %s failed: %s", self.pipeline.name, owed.day, in_words(owed.export), why), exc_info=not is_ours
        )
        at_once(self.warehouse, lambda session: exports.note_failed(session, self.pipeline.name, owed, why))

    def why_not(self, owed: Owed) -> str:
        """Return why a debt is still owed, in a sentence."""
        why = next((debt.error for debt in self.owed() if (debt.day, debt.export) == (owed.day, owed.export)), "")
        return f"owed: {why}; the next run tries again, and so does ./daybook export"


class _File(NamedTuple):
    outgoing: Outgoing
    sha256: str

    @property
    def path(self) -> str:
        return self.outgoing.path

    @property
    def hash(self) -> dict[str, str | int]:
        return {"sha256": self.sha256, "size_bytes": self.outgoing.size_bytes}


def _here(path: str) -> str:
    """Return a path as it is in this environment: those of production and of another one never meet."""
    above = "/" if path.startswith("/") else ""
    return f"{above}environment_{environment()}/{path.lstrip('/')}" if environment() else path


def _of_folder(folder: Folder, file: str, path: str) -> _File:
    if not folder.has(file):
        raise BadSpec(
            f"{path}: the published file {file} is not in {folder.path}; nothing was sent; if files were lost, "
            "./daybook restore writes them again; if its summary is new, run the day again"
        )
    written = folder.written(file)
    return _File(Outgoing(path, written.size_bytes, partial(folder.open, file)), written.sha256)


def _marker(path: str, files: list[_File]) -> _File:
    """Return the marker: what sha256sum writes of the files, with their paths as seen from its folder."""
    above = posixpath.dirname(path) or "."
    lines = (f"{file.sha256}  {posixpath.relpath(file.path, above)}\n" for file in files)
    content = "".join(lines).encode()
    return _File(Outgoing(path, len(content), partial(BytesIO, content)), hashlib.sha256(content).hexdigest())


def ask_again(connection: Connection, pipeline: Pipeline, days: Iterable[date]) -> list[date]:
    """Note that all exports of days have to be done whatever was sent before; return the days that are published."""
    done = []
    for day in days:
        if run_id := exports.seen_run(connection, pipeline.name, day):
            exports.owe(connection, pipeline, day, run_id, is_asked=True)
            done.append(day)
    return done
