"""The files that senders deliver: the folder is listed, and the last day's file is tried against the spec.

Called by servers.py for each connection that answers. It copies a file to this machine's disk for as long as it looks.
"""

import posixpath
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from commands import connections
from commands.check_steps import DayMeant, Given, Stepped, after_load, loaded
from commands.checks import clocks
from commands.checks.finding import Finding
from daybook.days import last_finished_day, scheduled_days
from daybook.errors import DaybookError
from daybook.ftp.fetch import fetch_delivery
from daybook.ftp.look import Looked, look
from daybook.ftp.ready import cut_off
from daybook.ftp.retry import BRIEF
from daybook.ftp.session import Session, session
from daybook.spec import File, Pipeline
from daybook.storage.folder import Folder
from daybook.text import counted, one_line, portion

SECONDS = 10.0
DAYS_BACK = timedelta(days=31)
DAYS_TRIED = 7
MOST_BYTES = 64 * 2**20
ASK = "ask the sender, or mend the path in the spec"


class Delivered(NamedTuple):
    """What is seen of a file: names is how many its folder lists; the last day; a look at it, and at the newest that
    is there, each with its day."""

    names: int
    due: tuple[date, Looked]
    newest: tuple[date, Looked] | None


def of_deliveries(connection: str, pipelines: list[Pipeline]) -> Iterator[Finding]:
    """Look for the newest file of each source, and try it."""
    for pipeline in pipelines:
        for file in (file for file in pipeline.files if file.connection == connection):
            try:
                yield from _of_file(pipeline, file)
            except DaybookError as error:
                yield Finding("files", "mend", f"{pipeline.name}.{file.name}: {error}", "mend what this says")


def _of_file(pipeline: Pipeline, file: File) -> Iterator[Finding]:
    days = _last_days(pipeline, file)
    if not days:
        yield Finding("files", "well", f"{pipeline.name}.{file.name}: no file was due yet")
        return
    with session(partial(connections.files, file.connection, SECONDS), file.connection, SECONDS) as ftp:
        found = _delivered(ftp, file, days)
    yield _listed(pipeline, file, found)
    yield _arrived(pipeline, file, found)
    if found.newest:
        yield from _clock(file, found.newest[1])
        yield _tried(pipeline, *found.newest)


def _last_days(pipeline: Pipeline, file: File) -> list[date]:
    """Return the last days whose file was due, newest first."""
    over = last_finished_day(pipeline.schedule.time_zone, clocks.now())
    last = min(over, pipeline.schedule.end or over)
    days = [pipeline.delivered_on(file, day) for day in scheduled_days(pipeline.schedule, last - DAYS_BACK, last)]
    return sorted({day for day in days if day}, reverse=True)[:DAYS_TRIED]


def _delivered(ftp: Session, file: File, days: list[date]) -> Delivered:
    names = sum(1 for _ in ftp.names(posixpath.dirname(file.path_on(days[0]))))
    due = days[0], look(ftp, file, days[0])
    looks = (due, *((day, look(ftp, file, day)) for day in days[1:])) if not _is_there(due[1]) else (due,)
    return Delivered(names, due, next((one for one in looks if _is_there(one[1])), None))


def _is_there(looked: Looked) -> bool:
    return bool(looked.seen) and all(seen.remote and not seen.missing_sign for seen in looked.seen)


def _listed(pipeline: Pipeline, file: File, found: Delivered) -> Finding:
    folder = posixpath.dirname(file.path_on(found.due[0])) or "its first folder"
    where = f"{pipeline.name}.{file.name}: {file.connection}, {folder}"
    if found.names:
        return Finding("files", "well", f"{where}: {counted(found.names, 'file')} listed")
    if found.newest and not (file.pick or file.ignore_case):
        return Finding("files", "well", f"{where}: not listed, but its files are given by their names")
    mend = "mend the path in the spec, or let the login list the folder"
    return Finding("files", "mend", f"{where}: no file is listed", mend)


def _arrived(pipeline: Pipeline, file: File, found: Delivered) -> Finding:
    day, looked = found.due
    where = f"{pipeline.name}.{file.name}: the file of {day}"
    missing = next((seen for seen in looked.seen if not seen.remote or seen.missing_sign), None)
    if looked.problem:
        return Finding("files", "mend", f"{where}: {looked.problem}", ASK)
    if missing is None:
        return Finding("files", "well", f"{where} is there")
    until = cut_off(file, day, pipeline.schedule.time_zone)
    what = f"{where}, {missing.part.path}, is {missing.missing_sign or 'not there'}{missing.beside}"
    if clocks.now() < until:
        return Finding("files", "well", f"{what} yet; its cut-off is {until}")
    newest = f"the newest is of {found.newest[0]}" if found.newest else "nor is one of the days before it"
    return Finding("files", "mend", f"{what}, and its cut-off was {until}; {newest}", ASK)


def _clock(file: File, looked: Looked) -> Iterator[Finding]:
    for seen in looked.seen[:1]:
        if seen.remote:
            yield from clocks.clock_of_files(file.connection, seen.part.path, seen.remote)


def _tried(pipeline: Pipeline, day: date, looked: Looked) -> Finding:
    file, where = looked.delivery.file, f"{pipeline.name}.{looked.delivery.file.name}: the file of {day}"
    if sum(seen.remote.size_bytes or 0 for seen in looked.seen if seen.remote) > MOST_BYTES:
        return Finding("sample", "well", f"{where} is too large to be tried here; `./daybook check` tries a copy of it")
    with TemporaryDirectory(prefix="daybook-") as folder:
        copied = fetch_delivery(
            partial(connections.files, file.connection, SECONDS), looked.delivery, Folder(folder), BRIEF
        )
        paths = [Path(folder) / f"{one.part.stem}.csv" for one in copied]
        steps = [(given, _stepped(pipeline, given, day)) for given in (loaded(path, file) for path in paths)]
    return _verdict(pipeline, file, where, steps)


def _stepped(pipeline: Pipeline, given: Given, day: date) -> Stepped:
    return after_load(pipeline, given, {}, DayMeant(day, "the day of its name"))


def _verdict(pipeline: Pipeline, file: File, where: str, steps: list[tuple[Given, Stepped]]) -> Finding:
    refused = sum(len(stepped.refused[file.name]) for _, stepped in steps)
    rows = sum(given.checked.accepted + len(given.checked.refused) for given, _ in steps)
    told = f"{where}: {portion(refused, rows, 'row', 'is refused', 'are refused')}"
    mend = f"`./daybook check FILE --pipeline {pipeline.name}.{file.name}` names each row; ask the sender"
    if message := next((stepped.message for _, stepped in steps if stepped.message), None):
        return Finding("sample", "mend", f"{told}: {one_line(message)}", mend)
    if doubts := [doubt for _, stepped in steps for doubt in stepped.held.doubts]:
        found = f"{where}: the day would be held as implausible: {'; '.join(doubts)}"
        return Finding("sample", "mend", found, "look at it, then `./daybook release` the day, or ask the sender")
    return Finding("sample", "well", f"{told}, within the limits")
