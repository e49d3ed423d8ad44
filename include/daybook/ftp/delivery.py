"""The files of a source on a day: one file, a declared number of parts, or the parts that a manifest names. Pure.

Suppliers put lists beside their files: the output of sha256sum, a bare sum, or one name per line. Nobody vouches for
a list, so a name in it counts only if it looks like one: it never leads out of the list's folder, and never names a
file of ours. ready.py waits until a delivery is there, fetch.py copies it.
"""

import codecs
import posixpath
import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from daybook.errors import BadData
from daybook.spec import LATER, MOST_PARTS, File
from daybook.text import counted

# GNU coreutils' manual, 6.6: the sum, a space, a space or an asterisk, the name.
SUM = re.compile(r"([0-9A-Fa-f]{64})(?:\s+\*?(.*))?")
# Folders below are fine; "..", "/", "~", "-rf", backslashes and letters that only look like others are not.
_WORD = r"[A-Za-z0-9_][A-Za-z0-9._+=@,() -]*"
NAME = re.compile(rf"(?:{_WORD}/)*{_WORD}")
MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (b"", "utf-8-sig"))
SHOWN_CHARACTERS = 60


class Entry(NamedTuple):
    """One line of a list: its number, and the name and sha256 on it, "" if it has none."""

    line: int
    name: str
    sha256: str


def named(content: bytes, own_name: str, where: str, most: int) -> list[Entry]:
    """Return the entries of a manifest, in its order.

    where: the start of messages. Raises BadData if there is no entry, or more than `most`; if one names the manifest
    itself, a file twice, or something that is not a name; or if only some have a sum.
    """
    entries = list(_entries(content, where))
    if not entries:
        raise _refused(where, "it names no file")
    if len(entries) > most:
        raise _refused(where, f"it names {counted(len(entries), 'file')}, at most {most:,} are taken")
    for entry in entries:
        _check(entry, own_name, where)
    _check_alike(entries, where)
    return entries


def sum_of(content: bytes, name: str, where: str) -> str:
    """Return the sha256 of a file from its checksum file: the one beside its name, or the only one if it is bare.

    Raises BadData if there is none, or more than one.
    """
    entries = [entry for entry in _entries(content, where) if entry.sha256]
    if len(entries) == 1 and not entries[0].name:
        return entries[0].sha256
    found = {entry.sha256 for entry in entries if entry.name.replace("\\", "/").rpartition("/")[2] == name}
    if len(found) != 1:
        raise _refused(where, f"it tells {len(found) or 'no'} sha256 of {name}, 1 expected")
    return found.pop()


def _entries(content: bytes, where: str) -> Iterator[Entry]:
    for number, line in enumerate(_text(content, where).replace("\r\n", "\n").split("\n"), 1):
        words = line.strip(" \t")
        if words and not words.startswith("#"):
            found = SUM.fullmatch(words)
            name = (found[2] or "") if found else words
            yield Entry(number, name.removeprefix("./"), found[1].lower() if found else "")


def _text(content: bytes, where: str) -> str:
    # PowerShell writes UTF-16 by default.
    encoding = next(encoding for mark, encoding in MARKS if content.startswith(mark))
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise _refused(where, "it is not text in UTF-8") from None


def _check(entry: Entry, own_name: str, where: str) -> None:
    if entry.name == own_name:
        # As `sha256sum * > SHA256SUMS` does.
        raise _refused(f"{where}, line {entry.line}", "it names itself")
    if not NAME.fullmatch(entry.name):
        shown = ascii(entry.name[:SHOWN_CHARACTERS])
        raise _refused(
            f"{where}, line {entry.line}",
            f"{shown} is not the name of a file beside it (letters of ASCII, digits, and ._+=@,()- and blanks inside)",
        )


def _check_alike(entries: list[Entry], where: str) -> None:
    lines: dict[str, int] = {}
    for entry in entries:
        if entry.name in lines:
            raise _refused(f"{where}, line {entry.line}", f"{entry.name} stands on line {lines[entry.name]} too")
        lines[entry.name] = entry.line
        if bool(entry.sha256) != bool(entries[0].sha256):
            raise _refused(f"{where}, line {entry.line}", "either every line has a sha256 of 64 digits, or none has")


def _refused(where: str, why: str) -> BadData:
    return BadData(f"{where}: {why}; nothing was copied; ask the sender to deliver it again")


class Part(NamedTuple):
    """One file of a delivery. number: from 1 on, of `of`; 0 if it is the only file, or the manifest.

    name: the start of messages. sha256: the one in the manifest, or "". is_picked: a wildcard found it. late_by: how
    many days of the schedule later its file is than the rows that are wanted; day: the one of such a file.
    """

    source: str
    path: str
    name: str
    number: int = 0
    of: int = 1
    sha256: str = ""
    is_picked: bool = False
    late_by: int = 0
    day: date | None = None

    @property
    def seen_as(self) -> str:
        """Return the name that its looks share: if a wildcard found it, its number is another once more come."""
        return f"{self.source}: {self.path}" if self.is_picked else self.stem

    @property
    def stem(self) -> str:
        """Return the name that its raw file and its notes share."""
        return f"{self.source}.{self.late_by * LATER + self.number}" if self.number else self.source


class Manifest(NamedTuple):
    """A manifest as it was read: its bytes, and the time of its last change, as the server writes it."""

    content: bytes
    modified_at: str


class Delivery(NamedTuple):
    """The files of a source on a day, in the order of their rows. size_bytes: of all whose size is known."""

    file: File
    day: date
    parts: tuple[Part, ...]
    manifest: Manifest | None = None
    size_bytes: int = 0

    @property
    def where(self) -> str:
        """Return the start of messages about the whole."""
        return f"{self.file.connection}: {self.file.path_on(self.day)}"


def declared(file: File, day: date) -> tuple[Part, ...]:
    """Return the parts of a file whose path is in the spec."""
    if file.parts is None:
        return (_part(file, file.path_on(day)),)
    return tuple(_part(file, file.path_on(day, file.label(number)), number) for number in range(1, file.parts + 1))


def listed(file: File, day: date, content: bytes) -> tuple[Part, ...]:
    """Return the parts that a manifest names. Raises BadData if it is not one."""
    path = file.path_on(day)
    entries = named(content, posixpath.basename(path), f"{file.connection}: {path}", MOST_PARTS)
    return tuple(
        Part(file.name, posixpath.join(posixpath.dirname(path), e.name), e.name, number, len(entries), e.sha256)
        for number, e in enumerate(entries, 1)
    )


def manifest_of(file: File, day: date) -> Part:
    """Return the manifest of a file that has one."""
    path = file.path_on(day)
    return Part(f"{file.name}.manifest", path, posixpath.basename(path))


def _part(file: File, path: str, number: int = 0) -> Part:
    return Part(file.name, path, posixpath.basename(path), number, file.parts or 1)
