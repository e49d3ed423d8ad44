"""A folder of this machine, or of a share that it has mounted, as a server of files: the same looks, copies and checks.

Somebody else writes there, so a file may grow, change or go away while it is copied, as on any server.
"""

import os
import posixpath
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from daybook.errors import BadSpec, SourceUnavailable
from daybook.ftp.listing import BLOCK_BYTES, NO_LISTING, Listing, Remote
from daybook.ftp.replies import Broken, NotThere
from daybook.spec import Value
from daybook.storage.disk import durable, put
from daybook.storage.shortage import NO_MORE_FILES, no_more_files


class LocalFolder(Value):
    """A folder; `path` comes from the connection's extra. Paths of a spec begin in it, and do not lead out of it."""

    path: str

    def open(self, time_limit_s: float) -> "LocalLine":
        """Return the folder, ready for use; a time limit is not needed. Raises SourceUnavailable if it is not there."""
        if not Path(self.path).is_dir():
            raise SourceUnavailable(
                f"{self.path}: there is no such folder on this machine; nothing was copied; it is looked at again; "
                "mount it, or mend path in the connection's extra"
            )
        return LocalLine(Path(self.path))


class LocalLine:
    """A folder at work, both the line and its session (ftp/session.py says what they do)."""

    # Nothing goes over a network.
    is_encrypted = None
    names_encoding = "utf-8"
    writes_whole = False

    def __init__(self, folder: Path) -> None:
        self._folder, self._name = folder, ""
        self.sock: object = folder
        self.last_listing: Listing = NO_LISTING

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def session(self, name: str, time_limit_s: float) -> "LocalLine":
        """Begin a session. name: its name in messages."""
        self._name = name
        return self

    def close(self) -> None:
        """End the use of the folder."""
        self.sock = None

    def look(self, path: str) -> Remote:
        """Return what the disk says about a file. Raises NotThere if there is none."""
        try:
            with self._translated_errors(path):
                return _remote(self._at(path).stat())
        except NotThere:
            self._list(posixpath.dirname(path))
            raise

    def names(self, folder: str) -> Iterable[str]:
        """Return the names of the files in a folder; none if there is no such folder."""
        return self._list(folder).files

    def is_listed(self, path: str) -> bool:
        """Return whether its folder has the file."""
        return posixpath.basename(path) in self._list(posixpath.dirname(path)).files

    def retrieve(self, path: str, start: int, take: Callable[[bytes], None]) -> None:
        """Copy a file from byte `start` to its end, block by block. Raises NotThere if there is none."""
        with self._translated_errors(path):
            file = self._at(path).open("rb")
        with file:
            file.seek(start)
            while block := self._block(path, file.read):
                take(block)

    def make_folder(self, folder: str) -> None:
        """Make a folder, and those above it, unless it is there."""
        with self._translated_errors(folder):
            self._at(folder).mkdir(parents=True, exist_ok=True)

    def store(self, path: str, content: BinaryIO) -> None:
        """Write a file. Raises BadSpec if we may not, Broken if there is no room."""
        with self._translated_errors(path), durable(self._at(path)) as file:
            shutil.copyfileobj(content, file)

    def replace(self, path: str, new: str) -> None:
        """Let a file have another name, in place of the file of that name."""
        with self._translated_errors(new):
            put(self._at(path), self._at(new))

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with self._translated_errors(path):
            self._at(path).unlink(missing_ok=True)

    def _block(self, path: str, read: Callable[[int], bytes]) -> bytes:
        # What `take` raises is about our own disk, and is not translated.
        with self._translated_errors(path):
            return read(BLOCK_BYTES)

    def _list(self, folder: str) -> Listing:
        files, undecoded = dict[str, Remote](), list[bytes]()
        try:
            with self._translated_errors(folder), os.scandir(os.fsencode(self._at(folder))) as found:
                names = sorted(entry.name for entry in found if entry.is_file())
        except NotThere:
            names = []
        for name in names:
            try:
                files[name.decode(self.names_encoding)] = Remote(None, "")
            except UnicodeDecodeError:
                undecoded.append(name)
        self.last_listing = Listing(files, tuple(undecoded))
        return self.last_listing

    def _at(self, path: str) -> Path:
        if path.startswith("/") or ".." in path.split("/"):
            raise BadSpec(
                f"{self._name}: {path}: the path leads out of the folder {self._folder}; nothing was copied; mend the "
                "path in the spec, or path in the connection's extra"
            )
        return self._folder / path

    @contextmanager
    def _translated_errors(self, path: str) -> Iterator[None]:
        where = f"{self._name}: {path}"
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotThere(f"{where}: there is no such file in the folder {self._folder}") from None
        except PermissionError:
            raise BadSpec(
                f"{where}: we may not read or write it in the folder {self._folder}; not tried again; have the right "
                "to it given to the user as whom tasks run"
            ) from None
        except OSError as error:
            if error.errno in NO_MORE_FILES:
                raise SourceUnavailable(f"{where}: {no_more_files(error)}") from None
            raise Broken(f"{where}: the folder cannot be read, or written to ({error.strerror})") from None


def _remote(found: os.stat_result) -> Remote:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError
    return Remote(found.st_size, str(found.st_mtime_ns), f"{found.st_dev}:{found.st_ino}")
