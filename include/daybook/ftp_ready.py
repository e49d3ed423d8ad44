"""Whether the day's files are there and whole: asked before anything is copied.

A file counts once its size and time have stood still over two looks, or as its spec says otherwise; a source counts
once all its parts do. Until then NotYet is raised, for which the DAG gives the worker back; the looks lie in the step's
folder, for the next attempt. After the cut-off it is BadData. ftp_delivery.py looks, ftp_looks.py decides about a file.
"""

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from daybook.delivery import Delivery, Part
from daybook.errors import BadData, NotYet
from daybook.ftp_delivery import Looked, look
from daybook.ftp_looks import MISSING, Look, Wait, note, wait_for
from daybook.ftp_patience import PATIENCE, Patience, tried
from daybook.ftp_session import session
from daybook.spec import File, Value
from daybook.storage.folder import Folder
from daybook.text import spans
from daybook.work import Work

log = logging.getLogger(__name__)

LOOKS = "looks.json"
SHOWN_NAMES = 10


class Looks(Value):
    """The last look at each file that is there, by its stem: the source's name, and the part's number."""

    of: dict[str, Look]


class Reason(NamedTuple):
    """Why a source does not count yet, in words that name the file or the parts; is_new as in Wait."""

    file: File
    what: str
    is_new: bool


def check_ready(work: Work, folder: Folder, now: datetime, patience: Patience = PATIENCE) -> dict[str, Delivery]:
    """See that all files of the day are there and whole; give what makes up each source, by its name.

    folder: the step's, which keeps the looks. now: an instant.
    Raises NotYet where one is to be waited for, BadData where its cut-off has passed or a manifest is none, BadSpec and
    SourceUnavailable as the server does.
    """
    before, after = _kept(folder), dict[str, Look]()
    reasons: list[Reason] = []
    looked = [tried(partial(_look, file, work, patience), patience, _nothing) for file in work.pipeline.files]
    for found in looked:
        file = found.delivery.file
        notes = {seen.part.stem: note(file, seen.remote, before.of.get(seen.part.stem), now) for seen in found.seen}
        after |= {stem: noted for stem, noted in notes.items() if noted}
        reasons += _reasons(found, after, now)
    if reasons:
        _keep(folder, after)
        _tell(work, reasons, now)
    return {found.delivery.file.name: _delivered(found) for found in looked}


def cut_off(file: File, day: date, time_zone: str) -> datetime:
    """Give the instant until which a day's file is waited for."""
    return datetime.combine(day + timedelta(days=1), file.cut_off, ZoneInfo(time_zone))


def _look(file: File, work: Work, patience: Patience) -> Looked:
    with session(partial(work.ftp, file.connection), file.connection, patience.time_limit_s) as ftp:
        return look(ftp, file, work.day)


def _nothing() -> str:
    return "nothing was copied"


def _reasons(looked: Looked, looks: dict[str, Look], now: datetime) -> Iterator[Reason]:
    file, parts = looked.delivery.file, dict[Wait, list[Part]]()
    for seen in looked.seen:
        wait = wait_for(file, seen, looks.get(seen.part.stem), now)
        if wait and seen.part.number:
            parts.setdefault(wait, []).append(seen.part)
        elif wait:
            yield Reason(file, f"{file.connection}: {seen.part.path} is {wait.why}", wait.is_new)
    for wait, alike in parts.items():
        yield Reason(file, f"{looked.delivery.where}: {_told_parts(alike, wait)}", wait.is_new)


def _told_parts(parts: list[Part], wait: Wait) -> str:
    word, why = "parts" if len(parts) > 1 else "part", "missing" if wait == MISSING else wait.why
    names = ", ".join(part.name for part in parts[:SHOWN_NAMES]) + (", …" if len(parts) > SHOWN_NAMES else "")
    return f"{word} {spans(part.number for part in parts)} of {parts[0].of} {why} ({names})"


def _delivered(looked: Looked) -> Delivery:
    if looked.problem:
        raise looked.problem
    file, delivery = looked.delivery.file, looked.delivery
    size_bytes = sum(seen.remote.size_bytes or 0 for seen in looked.seen if seen.remote)
    # What of a single file is over the limit is told by its copy.
    if file.is_in_parts and size_bytes > file.size_limit_bytes:
        raise BadData(
            f"{delivery.where}: {size_bytes:,} bytes in all parts, the limit is {file.size_limit_bytes:,}; not copied; "
            "ask the sender, or raise `size_limit_bytes` in the file's spec"
        )
    return delivery._replace(size_bytes=size_bytes)


def _kept(folder: Folder) -> Looks:
    if not folder.has(LOOKS):
        return Looks(of={})
    return Looks.model_validate_json(folder.text(LOOKS))


def _keep(folder: Folder, looks: dict[str, Look]) -> None:
    with folder.new_file(LOOKS) as file:
        file.write(Looks(of=looks).model_dump_json().encode())


def _tell(work: Work, reasons: list[Reason], now: datetime) -> None:
    if late := list(_late(work, reasons, now)):
        raise BadData(
            f"late: {'; '.join(late)}; nothing was published; ask the sender, and clear extract_files when it is there"
        )
    again = now + timedelta(seconds=min(reason.file.look_every_s for reason in reasons))
    said = "; ".join(f"{reason.what} (cut-off {_until(work, reason.file)})" for reason in reasons)
    log.info("not yet: %s; looked at again at %s", said, again.isoformat(timespec="seconds"))
    raise NotYet(f"not yet: {said}", again)


def _late(work: Work, reasons: list[Reason], now: datetime) -> Iterator[str]:
    for reason in reasons:
        if now >= _until(work, reason.file) and not reason.is_new:
            yield f"{reason.what}, and the cut-off was {_until(work, reason.file)}"


def _until(work: Work, file: File) -> datetime:
    return cut_off(file, work.day, work.pipeline.schedule.time_zone)
