"""Whether the day's files are there and whole: asked before anything is copied.

A file counts once its size and time have stood still over two looks, or as its spec says otherwise. Until then NotYet
is raised, for which the DAG gives the worker back; the looks lie in the step's folder, for the next attempt. After the
cut-off it is BadData. Deciding (`note`, `wait_for`) is apart from looking.
"""

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from daybook.errors import BadData, NotYet
from daybook.folder import Folder
from daybook.ftp_listing import Remote
from daybook.ftp_patience import PATIENCE, Patience, tried
from daybook.ftp_replies import NotThere
from daybook.ftp_session import session
from daybook.spec import File, Value
from daybook.work import Work

log = logging.getLogger(__name__)

LOOKS = "looks.json"
# Looks that are fewer than this many intervals apart belong together.
SOON = 10


class Look(Value):
    """A file as it was at a look, and has been since `still_since`. is_changing: shortly before, it was not.

    The instants are ours: those of servers are wrong.
    """

    size_bytes: int | None
    modified_at: str
    still_since: datetime
    looked_at: datetime
    is_changing: bool = False


class Looks(Value):
    """The last look at each file that is there, by the source's name."""

    of: dict[str, Look]


class Seen(NamedTuple):
    """What one look found: the file, if it is there, and whether its marker is."""

    remote: Remote | None
    has_marker: bool


class Wait(NamedTuple):
    """Why a file does not count yet. is_new: it is seen for the first time and gets another look, whatever the hour."""

    why: str
    is_new: bool = False


def check_ready(work: Work, folder: Folder, now: datetime, patience: Patience = PATIENCE) -> None:
    """See that all files of the day are there and whole.

    folder: the step's, which keeps the looks. now: an instant.
    Raises NotYet where one is to be waited for, BadData where its cut-off has passed, BadSpec and SourceUnavailable
    as the server does.
    """
    before, after = _kept(folder), {}
    waits: list[tuple[File, Wait]] = []
    for file in work.pipeline.files:
        seen = tried(partial(_look, file, work, patience), patience, lambda: "nothing was copied")
        after[file.name] = look = note(file, seen.remote, before.of.get(file.name), now)
        if wait := wait_for(file, work.day, seen, look, now):
            waits.append((file, wait))
    if waits:
        _keep(folder, after)
        _tell(work, waits, now)


def wait_for(file: File, day: date, seen: Seen, look: Look | None, now: datetime) -> Wait | None:
    """Decide whether a file counts: give None, or why not yet. look: what is noted of it, with this look."""
    if seen.remote is None or look is None:
        return Wait("is not there")
    if seen.remote.size_bytes == 0:
        return Wait("is empty")
    if file.marker:
        return None if seen.has_marker else Wait(f"is there, its marker {file.marker_on(day)} is not")
    if file.is_written_whole or now - look.still_since >= timedelta(seconds=file.look_every_s):
        return None
    if look.is_changing:
        return Wait("is still changing")
    return Wait(f"is there and has to stand still for {file.look_every_s} s", is_new=True)


def note(file: File, remote: Remote | None, before: Look | None, now: datetime) -> Look | None:
    """Give what to keep of a look. before: what was kept of the one before."""
    if remote is None:
        return None
    if before and (before.size_bytes, before.modified_at) == remote[:2]:
        return before.model_copy(update={"looked_at": now})
    # A look of another day says nothing: the file may have been delivered anew since.
    is_changing = before is not None and now - before.looked_at < SOON * timedelta(seconds=file.look_every_s)
    return Look(
        size_bytes=remote.size_bytes,
        modified_at=remote.modified_at,
        still_since=now,
        looked_at=now,
        is_changing=is_changing,
    )


def cut_off(file: File, day: date, time_zone: str) -> datetime:
    """Give the instant until which a day's file is waited for."""
    return datetime.combine(day + timedelta(days=1), file.cut_off, ZoneInfo(time_zone))


def _look(file: File, work: Work, patience: Patience) -> Seen:
    with session(partial(work.ftp, file.connection), file.connection, patience.time_limit_s) as ftp:
        try:
            remote = ftp.look(file.path_on(work.day))
        except NotThere:
            return Seen(None, False)
        marker = file.marker_on(work.day)
        return Seen(remote, marker is not None and ftp.has(marker))


def _kept(folder: Folder) -> Looks:
    if not folder.has(LOOKS):
        return Looks(of={})
    return Looks.model_validate_json(folder.text(LOOKS))


def _keep(folder: Folder, looks: dict[str, Look | None]) -> None:
    with folder.new_file(LOOKS) as file:
        file.write(Looks(of={name: look for name, look in looks.items() if look}).model_dump_json().encode())


def _tell(work: Work, waits: list[tuple[File, Wait]], now: datetime) -> None:
    if late := list(_late(work, waits, now)):
        raise BadData(
            f"late: {'; '.join(late)}; nothing was published; ask the sender, and clear extract_files when it is there"
        )
    again = now + timedelta(seconds=min(file.look_every_s for file, _ in waits))
    said = "; ".join(f"{_where(work, file)} {wait.why} (cut-off {_until(work, file)})" for file, wait in waits)
    log.info("not yet: %s; looked at again at %s", said, again.isoformat(timespec="seconds"))
    raise NotYet(f"not yet: {said}", again)


def _late(work: Work, waits: list[tuple[File, Wait]], now: datetime) -> Iterator[str]:
    for file, wait in waits:
        if now >= _until(work, file) and not wait.is_new:
            yield f"{_where(work, file)} {wait.why}, and the cut-off was {_until(work, file)}"


def _until(work: Work, file: File) -> datetime:
    return cut_off(file, work.day, work.pipeline.schedule.time_zone)


def _where(work: Work, file: File) -> str:
    return f"{file.connection}: {file.path_on(work.day)}"
