"""A small file that says something of others, a manifest or a checksum, read whole into memory."""

from daybook.errors import BadData, SourceUnavailable
from daybook.ftp_replies import Broken
from daybook.ftp_session import Session
from daybook.spec import File

LIMIT_BYTES = 2**20


class Changed(SourceUnavailable):
    """A file was changed while it, or what belongs to it, was copied: the task's next try begins again."""


def small_file(ftp: Session, file: File, path: str) -> bytes:
    """Give the bytes of a file that belongs to a delivery of `file`.

    Raises Broken where not all came, or the line fails; Changed where the server says something else of it afterwards;
    NotThere where it shows none; BadData where it is over a mebibyte.
    """
    where, before = f"{file.connection}: {path}", ftp.look(path)
    content = _content(ftp, path, where)
    size = None if file.is_size_unreliable else before.size_bytes
    # Without a size only a second copy tells all of a list from its beginning.
    if (_content(ftp, path, where) != content) if size is None else (len(content) != size):
        raise Broken(f"{where}: the FTP server says {size} bytes and sent {len(content):,}")
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
