"""One file from a server, over a connection that the caller opens, whole or not at all.

Airflow's hook does not copy the data: it takes a truncated file for a success and waits without a limit. Here a file
is whole if as many bytes came as the server said before, and the server still says the same afterwards. A connection
that breaks is opened again and the copy resumes, after comparing an overlap. Small files, a manifest or a checksum, are
read into memory.

    connect.py   opens a connection, over TLS
    listing.py   what lies in a folder
    session.py   what a connection can do: look at files and copy them
    commands.py  the same over FTP; transports/ holds it for every other kind of server
    replies.py   the meaning of a reply or a broken line
    retry.py     how often and for how long it is tried
    delivery.py  which files make up a source on a day
    near_names.py  the name that a person would take for the expected one
    look.py      which of them are there now
    ready.py     whether all of them are there and whole, before anything is copied
    copy.py      one file's copy, and whether it is whole
    fetch.py     all files of a source, against their checksums
    send.py      files written to a server, whole
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from daybook.errors import BadData, BadSpec, SourceUnavailable
from daybook.ftp.listing import Remote
from daybook.ftp.replies import Broken, CannotResume, NotThere
from daybook.ftp.retry import PATIENCE, Patience, tried
from daybook.ftp.session import OpenFtp, Session, session
from daybook.spec import File
from daybook.storage.folder import Folder
from daybook.storage.partial_file import PartialFile
from daybook.storage.progress import Progress

log = logging.getLogger(__name__)

OVERLAP_BYTES = 64 * 1024
# The raw file, then Parquet twice.
DISK_TIMES_SIZE = 3


class Fetched(NamedTuple):
    """A copied file: what the server says about it, and remarks for the report and the log."""

    remote: Remote
    is_encrypted: bool | None
    remarks: tuple[str, ...]


class _Full(NamedTuple):
    """A copy that the server called complete, but with another length than it said."""

    size_bytes: int
    sha256: str


class Copy:
    """The copy of one file, over as many connections as it takes."""

    def __init__(self, file: File, path: str, part: PartialFile) -> None:
        self._file, self._path, self._part = file, path, part
        self._where = f"{file.connection}: {self._path}"
        self._remote: Remote | None = None
        self._full: _Full | None = None
        self._is_all_here = False
        self._may_resume = True
        self._remarks: list[str] = []
        self._progress: Progress | None = None

    @property
    def progress(self) -> str:
        """Return how many bytes of the file are here, in words."""
        if self._remote is None:
            return "nothing was copied"
        return f"{self._part.size_bytes:,} of {_count(self._remote)} bytes are here and kept"

    def finish(self, ftp: Session) -> Fetched:
        """Copy what is missing. Raises Broken if that took this connection and needs another."""
        if self._remote:
            # One name may stand for several servers, each with its own `unique`, so it counts on one connection only.
            self._remote = self._remote._replace(unique="")
        remote = self._meet(ftp.look(self._path))
        if not self._is_all_here:
            self._go_on(ftp, remote)
            self._meet(ftp.look(self._path))
        self._part.sync()
        return Fetched(remote, ftp.is_encrypted, tuple(self._remarks))

    def _meet(self, remote: Remote) -> Remote:
        """Check that this is still the file of the first look."""
        if self._remote is None:
            _check_room(self._where, self._file, remote)
            self._part.open(f"{remote.size_bytes} {remote.modified_at} {remote.content_id}".rstrip())
            check_disk(self._where, self._part, remote.size_bytes or 0, self._part.size_bytes)
            self._progress = Progress(Folder(self._part.path.parent), self._where, remote.size_bytes)
        elif not self._remote.is_like(remote):
            self._part.restart()
            raise SourceUnavailable(
                f"{self._where}: the file changed while it was copied ({_count(self._remote)} bytes of "
                f"{self._remote.modified_at or 'unknown time'}, then {_count(remote)} of {remote.modified_at or '?'}); "
                "the copy was thrown away; it is looked at again, and copied when it stands still"
            )
        self._remote = remote
        return remote

    def _go_on(self, ftp: Session, remote: Remote) -> None:
        before, landing = self._part.size_bytes, _Landing(self._where, self._part, self._start(remote), self._file)
        try:
            ftp.retrieve(self._path, landing.start, partial(self._take, landing))
            landing.check()
        except CannotResume:
            self._may_resume = False
            self._part.restart()
            raise
        except Broken:
            if landing.is_compared and self._part.size_bytes == remote.size_bytes:
                # The reply follows the last byte (RFC 959, 5.4). If only the reply is lost, the size decides.
                self._accept("the server's last word is missing; the size agrees")
            raise
        except NotThere:
            raise self._why_not(ftp) from None
        self._judge(before, remote)

    def _take(self, landing: "_Landing", block: bytes) -> None:
        landing.take(block)
        if self._progress:
            self._progress.at(self._part.size_bytes)

    def _start(self, remote: Remote) -> int:
        # Without a size, nothing could prove afterwards that the two pieces fit.
        if not self._may_resume or remote.size_bytes is None or self._part.size_bytes > remote.size_bytes:
            self._part.restart()
        return max(0, self._part.size_bytes - OVERLAP_BYTES)

    def _judge(self, before: int, remote: Remote) -> None:
        """Judge a copy that the server called complete."""
        got, size = self._part.size_bytes, remote.size_bytes
        if got == size:
            self._is_all_here = True
            return
        if size is not None and got < size and (got > before or not got):
            raise Broken(f"{self._where}: the server says that this was all, but {got:,} of {size:,} bytes came")
        # It sent more than it said, or has no more to send. A second copy from the start must be equal.
        full = _Full(got, self._part.sha256())
        if full != self._full:
            self._full, self._may_resume = full, self._may_resume and size is not None and got < size
            self._part.restart()
            raise Broken(f"{self._where}: the server says {_count(remote)} bytes and sent {got:,}; copied again")
        self._agree(got, size)

    def _agree(self, got: int, size: int | None) -> None:
        """Judge two equal copies whose length is not the server's."""
        if size is None:
            self._accept("the server tells no size; two copies are equal")
        elif self._file.is_size_unreliable:
            self._accept(f"the server says {size:,} bytes; two equal copies have {got:,}")
        else:
            raise BadData(
                f"{self._where}: the server says {size:,} bytes and sent {got:,} twice, the same ones; nothing was "
                "published; ask who runs the server, or accept it with `is_size_unreliable=True` in the file's spec"
            )

    def _accept(self, remark: str) -> None:
        self._is_all_here = True
        self._remarks.append(remark)
        log.warning("%s: %s", self._where, remark)

    def _why_not(self, ftp: Session) -> Exception:
        if ftp.is_listed(self._path):
            return BadSpec(
                f"{self._where}: the server shows the file and does not give it; not tried again; "
                "have the right to read it given to the connection's user"
            )
        return NotThere(f"{self._where}: the file was there and is gone; it is waited for")


class _Landing:
    """Receives the bytes of a transfer: compares the first ones with the part's own, and appends the others."""

    def __init__(self, where: str, part: PartialFile, start: int, file: File) -> None:
        self._where, self._part, self.start, self._file = where, part, start, file
        self._expected = part.read(start, part.size_bytes - start)

    @property
    def is_compared(self) -> bool:
        """Return whether the whole overlap has been compared and is the same."""
        return not self._expected

    def take(self, block: bytes) -> None:
        """Take the next bytes. Raises CannotResume if they differ from those already copied at that place."""
        again, new = block[: len(self._expected)], block[len(self._expected) :]
        if again != self._expected[: len(again)]:
            raise CannotResume(
                f"{self._where}: the server was to send from byte {self.start:,} on and sends other bytes (it "
                "ignores where to start, or the file is another one); copied again from the start"
            )
        self._expected = self._expected[len(again) :]
        self._part.write(new)
        _check_room(self._where, self._file, Remote(self._part.size_bytes, ""))

    def check(self) -> None:
        """Raise CannotResume if the transfer ended within the overlap."""
        if not self.is_compared:
            raise CannotResume(f"{self._where}: the server ended before the byte up to which the copy is here")


def _check_room(where: str, file: File, remote: Remote) -> None:
    if (remote.size_bytes or 0) > file.size_limit_bytes:
        raise BadData(
            f"{where}: {_count(remote)} bytes, the limit is {file.size_limit_bytes:,}; not copied; ask the sender, or "
            "raise `size_limit_bytes` in the file's spec"
        )


def check_disk(where: str, part: PartialFile, size_bytes: int, kept_bytes: int) -> None:
    """Raise SourceUnavailable if the disk has no room for a file of this size; `kept_bytes` of it are here already."""
    needed = DISK_TIMES_SIZE * size_bytes - kept_bytes
    if part.free_bytes < needed:
        raise SourceUnavailable(
            f"{where}: this machine's disk has {part.free_bytes:,} bytes free, and {needed:,} are needed (a file takes "
            f"{DISK_TIMES_SIZE} times its size); not copied; make room, then clear the task"
        )


def _count(remote: Remote) -> str:
    return "an unknown number of" if remote.size_bytes is None else f"{remote.size_bytes:,}"


def fetch(connect: OpenFtp, file: File, path: str, part: PartialFile, patience: Patience = PATIENCE) -> Fetched:
    """Copy the file at a path into a part file, which is whole when this returns.

    connect: opens a connection that is logged in. file: the spec, for its limits. Raises SourceUnavailable if the file
    changes during the copy or the line fails too often (the part stays); BadSpec if the server refuses; BadData if file
    and SIZE disagree.
    """
    copy = Copy(file, path, part)
    go_on = partial(_go_on, copy, partial(session, connect, file.connection, patience.time_limit_s))
    return tried(go_on, patience, lambda: copy.progress)


def _go_on(copy: Copy, opened: Callable[[], AbstractContextManager[Session]]) -> Fetched:
    with opened() as ftp:
        return copy.finish(ftp)


LIMIT_BYTES = 2**20


class Changed(SourceUnavailable):
    """A file, or one that belongs to it, changed during the copy: the task's next try begins again."""


def small_file(ftp: Session, file: File, path: str) -> bytes:
    """Return the bytes of a small file, such as a manifest, that belongs to a delivery of `file`.

    Raises Broken if bytes are missing or the line fails; Changed if the server's size or time is another afterwards;
    NotThere if it shows no such file; BadData if it is over a mebibyte.
    """
    where, before = f"{file.connection}: {path}", ftp.look(path)
    content = _content(ftp, path, where)
    size = None if file.is_size_unreliable else before.size_bytes
    # If the server gives no size, read twice and compare.
    if (_content(ftp, path, where) != content) if size is None else (len(content) != size):
        raise Broken(f"{where}: the server says {size} bytes and sent {len(content):,}")
    if not before.is_like(ftp.look(path)):
        raise Changed(f"{where}: it changed while it was read; nothing was copied; it is read again")
    return content


def _content(ftp: Session, path: str, where: str) -> bytes:
    content = bytearray()

    def take(block: bytes) -> None:
        content.extend(block)
        if len(content) > LIMIT_BYTES:
            raise BadData(f"{where}: it is longer than {LIMIT_BYTES:,} bytes, too long for a list; nothing was copied")

    ftp.retrieve(path, 0, take)
    return bytes(content)
