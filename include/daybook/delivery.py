"""What makes up a source on a day: one file, a declared number of parts, or the parts that a manifest names. Pure.

ftp_ready.py waits until a delivery is there, ftp_parts.py copies it, raw_files.py says where its rows are found later.
"""

import posixpath
from datetime import date
from typing import NamedTuple

from daybook.delivery_lists import named
from daybook.spec import MOST_PARTS, File


class Part(NamedTuple):
    """One file of a delivery. number: from 1 on, of `of`; 0 where it is the only file, or the manifest.

    name: what messages begin with. sha256: what the manifest tells, or "".
    """

    source: str
    path: str
    name: str
    number: int = 0
    of: int = 1
    sha256: str = ""

    @property
    def stem(self) -> str:
        """Give what its raw file, its looks and its notes are called."""
        return f"{self.source}.{self.number}" if self.number else self.source


class Manifest(NamedTuple):
    """A manifest as it was read: its bytes, and when it was changed, as the server writes it."""

    content: bytes
    modified_at: str


class Delivery(NamedTuple):
    """The files of a source on a day, in the order of their rows. size_bytes: of all, as far as the server says."""

    file: File
    day: date
    parts: tuple[Part, ...]
    manifest: Manifest | None = None
    size_bytes: int = 0

    @property
    def where(self) -> str:
        """Give what messages about the whole begin with."""
        return f"{self.file.connection}: {self.file.path_on(self.day)}"


def declared(file: File, day: date) -> tuple[Part, ...]:
    """Give the parts of a file whose path the spec gives."""
    if file.parts is None:
        return (_part(file, file.path_on(day)),)
    return tuple(_part(file, file.path_on(day, number), number) for number in range(1, file.parts + 1))


def listed(file: File, day: date, content: bytes) -> tuple[Part, ...]:
    """Give the parts that a manifest names. Raises BadData where it is not one."""
    path = file.path_on(day)
    entries = named(content, posixpath.basename(path), f"{file.connection}: {path}", MOST_PARTS)
    return tuple(
        Part(file.name, posixpath.join(posixpath.dirname(path), e.name), e.name, number, len(entries), e.sha256)
        for number, e in enumerate(entries, 1)
    )


def manifest_of(file: File, day: date) -> Part:
    """Give the manifest of a file that has one."""
    path = file.path_on(day)
    return Part(f"{file.name}.manifest", path, posixpath.basename(path))


def _part(file: File, path: str, number: int = 0) -> Part:
    return Part(file.name, path, posixpath.basename(path), number, file.parts or 1)
