"""Writes files to a server: each one whole or not at all, over as many connections as it takes.

A file is stored under a name of its own beside the wanted one, looked at, and renamed. That name is always the same, so
a try after a crash writes over what the one before it left, and nothing is left at the end.
"""

import posixpath
from collections.abc import Callable, Iterable
from functools import partial
from typing import BinaryIO, NamedTuple

from daybook.errors import BadSpec
from daybook.ftp.replies import Broken
from daybook.ftp.retry import Patience, tried
from daybook.ftp.session import OpenFtp, Session, Target, session
from daybook.text import counted, verb

# A step waits for it, and what is owed is sent later.
PATIENCE = Patience(tries=3, total_s=60, time_limit_s=30)


class Outgoing(NamedTuple):
    """A file to send: where it goes, its size, and how to open it."""

    path: str
    size_bytes: int
    open: Callable[[], BinaryIO]


def send(
    connect: OpenFtp, name: str, files: Iterable[Outgoing], removed: str | None = None, patience: Patience = PATIENCE
) -> None:
    """Write files in their order; those that are there already are replaced.

    connect: opens a connection that is logged in. name: its name in messages. removed: the path of a file to remove
    before. Raises SourceUnavailable if the line fails too often; BadSpec if the server does not take a file, or none.
    """
    left = list(files)
    tried(partial(_go_on, connect, name, left, removed, patience), patience, partial(_left, left))


def _left(left: list[Outgoing]) -> str:
    return f"{counted(len(left), 'file')} {verb(len(left))} left"


def takes_files(opened: Session, name: str) -> Target:
    """Return a connection at work as one that takes files. Raises BadSpec if its server does not."""
    if isinstance(opened, Target):
        return opened
    raise BadSpec(
        f"{name}: a web server takes no files; nothing was sent; give the export a connection to an FTP or SFTP "
        "server, a bucket or a folder"
    )


def _go_on(connect: OpenFtp, name: str, left: list[Outgoing], removed: str | None, patience: Patience) -> None:
    with session(connect, name, patience.time_limit_s) as opened:
        target = takes_files(opened, name)
        if removed:
            target.remove(removed)
        while left:
            _write(target, name, left[0])
            left.pop(0)


def _write(target: Target, name: str, file: Outgoing) -> None:
    folder, last = posixpath.split(file.path)
    if folder:
        target.make_folder(folder)
    if target.writes_whole:
        _store(target, file.path, file)
        return
    beside = posixpath.join(folder, f".{last}.daybook")
    _store(target, beside, file)
    size_bytes = target.look(beside).size_bytes
    # Some servers tell no size.
    if size_bytes not in (None, file.size_bytes):
        raise Broken(f"{name}: {file.path}: {file.size_bytes:,} bytes were sent, and {size_bytes:,} are there")
    target.replace(beside, file.path)


def _store(target: Target, path: str, file: Outgoing) -> None:
    with file.open() as content:
        target.store(path, content)
