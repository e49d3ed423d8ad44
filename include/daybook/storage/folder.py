"""The day's files: the only access to disk or object storage. A file is there whole, or not at all.

The caller passes a `upath.UPath` (or Airflow's ObjectStoragePath), and so decides where the files live. On a disk it
becomes a `pathlib.Path`, which is ten times as fast; a file is written there under a temporary name, synced, and
renamed. Elsewhere it is written on this machine's disk first and uploaded in one piece, which object stores show whole
or not at all.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import BufferedReader
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from daybook.errors import BadData, BrokenChain
from daybook.storage import disk
from daybook.storage.disk import disk_errors, durable
from daybook.storage.partial_file import PartialFile

# The way out for a file of a run that is gone or damaged.
MADE_AGAIN = (
    "nothing was published; clear the run's first tasks, or run the day again (./daybook day DAY), to make it again"
)


class Written(NamedTuple):
    """A file that was written: its size and the hash of its bytes."""

    size_bytes: int
    sha256: str


class Folder:
    """A folder of files. Folders below it are created when they are written to."""

    def __init__(self, path: Any) -> None:
        is_local = getattr(path, "protocol", "") in ("", "file", "local")
        self.path: Any = Path(getattr(path, "path", path)) if is_local else path

    def __truediv__(self, name: str) -> "Folder":
        return Folder(self.path / name)

    def has(self, name: str) -> bool:
        """Return whether a file of that name is there."""
        return bool((self.path / name).exists())

    def exists(self) -> bool:
        """Return whether the folder is there."""
        return bool(self.path.exists())

    def make_private(self) -> None:
        """Create the folder, readable by its owner only, if it is missing; an object store has its own rules."""
        if self._is_local():
            with disk_errors(self.path):
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Return the names of all that lies in the folder; none if it is missing, or a file."""
        return sorted(path.name for path in self.path.iterdir()) if self.path.is_dir() else []

    def remove(self) -> None:
        """Remove the folder and all that is in it, if it exists."""
        if self._is_local():
            shutil.rmtree(self.path, ignore_errors=True)
        elif self.exists():
            self.path.fs.rm(self.path.path, recursive=True)

    def remove_if_empty(self) -> None:
        """Remove the folder if nothing is in it; an object store has no empty folders."""
        if self._is_local():
            with suppress(OSError):
                self.path.rmdir()

    def become(self, other: "Folder") -> None:
        """Let the folder be this other one, which is not there."""
        if not self._is_local():
            self.path.fs.mv(self.path.path, other.path.path, recursive=True)
            return
        with disk_errors(other.path):
            other.path.parent.mkdir(parents=True, exist_ok=True)
            disk.put(self.path, other.path)

    def has_folder(self, name: str) -> bool:
        """Return whether a folder of that name is there; a link to one is none."""
        return bool((self.path / name).is_dir()) and name not in self.pointers()

    def move(self, name: str, other: "Folder") -> str:
        """Move a file, link or folder into another folder, under its name or with `.2`, `.3` … if that is taken.

        Returns the new name.
        """
        taken = other.names()
        free = name if name not in taken else next(one for n in count(2) if (one := f"{name}.{n}") not in taken)
        if not self._is_local():
            self.path.fs.mv((self.path / name).path, (other.path / free).path, recursive=True)
            return free
        with disk_errors(other.path):
            other.path.mkdir(parents=True, exist_ok=True)
            disk.put(self.path / name, other.path / free)
        return free

    def remove_left_over(self) -> None:
        """Remove half-written files of dead processes in and below the folder; object stores never have any."""
        if self._is_local():
            disk.remove_left_over(self.path)

    def left_over(self) -> Iterator[tuple["Folder", str]]:
        """Return the half-written files of dead processes in and below the folder, each with the folder it is in."""
        for path in disk.left_over(self.path) if self._is_local() else ():
            yield Folder(path.parent), path.name

    def days_since_written(self) -> float:
        """Return the age in days of the newest file in or below the folder; 0 if that is unknown."""
        times = [path.stat().st_mtime for path in self.path.rglob("*") if path.is_file()]
        # Some object stores keep no time, and report 0.
        return (time.time() - max(times)) / 86_400 if times and all(times) else 0.0

    @contextmanager
    def new_file(self, name: str, *, is_last: bool = True) -> Iterator[BinaryIO]:
        """Write a file: it takes its name when the block ends, and leaves nothing if the block raises.

        is_last: False if another file of this folder follows, without which nobody reads this one. Then only the bytes
        are synced, and the name is with that file: syncing a folder takes as long as syncing a small file.
        """
        with disk_errors(self.path), self._temporary(name) as temporary:
            with durable(temporary) as file:
                yield file
            self._put(temporary, name, is_last=is_last)

    def write_first(self, name: str, content: bytes) -> None:
        """Write a file unless it exists. If two write at once, the first wins on a disk, the last one elsewhere."""
        if not self._is_local():
            with self.new_file(name) as file:
                file.write(content)
            return
        with disk_errors(self.path), self._temporary(name) as temporary, suppress(FileExistsError):
            with durable(temporary) as file:
                file.write(content)
            os.link(temporary, self.path / name)

    def write_hint(self, name: str, content: str) -> None:
        """Write a file that only saves time: it may be lost or empty after a power cut."""
        with disk_errors(self.path), self._temporary(name) as temporary:
            temporary.write_text(content)
            if self._is_local():
                os.replace(temporary, self.path / name)
            else:
                self._put(temporary, name)

    @property
    def keeps_parts(self) -> bool:
        """Return whether a partial file stays here for the next try."""
        return self._is_local()

    @property
    def kept_bytes(self) -> int:
        """Return the size of all partial files that wait here for their next try."""
        return sum(path.stat().st_size for path in self.path.glob(".*.part")) if self._is_local() else 0

    @contextmanager
    def partial_file(self, name: str) -> Iterator[PartialFile]:
        """Write a file over several tries: it takes its name when the block ends.

        If the block raises, the written bytes stay for the next try, unless the data is bad. Outside a disk there is
        nowhere to keep them.
        """
        with self._place() as place:
            with disk_errors(place):
                place.mkdir(parents=True, exist_ok=True)
            part = PartialFile(place, name)
            try:
                yield part
                self._put(part.path, name)
            except BadData:
                part.path.unlink(missing_ok=True)
                raise
            finally:
                part.close()

    def written(self, name: str) -> Written:
        """Return the size and hash of a file, read back from its place."""
        with self.open(name) as file:
            digest = hashlib.file_digest(cast(BufferedReader, file), "sha256")
            return Written(file.tell(), digest.hexdigest())

    def remove_file(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def content(self, name: str) -> bytes | None:
        """Return a file's bytes; None if there is no file of that name."""
        try:
            with self.open(name) as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def text(self, name: str) -> str:
        """Return a file's text."""
        return str((self.path / name).read_text())

    def take(self, name: str, other: "Folder") -> None:
        """Put a file of another folder here too; on one disk it is the same file under two names."""
        if self.path == other.path:
            return
        if not self._is_local():
            self.path.fs.copy((other.path / name).path, (self.path / name).path)
            return
        with disk_errors(self.path), self._temporary(name) as temporary:
            os.link(other.path / name, temporary)
            os.replace(temporary, self.path / name)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return cast(BinaryIO, (self.path / name).open("rb"))

    def fault(self, name: str, sha256: str) -> str:
        """Return "gone" or "changed" if a file is not there, or no longer has this hash; "" if all is well."""
        if not self.has(name):
            return "gone"
        return "" if self.written(name).sha256 == sha256 else "changed"

    def open_unchanged(self, name: str, sha256: str) -> BinaryIO:
        """Open a file for reading. Raises BrokenChain if it is gone, or its bytes no longer match `sha256`."""
        if not self.has(name):
            raise BrokenChain(f"{self.path / name}: the file is gone; sha256 {sha256[:12]}… expected; {MADE_AGAIN}")
        found = self.written(name).sha256
        if found != sha256:
            raise BrokenChain(
                f"{self.path / name}: sha256 {sha256[:12]}… expected, {found[:12]}… found: the file was changed or "
                f"damaged after it was written; {MADE_AGAIN}"
            )
        return self.open(name)

    def local_place(self) -> Path | None:
        """Return the folder if it is on a disk, created if it is missing; None if it is elsewhere."""
        if not self._is_local():
            return None
        self.path.mkdir(parents=True, exist_ok=True)
        return cast(Path, self.path)

    @contextmanager
    def _place(self) -> Iterator[Path]:
        if self._is_local():
            yield self.path
            return
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)

    def _temporary(self, name: str) -> AbstractContextManager[Path]:
        return disk.temporary(self.path if self._is_local() else None, name)

    def _is_local(self) -> bool:
        return isinstance(self.path, Path)

    def _put(self, temporary: Path, name: str, *, is_last: bool = True) -> None:
        if not self._is_local():
            self.path.fs.put_file(str(temporary), (self.path / name).path)
            return
        disk.put(temporary, self.path / name, is_last=is_last)

    def point(self, name: str, target: str) -> None:
        """Point `name` at the folder `target` (relative to this one), in one step: readers see the old or the new one.

        On a disk it is a symbolic link; elsewhere a file `<name>.json` that names the target.
        """
        if not self._is_local():
            with self.new_file(f"{name}.json") as file:
                file.write(f'{{"folder": "{target}"}}\n'.encode())
            return
        with disk_errors(self.path), self._temporary(name) as link:
            link.symlink_to(target)
            self._put(link, name)

    def pointed_to(self, name: str) -> str:
        """Return the folder that `name` points to, relative to this one, or "" if it points to none."""
        if self._is_local():
            link = self.path / name
            return str(link.readlink()) if link.is_symlink() else ""
        try:
            return str(json.loads(self.content(f"{name}.json") or b"")["folder"])
        except (ValueError, LookupError, TypeError):
            # It is not there, or is damaged: the next deployment of the pipeline writes it anew.
            return ""

    def pointers(self) -> list[str]:
        """Return the names that point to a folder, as `point` makes them."""
        if self._is_local():
            return [name for name in self.names() if (self.path / name).is_symlink()]
        return [name.removesuffix(".json") for name in self.names() if name.endswith(".json")]

    def remove_pointer(self, name: str) -> None:
        """Let `name` point to nothing; what it pointed to stays."""
        self.remove_file(name if self._is_local() else f"{name}.json")
