"""Whether the day's files are there and whole: checked before anything is copied.

A file counts once its size and time have not changed between two looks, or as its spec says otherwise; a source counts
once all its parts do. Until then NotYet is raised, and the DAG frees the worker; the looks stay in the step's folder
for the next attempt. After the cut-off it is BadData.

From top to bottom: what is kept of a file from one look (look.py) to the next, and whether it counts; and the check.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from daybook.errors import Awaited, BadData, BadSpec, NotYet
from daybook.ftp.delivery import Delivery, Part
from daybook.ftp.listing import Remote
from daybook.ftp.look import Looked, Seen, look
from daybook.ftp.retry import BRIEF, Patience, tried
from daybook.ftp.session import session
from daybook.spec import File, Value
from daybook.storage.folder import Folder
from daybook.text import spans

log = logging.getLogger(__name__)

# Looks fewer than this many intervals apart belong together.
SOON = 10


class Look(Value):
    """A file at a look, unchanged since `still_since`. is_changing: it was different shortly before.

    The instants are from our clock: those of servers are wrong.
    """

    size_bytes: int | None
    modified_at: str
    content_id: str = ""
    still_since: datetime
    looked_at: datetime
    is_changing: bool = False


class Wait(NamedTuple):
    """Why a file does not count yet. is_new: seen for the first time, so it gets another look even when late."""

    why: str
    is_new: bool = False


MISSING = Wait("not there")


def wait_for(file: File, seen: Seen, look: Look | None, now: datetime) -> Wait | None:
    """Return None if a file counts, or else why not yet. look: its record, this look included."""
    if seen.remote is None or look is None:
        return MISSING
    if seen.remote.size_bytes == 0 and not file.form.may_be_empty:
        return Wait("empty")
    if file.marker or file.checksum:
        return Wait(f"there, its {seen.missing_sign} is not") if seen.missing_sign else None
    if file.is_written_whole or now - look.still_since >= timedelta(seconds=file.look_every_s):
        return None
    if look.is_changing:
        return Wait("still changing")
    return Wait(f"there and has to stand still for {file.look_every_s} s", is_new=True)


def note(file: File, remote: Remote | None, before: Look | None, now: datetime) -> Look | None:
    """Return the record to keep of a look. before: the record of the look before."""
    if remote is None:
        return None
    if before and (before.size_bytes, before.modified_at, before.content_id) == (*remote[:2], remote.content_id):
        return before.model_copy(update={"looked_at": now})
    # A look of another day says nothing: the file may have been delivered anew since.
    is_changing = before is not None and now - before.looked_at < SOON * timedelta(seconds=file.look_every_s)
    return Look(
        size_bytes=remote.size_bytes,
        modified_at=remote.modified_at,
        content_id=remote.content_id,
        still_since=now,
        looked_at=now,
        is_changing=is_changing,
    )


LOOKS = "looks.json"
SHOWN_NAMES = 10


class Looks(Value):
    """The last look at each file: by the source's name, and the number of a part or the path that a wildcard found."""

    of: dict[str, Look]


class Reason(NamedTuple):
    """Why a source does not count yet, in words that name its file or parts; is_new as in Wait."""

    file: File
    what: str
    is_new: bool


class Due(NamedTuple):
    """The files that a day needs, and how to reach them. time_zone: an IANA name. ftp: opens a connection by its id."""

    files: tuple[File, ...]
    day: date
    time_zone: str
    ftp: Callable[[str], AbstractContextManager[Any]]


def check_ready(due: Due, folder: Folder, now: datetime, patience: Patience = BRIEF) -> dict[str, Delivery]:
    """Check that all files of the day are there and whole; return the delivery of each source, by its name.

    folder: the step's, which keeps the looks. now: an instant.
    Raises NotYet if a file has to be waited for, BadData if its cut-off has passed or a manifest is not valid, BadSpec
    and SourceUnavailable for the server's errors.
    """
    before, after = _kept(folder), dict[str, Look]()
    reasons: list[Reason] = []
    looked = [tried(partial(_look, file, due, patience), patience, _nothing) for file in due.files]
    for found in looked:
        file = found.delivery.file
        notes = {
            seen.part.seen_as: note(file, seen.remote, before.of.get(seen.part.seen_as), now) for seen in found.seen
        }
        after |= {stem: noted for stem, noted in notes.items() if noted}
        reasons += _reasons(found, after, now)
    if reasons:
        _keep(folder, after)
        _tell(due, reasons, now)
    return {found.delivery.file.name: _delivered(found) for found in looked}


def cut_off(file: File, day: date, time_zone: str) -> datetime:
    """Return the instant up to which a day's file is waited for."""
    return datetime.combine(day + timedelta(days=1), file.cut_off, ZoneInfo(time_zone))


def _look(file: File, due: Due, patience: Patience) -> Looked:
    with session(partial(due.ftp, file.connection), file.connection, patience.time_limit_s) as ftp:
        return look(ftp, file, due.day)


def _nothing() -> str:
    return "nothing was copied"


def _reasons(looked: Looked, looks: dict[str, Look], now: datetime) -> Iterator[Reason]:
    file, parts = looked.delivery.file, dict[Wait, list[Part]]()
    for seen in looked.seen:
        wait = wait_for(file, seen, looks.get(seen.part.seen_as), now)
        if wait and seen.part.number:
            parts.setdefault(wait, []).append(seen.part)
        elif wait:
            yield Reason(file, f"{file.connection}: {seen.part.path} is {wait.why}{seen.beside}", wait.is_new)
    for wait, alike in parts.items():
        beside = next((seen.beside for seen in looked.seen if seen.part in alike and seen.beside), "")
        yield Reason(file, f"{looked.delivery.where}: {_parts_in_words(file, alike, wait)}{beside}", wait.is_new)


def _parts_in_words(file: File, parts: list[Part], wait: Wait) -> str:
    word, why = "parts" if len(parts) > 1 else "part", "missing" if wait == MISSING else wait.why
    names = ", ".join(part.name for part in parts[:SHOWN_NAMES]) + (", …" if len(parts) > SHOWN_NAMES else "")
    return f"{word} {spans(file.label(part.number) for part in parts)} of {parts[0].of} {why} ({names})"


def _delivered(looked: Looked) -> Delivery:
    if looked.problem:
        raise looked.problem
    file, delivery = looked.delivery.file, looked.delivery
    size_bytes = sum(seen.remote.size_bytes or 0 for seen in looked.seen if seen.remote)
    # A single file over the limit is refused by its copy.
    if file.is_in_parts and size_bytes > file.size_limit_bytes:
        raise BadData(
            f"{delivery.where}: {size_bytes:,} bytes in all parts, the limit is {file.size_limit_bytes:,}; not copied; "
            "ask the sender, or raise `size_limit_bytes` in the file's spec"
        )
    return delivery._replace(size_bytes=size_bytes)


def _kept(folder: Folder) -> Looks:
    try:
        return Looks.model_validate_json(folder.content(LOOKS) or b"")
    except (ValueError, BadSpec):
        # There was no look before, or its note is damaged: this look is the first.
        return Looks(of={})


def _keep(folder: Folder, looks: dict[str, Look]) -> None:
    with folder.new_file(LOOKS) as file:
        file.write(Looks(of=looks).model_dump_json().encode())


def _tell(due: Due, reasons: list[Reason], now: datetime) -> None:
    if late := list(_late(due, reasons, now)):
        raise BadData(
            f"late: {'; '.join(late)}; nothing was published; ask the sender, and clear extract_files when it is there"
        )
    again = now + timedelta(seconds=min(reason.file.look_every_s for reason in reasons))
    said = "; ".join(f"{reason.what} (cut-off {_until(due, reason.file)})" for reason in reasons)
    log.info("not yet: %s; looked at again at %s", said, again.isoformat(timespec="seconds"))
    awaited = (Awaited(reason.file.name, reason.what, _until(due, reason.file)) for reason in reasons)
    raise NotYet(f"not yet: {said}", again, tuple(awaited))


def _late(due: Due, reasons: list[Reason], now: datetime) -> Iterator[str]:
    for reason in reasons:
        if now >= _until(due, reason.file) and not reason.is_new:
            yield f"{reason.what}, and the cut-off was {_until(due, reason.file)}"


def _until(due: Due, file: File) -> datetime:
    return cut_off(file, due.day, due.time_zone)
