"""A folder copied to another place, on a disk or in an object store: files first and checked, then what points to them.

It may be done again after it was ended half way, or after more was written: only what differs is copied.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from daybook.errors import SourceUnavailable
from daybook.storage.folder import Folder

BLOCK_BYTES = 1024 * 1024


class Copied(NamedTuple):
    """How many files were copied, how many bytes they have, and how many were there already."""

    files: int = 0
    size_bytes: int = 0
    known: int = 0


def copy_folder(source: Folder, target: Folder) -> Copied:
    """Copy all that is in and below a folder; half-written files are left out, and what else is in the target stays.

    What goes meanwhile is left out too.

    Raises SourceUnavailable if a file is not the same at its new place.
    """
    done, pointers = Copied(), list[tuple[Folder, str, str]]()
    for folder, into in _folders(source, target):
        for name in folder.names():
            if to := folder.pointed_to(name.removesuffix(".json")):
                pointers.append((into, name.removesuffix(".json"), to))
            elif not folder.has_folder(name) and not _is_half_written(name):
                with suppress(FileNotFoundError):
                    done = _with(done, _copy(folder, into, name))
    for into, name, to in pointers:
        if into.pointed_to(name) != to:
            into.point(name, to)
    return done


def _folders(source: Folder, target: Folder) -> Iterator[tuple[Folder, Folder]]:
    yield source, target
    for name in source.names():
        if source.has_folder(name) and not source.pointed_to(name):
            yield from _folders(source / name, target / name)


def _is_half_written(name: str) -> bool:
    return name.startswith(".") and name.endswith((".tmp", ".part"))


def _with(done: Copied, size_bytes: int | None) -> Copied:
    if size_bytes is None:
        return done._replace(known=done.known + 1)
    return done._replace(files=done.files + 1, size_bytes=done.size_bytes + size_bytes)


def _copy(folder: Folder, into: Folder, name: str) -> int | None:
    """Copy a file and return its size; None if it is there already."""
    wanted = folder.written(name)
    if not into.fault(name, wanted.sha256):
        return None
    size_bytes = 0
    with folder.open(name) as file, into.new_file(name) as new:
        while block := file.read(BLOCK_BYTES):
            size_bytes += new.write(block)
    if into.fault(name, wanted.sha256):
        raise SourceUnavailable(
            f"{into.path / name}: it is not the same at its new place; what was there before is as it was; see that "
            "nobody writes to it, and give the command again"
        )
    return size_bytes
