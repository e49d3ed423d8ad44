"""Files from an FTP server, over a connection that somebody else opens, whole or not at all.

Airflow's hook opens the connection; its transfer is not used: it takes a truncated file for a success and waits
without a limit. Commands and replies: RFC 959; SIZE, MDTM: RFC 3659.
"""

import ftplib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

from daybook.errors import BadSpec, SourceUnavailable

TIME_LIMIT_S = 60.0
BLOCK_BYTES = 256 * 1024


class Remote(NamedTuple):
    """What the server says of a file: size, and time of its last change as it writes it (YYYYMMDDhhmmss)."""

    size_bytes: int
    modified_at: str


def fetch(connect: Callable[[], ftplib.FTP], path: str, file: BinaryIO) -> Remote:
    """Copy a remote file's bytes into `file`.

    connect: opens a connection that is logged in. path: on the server. Raises SourceUnavailable where the file is not
    there, changes meanwhile, or the line fails; BadSpec where the server refuses the login.
    """
    with _told(path), _connection(connect) as ftp:
        before = _look(ftp, path)
        ftp.retrbinary(f"RETR {path}", file.write, BLOCK_BYTES)
        _check(path, before, _look(ftp, path), file.tell())
        return before


@contextmanager
def _connection(connect: Callable[[], ftplib.FTP]) -> Iterator[ftplib.FTP]:
    # The hook sets no limit: without one, a server that says nothing holds the task for ever.
    limit = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIME_LIMIT_S)
    try:
        ftp = connect()
    finally:
        socket.setdefaulttimeout(limit)
    ftp.timeout = TIME_LIMIT_S
    try:
        # SIZE is refused in ASCII mode (RFC 3659, 4.1), and FTP starts in ASCII.
        ftp.voidcmd("TYPE I")
        yield ftp
    finally:
        with suppress(*ftplib.all_errors):
            ftp.quit()
        ftp.close()


def _look(ftp: ftplib.FTP, path: str) -> Remote:
    size = ftp.size(path)
    return Remote(-1 if size is None else size, ftp.voidcmd(f"MDTM {path}")[4:].strip())


def _check(path: str, before: Remote, after: Remote, got_bytes: int) -> None:
    if before != after:
        raise SourceUnavailable(
            f"{path}: the file changed while it was copied (size {before.size_bytes} then {after.size_bytes} bytes); "
            "the copy was thrown away; it is tried again"
        )
    if got_bytes != before.size_bytes:
        raise SourceUnavailable(
            f"{path}: the server sent {got_bytes} of {before.size_bytes} bytes and called it complete; "
            "the copy was thrown away; it is tried again"
        )


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except ftplib.error_perm as error:
        raise _refusal(path, str(error)) from None
    except ftplib.all_errors as error:
        raise SourceUnavailable(
            f"{path}: the FTP transfer failed ({type(error).__name__}: {error}); nothing was kept; it is tried again"
        ) from None


def _refusal(path: str, reply: str) -> Exception:
    if reply.startswith("530"):
        return BadSpec(
            f"{path}: the FTP server refuses the login ({reply}); not tried again, so as not to lock the account; "
            "mend the connection's user and password"
        )
    return SourceUnavailable(
        f"{path}: the FTP server refuses the file ({reply}): not there yet, or not ours to read; it is tried again"
    )
