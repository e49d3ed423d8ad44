"""A file's bytes as UTF-8 with line feeds, whatever compression, encoding and line ends the contract declares.

Called by load. Reads from the caller's stream, only as far as asked; never more than a few blocks are in memory.
"""

import codecs
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, BinaryIO

from daybook.errors import BadData
from daybook.spec.form import Form, Limits
from daybook.spec.source import Source
from daybook.text import counted, one_line

# Returns some bytes, at most as many as asked for; none only at the end.
Read = Callable[[int], bytes]
# Some zeros compress very well in any file, so the ratio counts only beyond this size.
RATIO_FROM_BYTES = 2**24
# What a Mac adds to a zip: attributes of the other members, and how a folder is shown.
OF_A_MAC = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|\._[^/]*$)")
SHOWN_MEMBERS = 10
# UTF-8 never holds 0xFF, so a record with a byte that the declared encoding does not know is refused, not hidden. So is
# one with half of a surrogate pair, which some codecs return.
UNDECODABLE = "daybook.undecodable"


def _marked(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError):
        return b"\xff", error.end
    return "\udcff", error.end  # type: ignore[attr-defined]


codecs.register_error(UNDECODABLE, _marked)


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
        check_size(packed.count, total, limits, name)
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


def check_size(packed: int, plain: int, limits: Limits, name: str) -> None:
    """Check that data do not unpack to more than the limits allow. Raises BadData."""
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
    delivered = [member for member in members if not OF_A_MAC.search(member.filename)]
    if len(delivered) != 1:
        raise BadData(f"{name}: the zip holds {_counted(delivered)}, 1 agreed")
    (member,) = delivered
    if member.flag_bits & 1:
        raise BadData(f"{name}: the zip is encrypted, and no password was agreed")
    # zipfile reads no more than the size in the archive's directory, so checking that size is enough.
    check_size(member.compress_size, member.file_size, limits, name)
    return _opened(archive, member, name).read


def _counted(members: list[zipfile.ZipInfo]) -> str:
    names = [f"'{one_line(member.filename)}'" for member in members[:SHOWN_MEMBERS]]
    more = ", …" if len(members) > SHOWN_MEMBERS else ""
    shown = f" ({', '.join(names)}{more})" if names else ""
    return f"{counted(len(members), 'file')}{shown}"


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except (NotImplementedError, zipfile.BadZipFile) as error:
        raise BadData(f"{name}: the zip cannot be read ({error}); have it packed by deflate") from None


class Decoded:
    """A stream in UTF-8 with line feeds; a byte that the declared encoding does not know becomes 0xFF."""

    def __init__(self, read: Read, form: Form) -> None:
        self._packed, self._form = read, form
        self._is_utf8 = form.encoding in ("utf-8", "utf-8-sig")
        self._decoder = codecs.getincrementaldecoder(form.encoding)(UNDECODABLE)
        self._is_at_end = False
        self._also_utf8 = _AlsoUtf8()

    def read(self, size: int) -> bytes:
        """Return some bytes, none only at the end."""
        some = self._packed(size) if self._is_utf8 else self._decoded(size)
        if self._form.line_end == "crcrlf":
            return self._in_one(some, size)
        return some.replace(b"\r", b"\n") if self._form.line_end == "cr" else some

    def _in_one(self, some: bytes, size: int) -> bytes:
        """Return bytes with CR CR LF as one line end; carriage returns at their end are read on with what follows."""
        while some.endswith(b"\r") and (more := self._packed(size) if self._is_utf8 else self._decoded(size)):
            some += more
        return some.replace(b"\r\r\n", b"\n")

    def _decoded(self, size: int) -> bytes:
        text = ""
        while not text and not self._is_at_end:
            some = self._packed(size)
            self._is_at_end = not some
            self._also_utf8.look_at(some)
            text = self._decoder.decode(some, self._is_at_end)
        return text.encode("utf-8", UNDECODABLE)

    @property
    def looks_like_utf8(self) -> bool:
        """Return whether bytes beyond ASCII were read, and all of them are UTF-8, though another encoding is declared.

        Hardly any text of another encoding is: in cp1252 it would hold Ã¼ and the like, and nothing else beyond ASCII.
        """
        is_unicode = self._form.encoding.startswith("utf")
        return self._also_utf8.is_so and not is_unicode and not self._form.is_encoding_certain


class _AlsoUtf8:
    """Whether bytes could be UTF-8 as well. It stops looking at the first that could not, so a right file is cheap."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_beyond_ascii, self._is_possible = False, True

    def look_at(self, some: bytes) -> None:
        """Look at the next bytes; none at the end."""
        if not self._is_possible or (some.isascii() and self._decoder.getstate()[0] == b"" and some):
            return
        self._is_beyond_ascii |= not some.isascii()
        try:
            self._decoder.decode(some, not some)
        except UnicodeDecodeError:
            self._is_possible = False

    @property
    def is_so(self) -> bool:
        """Return whether all bytes so far are UTF-8, and some are not ASCII."""
        return self._is_beyond_ascii and self._is_possible


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
