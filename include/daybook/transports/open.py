"""Opening a connection to a server of files: the type of the connection in Airflow decides how."""

import ftplib
from collections.abc import Callable
from typing import Any, NamedTuple

from daybook.errors import BadSpec
from daybook.ftp.connect import TIME_LIMIT_S, FtpServer
from daybook.ftp.session import Line
from daybook.text import nearest
from daybook.transports.local_folder import LocalFolder


class Stored(NamedTuple):
    """A connection as Airflow stores it: its id, its type, and the words of its form; extra: as read from JSON."""

    name: str
    kind: str
    host: str | None
    port: int | None
    login: str | None
    password: str | None
    extra: dict[str, Any]
    schema: str | None


def open_files(stored: Stored, time_limit_s: float = TIME_LIMIT_S) -> ftplib.FTP | Line:
    """Return a connection that is logged in. time_limit_s: for every wait.

    Raises BadSpec if its type or a word of it is refused, or the server refuses us; SourceUnavailable if it cannot be
    reached.
    """
    if stored.kind not in KINDS:
        raise BadSpec(
            f"{stored.name}: connection type {stored.kind!r} holds no files that Daybook can copy"
            f"{nearest(stored.kind, KINDS)}; nothing was copied; it takes {', '.join(sorted(KINDS.keys() - {''}))}"
        )
    opened: ftplib.FTP | Line = KINDS[stored.kind](stored).open(time_limit_s)
    return opened


def _ftp(stored: Stored) -> FtpServer:
    return FtpServer(**_address(stored), **stored.extra)


def _sftp(stored: Stored) -> Any:
    # Its library takes longer to import than a command without it takes in all.
    from daybook.transports.sftp_server import SftpServer

    return SftpServer(**_address(stored), **stored.extra)


def _https(stored: Stored) -> Any:
    # As with SFTP.
    from daybook.transports.https_server import HttpsServer

    return HttpsServer(**_address(stored), **stored.extra)


def _s3(stored: Stored) -> Any:
    # As with SFTP.
    from daybook.transports.s3_bucket import S3Bucket

    # Airflow reads s3://bucket/in/here as the host "bucket" and the schema "in/here".
    named = {"bucket": stored.host, "prefix": stored.schema, "user": stored.login, "password": stored.password}
    return S3Bucket(**{word: value for word, value in named.items() if value} | stored.extra)


def _folder(stored: Stored) -> LocalFolder:
    # Airflow reads file:///in/here as the schema "in/here".
    named = {"path": f"/{stored.schema}"} if stored.schema else {}
    return LocalFolder(**(named | stored.extra))


def _address(stored: Stored) -> dict[str, Any]:
    words = {"host": stored.host, "port": stored.port, "user": stored.login, "password": stored.password}
    return {word: value for word, value in words.items() if value}


KINDS: dict[str, Callable[[Stored], Any]] = {
    # A connection that was stored without a type has always been FTP.
    "": _ftp,
    "ftp": _ftp,
    "ftps": _ftp,
    "sftp": _sftp,
    "ssh": _sftp,
    "https": _https,
    "http": _https,
    "aws": _s3,
    "s3": _s3,
    "fs": _folder,
    "file": _folder,
}
