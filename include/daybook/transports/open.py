"""Opening a connection to a server of files: the type of the connection in Airflow decides how."""

import ftplib
from typing import Any, NamedTuple

from daybook.errors import BadSpec
from daybook.ftp.connect import TIME_LIMIT_S, FtpServer
from daybook.ftp.session import Line
from daybook.text import nearest


class Stored(NamedTuple):
    """A connection as Airflow stores it: its id, its type, and the words of its form; extra: as read from JSON."""

    name: str
    kind: str
    host: str | None
    port: int | None
    login: str | None
    password: str | None
    extra: dict[str, Any]


def open_files(stored: Stored, time_limit_s: float = TIME_LIMIT_S) -> ftplib.FTP | Line:
    """Return a connection that is logged in. time_limit_s: for every wait.

    Raises BadSpec if its type or a word of it is refused, or the server refuses us; SourceUnavailable if it cannot be
    reached.
    """
    given = {"host": stored.host, "port": stored.port, "user": stored.login, "password": stored.password}
    words = {word: value for word, value in given.items() if value} | stored.extra
    opened: ftplib.FTP | Line = _server(stored)(**words).open(time_limit_s)
    return opened


def _server(stored: Stored) -> type[Any]:
    # A connection that was stored without a type has always been FTP.
    kinds = {"": _ftp, "ftp": _ftp, "ftps": _ftp, "sftp": _sftp, "ssh": _sftp}
    if stored.kind not in kinds:
        raise BadSpec(
            f"{stored.name}: connection type {stored.kind!r} holds no files that Daybook can copy"
            f"{nearest(stored.kind, kinds)}; nothing was copied; it takes {', '.join(sorted(kinds.keys() - {''}))}"
        )
    return kinds[stored.kind]()


def _ftp() -> type[Any]:
    return FtpServer


def _sftp() -> type[Any]:
    # Its library takes longer to import than a command without it takes in all.
    from daybook.transports.sftp_server import SftpServer

    return SftpServer
