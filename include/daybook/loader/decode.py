"""A file's bytes as UTF-8 with line feeds, whatever compression, encoding and line ends the contract declares.

Called by load. Reads from the caller's stream, only as far as asked; never more than a few blocks are in memory.
"""

import codecs
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, BinaryIO

from daybook.errors import BadData
from daybook.spec import Form, Limits, Source

# Returns some bytes, at most as many as asked for; none only at the end.
Read = Callable[[int], bytes]
# Some zeros compress very well in any file, so the ratio counts only beyond this size.
RATIO_FROM_BYTES = 2**24
# UTF-8 never holds 0xFF, so a record with a byte that the declared encoding does not know is refused, not hidden.
UNDECODABLE = "daybook.undecodable"
codecs.register_error(UNDECODABLE, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


def unpacked(stream: BinaryIO, source: Source, name: str) -> Read:
    """Return a reader of the unpacked stream. It raises BadData if the compression is not as declared."""
    match source.form.compression:
        case "gzip":
            return _checked(_from_gzip(stream, source.limits, name), name)
        case "zip":
            return _checked(_from_zip(stream, source.limits, name), name)
    return stream.read


def _checked(read: Read, name: str) -> Read:
    def checked(size: int) -> bytes:
        try:
            return read(size)
        except EOFError:
            raise BadData(f"{name}: the packed data end early: the upload was cut; have it delivered again") from None
        except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            raise BadData(f"{name}: the packed data are damaged ({error}); have it delivered again") from None

    return checked


def _from_gzip(stream: BinaryIO, limits: Limits, name: str) -> Read:
    packed = _Counted(stream)
    file = gzip.GzipFile(fileobj=packed, mode="rb")  # type: ignore[call-overload]
    total = 0

    def read(size: int) -> bytes:
        nonlocal total
        some = bytes(file.read(size))
        total += len(some)
        _check_size(packed.count, total, limits, name)
        return some

    return read


class _Counted:
    """A stream that counts the bytes read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        some = self.stream.read(size)
        self.count += len(some)
        return some


def _check_size(packed: int, plain: int, limits: Limits, name: str) -> None:
    if plain > limits.unpacked_bytes:
        raise BadData(f"{name}: it unpacks to more than {limits.unpacked_bytes:,} bytes, the limit of the contract")
    if plain > max(RATIO_FROM_BYTES, packed * limits.unpacked_times):
        raise BadData(
            f"{name}: it unpacks to more than {limits.unpacked_times} times its size, the limit of the contract"
        )


def _from_zip(stream: BinaryIO, limits: Limits, name: str) -> Read:
    try:
        archive = zipfile.ZipFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        members = [member for member in archive.infolist() if not member.is_dir()]
    except zipfile.BadZipFile as error:
        raise BadData(f"{name}: it is not a whole zip file ({error}), zip agreed; have it delivered again") from None
    if len(members) != 1:
        raise BadData(f"{name}: the zip holds {len(members)} files, 1 agreed")
    (member,) = members
    if member.flag_bits & 1:
        raise BadData(f"{name}: the zip is encrypted, and no password was agreed")
    # zipfile reads no more than the size in the archive's directory, so checking that size is enough.
    _check_size(member.compress_size, member.file_size, limits, name)
    return _opened(archive, member, name).read


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except (NotImplementedError, zipfile.BadZipFile) as error:
        raise BadData(f"{name}: the zip cannot be read ({error}); have it packed by deflate") from None


def in_utf8(read: Read, form: Form) -> Read:
    """Return a reader in UTF-8 with line feeds; a byte that the declared encoding does not know becomes 0xFF."""
    if form.encoding not in ("utf-8", "utf-8-sig"):
        read = _decoded(read, form.encoding)
    if form.line_end == "cr":
        return lambda size, read=read: read(size).replace(b"\r", b"\n")  # type: ignore[misc]
    return read


def _decoded(read: Read, encoding: str) -> Read:
    decoder = codecs.getincrementaldecoder(encoding)(UNDECODABLE)
    is_at_end = False

    def decoded(size: int) -> bytes:
        nonlocal is_at_end
        text = ""
        while not text and not is_at_end:
            some = read(size)
            is_at_end = not some
            text = decoder.decode(some, is_at_end)
        return text.encode("utf-8", "surrogateescape")

    return decoded


def taken(read: Read, size: int) -> bytes:
    """Read `size` bytes, or all if there are fewer."""
    parts = []
    while size > 0 and (part := read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def put_back(head: bytes, read: Read) -> Read:
    """Return a reader of the head and then of the rest."""
    before = io.BytesIO(head)
    return lambda size: before.read(size) or read(size)
