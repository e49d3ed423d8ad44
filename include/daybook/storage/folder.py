"""The day's files on a disk. A file is there whole, or not at all: under a temporary name, synced, and then renamed.

In an object store the same is done by storage/store_folder.py, whose folder is one of these.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self, cast

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
        """Remember the path; no disk is touched. path: a Path, or another path of a disk."""
        self.path: Any = Path(path)

    def __truediv__(self, name: str) -> Self:
        return type(self)(self.path / name)

    def has(self, name: str) -> bool:
        """Return whether a file of that name is there."""
        return bool((self.path / name).exists())

    def exists(self) -> bool:
        """Return whether the folder is there."""
        return bool(self.path.exists())

    def make_private(self) -> None:
        """Create the folder, readable by its owner only, if it is missing; an object store has its own rules."""
        with disk_errors(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Return the names of all that lies in the folder; none if it is missing, or a file."""
        return sorted(path.name for path in self.path.iterdir()) if self.path.is_dir() else []

    def remove(self) -> None:
        """Remove the folder and all that is in it, if it exists."""
        shutil.rmtree(self.path, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Remove the folder if nothing is in it; an object store has no empty folders."""
        with suppress(OSError):
            self.path.rmdir()

    def become(self, other: "Folder") -> None:
        """Let the folder be this other one, which is not there."""
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
        free = other.free_name(name)
        with disk_errors(other.path):
            other.path.mkdir(parents=True, exist_ok=True)
            disk.put(self.path / name, other.path / free)
        return free

    def free_name(self, name: str) -> str:
        """Return a name that nothing in the folder has: this one, or with `.2`, `.3` …"""
        taken = self.names()
        return name if name not in taken else next(one for n in count(2) if (one := f"{name}.{n}") not in taken)

    def remove_left_over(self) -> None:
        """Remove half-written files of dead processes in and below the folder."""
        disk.remove_left_over(self.path)

    def left_over(self) -> Iterator[tuple["Folder", str]]:
        """Return the half-written files of dead processes in and below the folder, each with the folder it is in."""
        for path in disk.left_over(self.path):
            yield Folder(path.parent), path.name

    def days_since_written(self) -> float:
        """Return the age in days of the newest file in or below the folder; 0 if there is none."""
        times = [path.stat().st_mtime for path in self.path.rglob("*") if path.is_file()]
        return (time.time() - max(times)) / 86_400 if times else 0.0

    @contextmanager
    def new_file(self, name: str, *, is_last: bool = True) -> Iterator[BinaryIO]:
        """Write a file: it takes its name when the block ends, and leaves nothing if the block raises.

        is_last: False if another file of this folder follows, without which nobody reads this one. Then only the bytes
        are synced, and the name is with that file: syncing a folder takes as long as syncing a small file.
        """
        with disk_errors(self.path), disk.temporary(self.path, name) as temporary:
            with durable(temporary) as file:
                yield file
            disk.put(temporary, self.path / name, is_last=is_last)

    def write_first(self, name: str, content: bytes) -> None:
        """Write a file unless it exists. If two write at once, the first wins."""
        with disk_errors(self.path), disk.temporary(self.path, name) as temporary, suppress(FileExistsError):
            with durable(temporary) as file:
                file.write(content)
            os.link(temporary, self.path / name)

    def write_hint(self, name: str, content: str) -> None:
        """Write a file that only saves time: it may be lost or empty after a power cut."""
        with disk_errors(self.path), disk.temporary(self.path, name) as temporary:
            temporary.write_text(content)
            os.replace(temporary, self.path / name)

    @property
    def keeps_parts(self) -> bool:
        """Return whether a partial file stays here for the next try."""
        return True

    @property
    def kept_bytes(self) -> int:
        """Return the size of all partial files that wait here for their next try."""
        return sum(path.stat().st_size for path in self.path.glob(".*.part"))

    @contextmanager
    def partial_file(self, name: str) -> Iterator[PartialFile]:
        """Write a file over several tries: it takes its name when the block ends.

        If the block raises, the written bytes stay for the next try, unless the data is bad.
        """
        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        part = PartialFile(self.path, name)
        try:
            yield part
            disk.put(part.path, self.path / name)
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
        with self.open(name) as file:
            return file.read().decode()

    def take(self, name: str, other: "Folder") -> None:
        """Put a file of another folder here too; on one disk it is the same file under two names."""
        if self.path == other.path:
            return
        with disk_errors(self.path), disk.temporary(self.path, name) as temporary:
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
            raise BrokenChain(gone(self.path / name, sha256))
        found = self.written(name).sha256
        if found != sha256:
            raise BrokenChain(changed(self.path / name, sha256, found))
        return self.open(name)

    def local_place(self) -> Path | None:
        """Return the folder if it is on a disk, created if it is missing; None if it is elsewhere."""
        self.path.mkdir(parents=True, exist_ok=True)
        return cast(Path, self.path)

    def point(self, name: str, target: str) -> None:
        """Point `name` at the folder `target` (relative to this one), in one step: readers see the old or the new one.

        On a disk it is a symbolic link.
        """
        with disk_errors(self.path), disk.temporary(self.path, name) as link:
            link.symlink_to(target)
            disk.put(link, self.path / name)

    def pointed_to(self, name: str) -> str:
        """Return the folder that `name` points to, relative to this one, or "" if it points to none."""
        link = self.path / name
        return str(link.readlink()) if link.is_symlink() else ""

    def pointers(self) -> list[str]:
        """Return the names that point to a folder, as `point` makes them."""
        return [name for name in self.names() if (self.path / name).is_symlink()]

    def remove_pointer(self, name: str) -> None:
        """Let `name` point to nothing; what it pointed to stays."""
        self.remove_file(name)


def gone(path: object, sha256: str) -> str:
    """Return the message for a file that is not there any more."""
    return f"{path}: the file is gone; sha256 {sha256[:12]}… expected; {MADE_AGAIN}"


def changed(path: object, sha256: str, found: str) -> str:
    """Return the message for a file with other bytes than were written."""
    return (
        f"{path}: sha256 {sha256[:12]}… expected, {found[:12]}… found: the file was changed or damaged after it was "
        f"written; {MADE_AGAIN}"
    )
