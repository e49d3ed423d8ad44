"""Files on a disk that survive a crash while writing, a power cut and a full disk.

Used by storage/folder.py only. A temporary file is locked while its writer lives, so one that is not locked is left
over from a dead writer.
"""

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from daybook.errors import BadSpec, SourceUnavailable

PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG)
# A younger file without a lock may have been created just now.
LEFT_OVER_AFTER_S = 60.0


@contextmanager
def disk_errors(place: object) -> Iterator[None]:
    """Translate the disk's errors into ours, by what to do next. place: the file or folder written to."""
    try:
        yield
    except OSError as error:
        said = f"{place}: the disk refuses to write here ({error.strerror}); nothing was published"
        if error.errno in PASSING:
            needed = _needed(Path(getattr(place, "path", str(place))))
            raise SourceUnavailable(f"{said}; what was half written is removed; {needed}") from None
        if error.errno in FORBIDDEN:
            raise BadSpec(f"{said}; give the tasks' user the right to write, then clear the task") from None
        raise


def _needed(place: Path) -> str:
    disk = os.statvfs(next(folder for folder in (place, *place.parents) if folder.exists()))
    # A disk with free space takes no new file if no inode is left. Some disks do not count inodes, and report 0 of 0.
    is_out_of_inodes = disk.f_files > 0 and disk.f_favail == 0
    return "make room: no inode is left, so remove files that nobody needs" if is_out_of_inodes else "make room"


@contextmanager
def temporary(folder: Path | None, name: str) -> Iterator[Path]:
    """Return the path of a temporary file in a folder, or on this machine's disk; removed when the block ends."""
    scratch = None if folder else Path(tempfile.mkdtemp(prefix="daybook-"))
    place = folder or scratch or Path()
    place.mkdir(parents=True, exist_ok=True)
    # The name starts with a dot and ends in .tmp, so nobody mistakes it for a result; random bytes make it unique.
    path = place / f".{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        if scratch:
            shutil.rmtree(scratch)


@contextmanager
def durable(path: Path) -> Iterator[BinaryIO]:
    """Write a new file, locked until then, whose bytes are on the disk when the block ends; it can be read too."""
    with path.open("w+b") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield file
        file.flush()
        os.fsync(file.fileno())


def put(path: Path, target: Path, *, is_last: bool = True) -> None:
    """Rename a file or link, in one step: readers see the old or the new, even after a power cut.

    is_last: the name is on the disk afterwards; if False, only once the next one in its folder is.
    """
    os.replace(path, target)
    if is_last:
        sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_left_over(folder: Path, older_s: float = LEFT_OVER_AFTER_S) -> None:
    """Remove the temporary files and links below a folder that no living process is writing."""
    for path in left_over(folder, older_s):
        path.unlink(missing_ok=True)


def left_over(folder: Path, older_s: float = LEFT_OVER_AFTER_S) -> Iterator[Path]:
    """Return the temporary files and links below a folder that no living process is writing, by their names."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        # os.walk lists a temporary link to a folder among the folders.
        for path in (Path(place, name) for name in sorted((*folders, *files)) if _is_temporary(name)):
            if time.time() - path.lstat().st_mtime > older_s and not _is_written(path):
                yield path


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(".tmp")


def _is_written(path: Path) -> bool:
    if path.is_symlink():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
