"""The day's files: the only access to disk or object storage. A file is there whole, or it is not there.

A folder is a `upath.UPath` (Airflow's ObjectStoragePath works alike) that the caller hands in, so where the files
live is the caller's setting. On a disk a file is written under a temporary name, synced, and renamed; elsewhere it is
written on this machine's disk first and put in one piece, which object stores show whole or not at all.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from daybook.errors import SourceUnavailable


class Written(NamedTuple):
    """A file that was written: its size and the hash of its bytes."""

    size_bytes: int
    sha256: str


class Folder:
    """A folder of files. Folders below it are made as they are written to."""

    def __init__(self, path: Any) -> None:
        self.path = path

    def __truediv__(self, name: str) -> "Folder":
        return Folder(self.path / name)

    def has(self, name: str) -> bool:
        """Say whether a file of that name is there."""
        return bool((self.path / name).exists())

    @contextmanager
    def new_file(self, name: str) -> Iterator[BinaryIO]:
        """Write a file: it takes its name when the block ends, and leaves nothing when the block raises."""
        with self._temporary(name) as temporary:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            self._put(temporary, name)

    def written(self, name: str) -> Written:
        """Give the size and hash of a file, read back from where it lies."""
        with self.open(name) as file:
            digest = hashlib.file_digest(cast(BufferedReader, file), "sha256")
            return Written(file.tell(), digest.hexdigest())

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return cast(BinaryIO, (self.path / name).open("rb"))

    def open_unchanged(self, name: str, sha256: str) -> BinaryIO:
        """Open a file for reading. Raises SourceUnavailable where its bytes are not those of `sha256` any more."""
        found = self.written(name).sha256
        if found != sha256:
            raise SourceUnavailable(
                f"{self.path / name}: sha256 {sha256[:12]}… expected, {found[:12]}… found: the file was changed or "
                "damaged after it was written; nothing was published; clear the run's first tasks to make it again"
            )
        return self.open(name)

    def _temporary(self, name: str) -> "_Temporary":
        return _Temporary(Path(self.path.path) if self._is_local() else None, name)

    def _is_local(self) -> bool:
        return self.path.protocol in ("", "file", "local")

    def _put(self, temporary: Path, name: str) -> None:
        if not self._is_local():
            self.path.fs.put_file(str(temporary), (self.path / name).path)
            return
        os.replace(temporary, Path(self.path.path) / name)
        sync_folder(Path(self.path.path))

    def point(self, name: str, target: str) -> None:
        """Let `name` stand for the folder `target` (relative to this one), in one step: readers see old or new.

        On a disk it is a symbolic link; elsewhere, where there are none, a file `<name>.json` that names the target.
        """
        if not self._is_local():
            with self.new_file(f"{name}.json") as file:
                file.write(f'{{"folder": "{target}"}}\n'.encode())
            return
        folder = Path(self.path.path)
        link = folder / f".{name}.{os.getpid()}.tmp"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        os.replace(link, folder / name)
        sync_folder(folder)


class _Temporary:
    """A temporary file beside the wanted one, or on this machine's disk; it is gone when the block ends."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self.folder, self.name, self.scratch = folder, name, None if folder else Path(tempfile.mkdtemp())

    def __enter__(self) -> Path:
        folder = self.folder or cast(Path, self.scratch)
        folder.mkdir(parents=True, exist_ok=True)
        # The name starts with a dot and ends in .tmp, so nobody takes it for a file of ours; the pid keeps two apart.
        self.path = folder / f".{self.name}.{os.getpid()}.tmp"
        return self.path

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)
        if self.scratch:
            shutil.rmtree(self.scratch)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder durable: after a power cut the new name is there."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
