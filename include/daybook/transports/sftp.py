"""An SFTP connection that is logged in: look at a file, copy a file from any byte on, list a folder.

Names are bytes on the line; the connection's encoding says what they mean. asyncssh does not block, and we do: each
call runs its loop until the answer is there.
"""

import asyncio
import logging
import posixpath
import stat
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager, suppress
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import asyncssh

from daybook.errors import BadSpec
from daybook.ftp.listing import NO_LISTING, Listing, Remote, escaped, folders_to
from daybook.ftp.replies import NotThere, printable
from daybook.transports.sftp_errors import translated_errors

log = logging.getLogger(__name__)
T = TypeVar("T")

# A server may give less than it is asked for, and says how much it gives at most, if it knows that extension.
BLOCK_BYTES = 128 * 1024
LEAST_BYTES = 4 * 1024
# asyncssh sends the pieces of what it is given all at once.
STORED_BYTES = 1024 * 1024
# As many are on their way at once, so that a distant server does not wait for each answer to arrive.
MOST_AHEAD = 32
QUIT_S = 5.0


class SftpLine:
    """An open connection (ftp/session.py says what a Line does)."""

    def __init__(
        self,
        runner: asyncio.Runner,
        connection: asyncssh.SSHClientConnection,
        client: asyncssh.SFTPClient,
        encoding: str,
    ) -> None:
        self._runner, self._connection, self.client, self.encoding = runner, connection, client, encoding
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    @property
    def sock(self) -> object:
        """Return None if the connection is closed."""
        return self._connection if self._is_open else None

    def session(self, name: str, time_limit_s: float) -> "SftpSession":
        """Begin a session. name: its name in messages. time_limit_s: for every wait."""
        return SftpSession(self, name, time_limit_s)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait for what the server is asked."""
        return self._runner.run(coroutine)

    def close(self) -> None:
        """End the connection, however it stands."""
        if self._is_open:
            self._is_open = False
            self._connection.abort()
            with suppress(asyncssh.Error, OSError):
                self._runner.run(asyncio.wait_for(self._connection.wait_closed(), QUIT_S))
            self._runner.close()


class SftpSession:
    """An SFTP connection at work (ftp/session.py says what a session does)."""

    is_encrypted = True
    writes_whole = False

    def __init__(self, line: SftpLine, name: str, time_limit_s: float) -> None:
        self._line, self._name, self._limit_s = line, name, time_limit_s
        self.last_listing: Listing = NO_LISTING

    @property
    def names_encoding(self) -> str:
        """Return the encoding of names on this connection."""
        return self._line.encoding

    def look(self, path: str) -> Remote:
        """Return what the server says about a file. Raises NotThere if it shows none."""
        try:
            with self._translated_errors(path):
                found = self._answer(self._line.client.stat(self._encoded(path)))
        except NotThere:
            self._list(posixpath.dirname(path))
            raise
        if found.permissions is not None and stat.S_ISDIR(found.permissions):
            raise NotThere(f"{self._name}: {path}: it is a folder, and a file is expected")
        return _remote(found)

    def names(self, folder: str) -> Iterable[str]:
        """Return the names of the files in a folder; none if the server does not list it."""
        return self._list(folder).files

    def is_listed(self, path: str) -> bool:
        """Return whether the listing of its folder shows the file."""
        return posixpath.basename(path) in self._list(posixpath.dirname(path)).files

    def retrieve(self, path: str, start: int, take: Callable[[bytes], None]) -> None:
        """Copy a file from byte `start` to its end, block by block. Raises NotThere if the server does not send it."""
        with self._translated_errors(path):
            self._line.run(self._retrieve(self._encoded(path), start, take))

    def make_folder(self, folder: str) -> None:
        """Make a folder, and those above it, unless it is there."""
        with self._translated_errors(folder):
            for above in folders_to(folder):
                # It is there, or we may not, which the file after it will show.
                with suppress(asyncssh.SFTPError):
                    self._answer(self._line.client.mkdir(self._encoded(above)))

    def store(self, path: str, content: BinaryIO) -> None:
        """Write a file. Raises Broken if the line fails, BadSpec if the server does not take it."""
        with self._translated_errors(path), self._refused(path):
            self._line.run(self._store(self._encoded(path), content))

    def replace(self, path: str, new: str) -> None:
        """Let a file have another name, in place of the file of that name."""
        ours, theirs, client = self._encoded(path), self._encoded(new), self._line.client
        with self._translated_errors(new), self._refused(new):
            try:
                self._answer(client.posix_rename(ours, theirs))
            except asyncssh.SFTPOpUnsupported:
                # Of OpenSSH only; the protocol's own renames to a free name only (draft-ietf-secsh-filexfer-02, 6.5).
                with suppress(asyncssh.SFTPNoSuchFile):
                    self._answer(client.remove(theirs))
                self._answer(client.rename(ours, theirs))

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with self._translated_errors(path), suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            self._answer(self._line.client.remove(self._encoded(path)))

    @contextmanager
    def _refused(self, path: str) -> Iterator[None]:
        try:
            yield
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPPermissionDenied) as error:
            raise BadSpec(
                f"{self._name}: {path}: the SFTP server does not take the file ({printable(error.reason)}); mend the "
                "path in the spec, or have the right to write there given to the connection's user"
            ) from None

    def _translated_errors(self, path: str) -> AbstractContextManager[None]:
        return translated_errors(f"{self._name}: {path}")

    def _answer(self, question: Coroutine[Any, Any, T]) -> T:
        return self._line.run(asyncio.wait_for(question, self._limit_s))

    def _encoded(self, path: str) -> bytes:
        try:
            return path.encode(self._line.encoding)
        except UnicodeEncodeError as error:
            raise BadSpec(
                f"{self._name}: {path}: the path cannot be written in {error.encoding}; nothing was copied; mend the "
                "path in the spec, or `encoding` in the connection's extra"
            ) from None

    def _list(self, folder: str) -> Listing:
        """Return what lies in a folder, or no file if the server does not say."""
        try:
            with self._translated_errors(folder):
                names = self._answer(_names(self._line.client, self._encoded(folder or ".")))
        except (NotThere, BadSpec):
            names = []
        self.last_listing = self._decoded(names, folder)
        return self.last_listing

    def _decoded(self, names: list[asyncssh.SFTPName], folder: str) -> Listing:
        files, undecoded = dict[str, Remote](), list[bytes]()
        for found in names:
            name = bytes(found.filename) if isinstance(found.filename, bytes) else found.filename.encode()
            try:
                # Of a link these are its own, and not those of the file that it leads to.
                files[name.decode(self._line.encoding)] = (
                    Remote(None, "") if _is_link(found.attrs) else _remote(found.attrs)
                )
            except UnicodeDecodeError:
                undecoded.append(name)
                log.info(
                    "%s: a name that is not %s is passed over: %s", folder or ".", self.names_encoding, escaped(name)
                )
        return Listing(files, tuple(undecoded))

    async def _retrieve(self, path: bytes, start: int, take: Callable[[bytes], None]) -> None:
        file = await asyncio.wait_for(self._line.client.open(path, "rb", block_size=0), self._limit_s)
        size = min(self._line.client.limits.max_read_len or BLOCK_BYTES, BLOCK_BYTES)
        async with aclosing(_blocks(file, start, size, self._limit_s)) as blocks:
            async for block in blocks:
                take(block)
        await asyncio.wait_for(file.close(), self._limit_s)

    async def _store(self, path: bytes, content: BinaryIO) -> None:
        file = await asyncio.wait_for(self._line.client.open(path, "wb"), self._limit_s)
        while block := content.read(STORED_BYTES):
            await asyncio.wait_for(file.write(block), self._limit_s)
        # What could not be written is told now at the latest.
        await asyncio.wait_for(file.close(), self._limit_s)


async def _blocks(file: Any, at: int, size: int, limit_s: float) -> AsyncGenerator[bytes, None]:
    """Yield a file's blocks in order, up to its end; the next ones are asked for before the first is here.

    size: of a block. asyncssh can do it too, but fills a gap with zeros if the file grows meanwhile.
    """
    asked, most = deque[asyncio.Future[bytes]](), 1
    try:
        while True:
            while len(asked) < most:
                asked.append(asyncio.ensure_future(file.read(size, at + len(asked) * size)))
            block = await asyncio.wait_for(asked.popleft(), limit_s)
            if not block:
                return
            yield block
            at, most = at + len(block), min(2 * most, MOST_AHEAD)
            if len(block) < size:
                # The others were asked for at places that do not follow it.
                await _forget(asked)
                size = max(len(block), LEAST_BYTES)
    finally:
        await _forget(asked)


async def _forget(asked: deque[asyncio.Future[bytes]]) -> None:
    for question in asked:
        question.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    asked.clear()


async def _names(client: asyncssh.SFTPClient, folder: bytes) -> list[asyncssh.SFTPName]:
    return [name async for name in client.scandir(folder) if not _is_folder(name.attrs)]


def _is_folder(attributes: asyncssh.SFTPAttrs) -> bool:
    return attributes.permissions is not None and stat.S_ISDIR(attributes.permissions)


def _is_link(attributes: asyncssh.SFTPAttrs) -> bool:
    return attributes.permissions is not None and stat.S_ISLNK(attributes.permissions)


def _remote(attributes: asyncssh.SFTPAttrs) -> Remote:
    return Remote(attributes.size, "" if attributes.mtime is None else str(attributes.mtime))
