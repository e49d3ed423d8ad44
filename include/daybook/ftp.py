"""Files from an FTP server, over a connection that somebody else opens, whole or not at all.

Airflow's hook does not move the data: it takes a truncated file for a success and waits without a limit. Here a file
is whole when as many bytes came as SIZE said before, and the server says the same of it afterwards; a line that breaks
is opened again and the copy goes on from where it was, over some bytes that must be the same.

    ftp_tls.py        opens a connection, over TLS
    ftp_session.py    looks and copies, on one connection
    ftp_listing.py    what a server says of a file
    ftp_replies.py    what a reply or a broken line means
    ftp_patience.py   how often and how long it is tried
    ftp_ready.py      whether all files are there and whole, before anything is copied: ftp_delivery.py, ftp_looks.py
    ftp_parts.py      all files of a source, against their checksums: ftp_small.py
    ftp_copy.py       one file's copy, and whether it is whole
    storage/partial_file.py      what was copied so far
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from daybook.ftp_copy import Copy, Fetched
from daybook.ftp_patience import PATIENCE, Patience, tried
from daybook.ftp_session import Connect, Session, session
from daybook.spec import File
from daybook.storage.partial_file import PartFile


def fetch(connect: Connect, file: File, path: str, part: PartFile, patience: Patience = PATIENCE) -> Fetched:
    """Copy the file at a path into a part file, which is whole when this returns.

    connect: opens a connection that is logged in. file: the spec, for what it lets through. Raises SourceUnavailable
    where the file changes meanwhile or the line fails too often (the part stays); BadSpec where the server refuses;
    BadData where file and SIZE do not go together.
    """
    copy = Copy(file, path, part)
    go_on = partial(_go_on, copy, partial(session, connect, file.connection, patience.time_limit_s))
    return tried(go_on, patience, lambda: copy.progress)


def _go_on(copy: Copy, opened: Callable[[], AbstractContextManager[Session]]) -> Fetched:
    with opened() as ftp:
        return copy.finish(ftp)
