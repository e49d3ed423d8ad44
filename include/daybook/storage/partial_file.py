"""A file that is written over several tries: each try goes on where the last one ended.

The part lies beside the wanted file, `.<name>.<version>.<process>.part`, readable by its owner only. A part of another
version is thrown away; one that another process holds open, even a stopped one, is left alone.
"""

import fcntl
import hashlib
import os
import shutil
from io import FileIO
from pathlib import Path

from daybook.errors import DaybookError
from daybook.storage.disk import disk_errors

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class PartialFile:
    """The part of `<folder>/<name>`. Its methods raise the disk's errors as `disk_errors` translates them."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._file: FileIO | None = None
        self.path = folder / f".{name}.part"

    def open(self, version: str) -> None:
        """Go on with an earlier try's part of this version, or start anew. version: any text, such as size and time."""
        mark = _mark(version)
        with disk_errors(self._folder):
            kept = [left for left in map(self._kept, self._left()) if left]
            for file in kept:
                if self._file is None and f".{mark}." in Path(str(file.name)).name:
                    self._use(file)
                else:
                    Path(str(file.name)).unlink()
                    file.close()
            if self._file is None:
                self._use(_locked(self._folder / f".{self._name}.{mark}.{os.getpid()}.part", os.O_CREAT))

    @property
    def size_bytes(self) -> int:
        """Return the number of bytes written."""
        return os.fstat(self._opened.fileno()).st_size

    @property
    def kept_bytes(self) -> int:
        """Return the size of all part files in the folder."""
        return sum(path.stat().st_size for path in self._folder.glob(".*.part"))

    @property
    def free_bytes(self) -> int:
        """Return the number of bytes free on the disk."""
        return shutil.disk_usage(self._folder).free

    def write(self, block: bytes) -> None:
        """Append a block. If the disk fails or is full, the part is thrown away, which makes room."""
        try:
            with disk_errors(self._folder):
                self._opened.seek(0, os.SEEK_END)
                view = memoryview(block)
                while view:
                    view = view[self._opened.write(view) :]
        except DaybookError:
            self.restart()
            raise

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes from `start` on, fewer at the end."""
        return os.pread(self._opened.fileno(), count, start)

    def restart(self) -> None:
        """Throw away all that is written."""
        self._opened.truncate(0)

    def sha256(self) -> str:
        """Return the sha256 of all that is written."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def sync(self) -> None:
        """Make all that is written durable."""
        with disk_errors(self._folder):
            os.fsync(self._opened.fileno())

    def close(self) -> None:
        """Let another process go on with the part."""
        if self._file:
            self._file.close()

    @property
    def _opened(self) -> FileIO:
        assert self._file, "open() comes first"  # noqa: S101 - a bug of the caller's, never of the data
        return self._file

    def _left(self) -> list[Path]:
        start, end = f".{self._name}.", ".part"
        return sorted(p for p in self._folder.iterdir() if p.name.startswith(start) and p.name.endswith(end))

    def _kept(self, path: Path) -> FileIO | None:
        try:
            return _locked(path)
        except BlockingIOError:
            return None

    def _use(self, file: FileIO) -> None:
        self._file, self.path = file, Path(str(file.name))


def _locked(path: Path, flag: int = 0) -> FileIO:
    file = FileIO(path, "r+", opener=lambda name, flags: os.open(name, flags | flag, 0o600))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise
    return file


def _mark(version: str) -> str:
    # After a power cut a part may hold zeros that were never written, so none is used across a reboot.
    boot = BOOT_ID.read_text() if BOOT_ID.exists() else ""
    return hashlib.sha256(f"{version} {boot}".encode()).hexdigest()[:16]
