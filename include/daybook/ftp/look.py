"""One look at all files of a source on a day: its manifest, parts, markers and checksums, there or not.

ready.py decides from the looks whether the files count; planning/observe.py only looks.
"""

import posixpath
from datetime import date
from typing import NamedTuple

from daybook.errors import BadData, DaybookError
from daybook.ftp.copy import Changed, small_file
from daybook.ftp.delivery import Delivery, Manifest, Part, declared, listed, manifest_of
from daybook.ftp.listing import Listing, Remote, escaped
from daybook.ftp.near_names import nearest
from daybook.ftp.pick import Picked, by_wildcards, pattern_of, sign_in, whatever_capitals
from daybook.ftp.replies import NotThere
from daybook.ftp.session import Session
from daybook.spec import File
from daybook.text import one_line

UNKNOWN = (None, "")


class Seen(NamedTuple):
    """A file as a look found it, or None if it is missing. missing_sign: its missing marker or checksum, in words.

    beside: of a missing file, what lies in its folder instead, to stand behind "is not there".
    """

    part: Part
    remote: Remote | None
    missing_sign: str = ""
    beside: str = ""


class Looked(NamedTuple):
    """The result of one look: the manifest, if there is one, and the known parts, there or not.

    problem: why the parts are unknown, or more than declared; perhaps only because the sender is still at work.
    """

    delivery: Delivery
    seen: list[Seen]
    problem: DaybookError | None = None


def look(ftp: Session, file: File, day: date) -> Looked:
    """Look at a source's files of a day. Raises Broken if the line fails."""
    if file.manifest:
        return _look_by_manifest(ftp, file, day)
    if file.pick or file.ignore_case:
        return _look_by_names(ftp, file, day)
    parts = declared(file, day)
    seen = [_seen(ftp, file, day, part) for part in parts]
    return Looked(Delivery(file, day, parts), seen, _surplus(ftp, file, day))


def picked(ftp: Session, file: File, day: date) -> Picked:
    """Return the files of a source whose names are known only in part. Raises Broken if the line fails."""
    names = ftp.names(posixpath.dirname(file.path_on(day)))
    if file.pick is None:
        return whatever_capitals(file, day, names)
    try:
        return by_wildcards(file, day, names, ftp.look)
    except NotThere:
        # It went away between the listing and the look.
        return by_wildcards(file, day, ftp.names(posixpath.dirname(file.path_on(day))), ftp.look)


def sign_at(ftp: Session, file: File, path: str) -> str:
    """Return the path of a marker or a checksum: as declared, or as it is written if capitals do not matter."""
    return sign_in(path, ftp.names(posixpath.dirname(path))) if file.ignore_case else path


def _look_by_names(ftp: Session, file: File, day: date) -> Looked:
    found = picked(ftp, file, day)
    if found.is_short:
        (pattern,) = found.parts
        near = _beside(ftp.last_listing, ftp.names_encoding, file, day, pattern)
        return Looked(Delivery(file, day, ()), [Seen(pattern, None, beside=found.missing + near)])
    seen = [_seen(ftp, file, day, part) for part in found.parts]
    return Looked(Delivery(file, day, found.parts), seen, found.problem or _surplus(ftp, file, day))


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
        return Seen(part, None, beside=_beside(ftp.last_listing, ftp.names_encoding, file, day, part))
    signs = file.signs_on(day, part.path, file.label(part.number))
    missing = (f"{word} {path}" for word, path in signs.items() if not _is_there(ftp, sign_at(ftp, file, path), word))
    return Seen(part, remote, next(missing, ""))


def _beside(found: Listing, encoding: str, file: File, day: date, part: Part) -> str:
    """Return what lies in a missing file's folder instead: its name in other letters, or in another encoding."""
    name, expected = posixpath.basename(part.path), () if file.manifest or file.pick else declared(file, day)
    if file.pick:
        return "" if file.ignore_case else _in_other_capitals(name, found)
    others = [posixpath.basename(other.path) for other in expected]
    if near := nearest(name, found.files, day, others):
        return f"; '{one_line(near)}' lies beside it: mend the path in the spec, or have the file renamed"
    undecoded = {name.decode("latin-1"): name for name in found.undecoded}
    if near := nearest(name, undecoded, day):
        return (
            f"; '{escaped(undecoded[near])}' lies beside it, which is not {encoding}: set the extra "
            '{"encoding": "latin-1"} of the connection, or have the file renamed'
        )
    return ""


def _in_other_capitals(name: str, found: Listing) -> str:
    matches = pattern_of(name, ignore_case=False).fullmatch
    alike = sorted(filter(pattern_of(name, ignore_case=True).fullmatch, found.files))
    others = [other for other in alike if not matches(other)]
    if not others:
        return ""
    return f"; '{one_line(others[0])}' lies beside it: say ignore_case=True in the spec, or have the file renamed"


def _is_there(ftp: Session, path: str, word: str) -> bool:
    # A marker is often empty; an empty checksum file is still being written.
    try:
        return ftp.look(path).size_bytes != 0 or word == "marker"
    except NotThere:
        return False


def _surplus(ftp: Session, file: File, day: date) -> BadData | None:
    if file.parts is None:
        return None
    path = sign_at(ftp, file, file.path_on(day, file.label(file.parts + 1)))
    try:
        # A server that gives no size and time for any file proves nothing about this one.
        if ftp.look(path)[:2] == UNKNOWN:
            return None
    except NotThere:
        return None
    return BadData(
        f"{file.connection}: {path} is there, and {file.parts} parts are declared; nothing was published; raise "
        "`parts` in the file's spec, or ask the sender"
    )
