"""One look at all that makes up a source on a day: its manifest, its parts, and what says that they are whole.

Called by ftp_ready.py, which decides whether it counts, and by standing.py. It looks on one connection.
"""

from datetime import date
from typing import NamedTuple

from daybook.delivery import Delivery, Manifest, Part, declared, listed, manifest_of
from daybook.errors import BadData, DaybookError
from daybook.ftp_listing import Remote
from daybook.ftp_replies import NotThere
from daybook.ftp_session import Session
from daybook.ftp_small import Changed, small_file
from daybook.spec import File

UNKNOWN = (None, "")


class Seen(NamedTuple):
    """A file as a look found it, if it is there. missing_sign: the marker or checksum that is not, in words, or ""."""

    part: Part
    remote: Remote | None
    missing_sign: str = ""


class Looked(NamedTuple):
    """What one look found: the manifest, where there is one, and the parts that are known, there or not.

    problem: why the parts cannot be known, or more are there than declared; it may be only that a sender is at work.
    """

    delivery: Delivery
    seen: list[Seen]
    problem: DaybookError | None = None


def look(ftp: Session, file: File, day: date) -> Looked:
    """Look at a source's files of a day. Raises Broken where the line fails."""
    if file.manifest:
        return _look_by_manifest(ftp, file, day)
    parts = declared(file, day)
    seen = [_seen(ftp, file, day, part) for part in parts]
    return Looked(Delivery(file, day, parts), seen, _surplus(ftp, file, day))


def _look_by_manifest(ftp: Session, file: File, day: date) -> Looked:
    manifest = _seen(ftp, file, day, manifest_of(file, day))
    nothing = Looked(Delivery(file, day, ()), [manifest])
    if manifest.remote is None or manifest.remote.size_bytes == 0:
        return nothing
    try:
        content = small_file(ftp, file, manifest.part.path)
        parts = listed(file, day, content)
    except (BadData, Changed) as problem:
        return nothing._replace(problem=problem)
    delivery = Delivery(file, day, parts, Manifest(content, manifest.remote.modified_at))
    return Looked(delivery, [manifest, *(_seen(ftp, file, day, part) for part in parts)])


def _seen(ftp: Session, file: File, day: date, part: Part) -> Seen:
    try:
        remote = ftp.look(part.path)
    except NotThere:
        return Seen(part, None)
    signs = file.signs_on(day, part.path, part.number)
    missing = (f"{word} {path}" for word, path in signs.items() if not _is_there(ftp, path, word))
    return Seen(part, remote, next(missing, ""))


def _is_there(ftp: Session, path: str, word: str) -> bool:
    # A marker is often empty; a checksum without a byte is one that is being written.
    try:
        return ftp.look(path).size_bytes != 0 or word == "marker"
    except NotThere:
        return False


def _surplus(ftp: Session, file: File, day: date) -> BadData | None:
    if file.parts is None:
        return None
    path = file.path_on(day, file.parts + 1)
    try:
        # A server that tells nothing of any file says nothing of this one either.
        if ftp.look(path)[:2] == UNKNOWN:
            return None
    except NotThere:
        return None
    return BadData(
        f"{file.connection}: {path} is there, and {file.parts} parts are declared; nothing was published; raise "
        "`parts` in the file's spec, or ask the sender"
    )
