"""One connection to a server of files: look at a file, copy a file from any byte on.

FTP is what ftplib opens; commands.py looks and copies over it. Every other kind of server (transports/) opens a `Line`,
which brings its own session. Nothing else in the house knows which kind it is.
"""

import ftplib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self, runtime_checkable

from daybook.ftp.commands import FtpSession
from daybook.ftp.listing import Listing, Remote
from daybook.ftp.replies import translated_errors

# Opens a connection that is logged in, or lends one that is kept open, for the length of a block: an ftplib.FTP, or a
# Line.
OpenFtp = Callable[[], AbstractContextManager[Any]]
QUIT_S = 5.0


class Session(Protocol):
    """A connection at work. Its methods raise Broken if the line fails, after which it is of no more use."""

    # Of the folder of the file that was looked at last, if its listing was needed.
    last_listing: Listing

    @property
    def is_encrypted(self) -> bool | None:
        """Return whether all that is said and copied is encrypted on its way; None if it goes over no network."""

    @property
    def names_encoding(self) -> str:
        """Return the encoding of names on this connection."""

    def look(self, path: str) -> Remote:
        """Return what the server says about a file. Raises NotThere if it shows none."""

    def names(self, folder: str) -> Iterable[str]:
        """Return the names of the files in a folder; none if the server does not list it."""

    def is_listed(self, path: str) -> bool:
        """Return whether the listing of its folder shows the file."""

    def retrieve(self, path: str, start: int, take: Callable[[bytes], None]) -> None:
        """Copy a file from byte `start` to its end, block by block, until the server says that this was all.

        Raises CannotResume if the server does not start there, NotThere if it does not send the file.
        """


@runtime_checkable
class Target(Session, Protocol):
    """A connection at work to a server that takes files. send.py writes them whole by these methods."""

    # A file is there whole once it is stored, or not at all; else it is stored under another name first.
    writes_whole: bool

    def make_folder(self, folder: str) -> None:
        """Make a folder, and those above it, unless it is there."""

    def store(self, path: str, content: BinaryIO) -> None:
        """Write a file. Raises Broken if the line fails, BadSpec if the server does not take it."""

    def replace(self, path: str, new: str) -> None:
        """Let a file have another name, in place of the file of that name."""

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""


class Line(Protocol):
    """An open connection to a server of another kind than FTP. sock: None once it is closed, as of an ftplib.FTP."""

    def __enter__(self) -> Self:
        """Return the connection."""

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        """End the connection."""

    @property
    def sock(self) -> object:
        """Return None if the connection is closed."""

    def session(self, name: str, time_limit_s: float) -> Session:
        """Begin a session. name: its name in messages. time_limit_s: for every wait."""

    def close(self) -> None:
        """End the connection, however it stands."""


@contextmanager
def session(connect: OpenFtp, name: str, time_limit_s: float) -> Iterator[Session]:
    """Open a session for the length of the block. name: its name in messages, the connection's id in Airflow.

    Raises SourceUnavailable if the line fails; BadSpec if the login, the certificate, the host key or TLS is refused.
    """
    with ExitStack() as opened:
        with translated_errors(name, is_opening=True):
            line = opened.enter_context(connect())
        try:
            yield _begun(line, name, time_limit_s)
        except BaseException:
            # A failed line is of no more use, and might wait long for an answer to QUIT.
            line.close()
            raise
        with suppress(*ftplib.all_errors):
            _close(line, opened)


def _begun(line: ftplib.FTP | Line, name: str, time_limit_s: float) -> Session:
    if isinstance(line, ftplib.FTP):
        return FtpSession.begun(line, name, time_limit_s)
    return line.session(name, time_limit_s)


def _close(line: ftplib.FTP | Line, opened: ExitStack) -> None:
    if isinstance(line, ftplib.FTP):
        FtpSession.limit(line, QUIT_S)
    opened.close()
