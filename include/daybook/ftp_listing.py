"""A file as its folder's listing shows it, for servers whose SIZE says nothing or refuses.

MLSD is made for programs (RFC 3659, 7); LIST is made for people (RFC 959, 4.1.3), so only its two usual forms are read.
"""

import ftplib
import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

UNIX = re.compile(r"-[rwxsStT-]{9}\S*\s+\d+\s+\S+\s+\S+\s+(?P<size>\d+)\s+(?P<time>\w{3}\s+\d+\s+[\d:]+) (?P<name>.+)")
WINDOWS = re.compile(r"(?P<time>\d\d-\d\d-\d{2,4}\s+\d\d:\d\d[AP]M)\s+(?P<size>\d+) (?P<name>.+)")


class Remote(NamedTuple):
    """What a server says of a file: size, time of the last change as it writes it, a word for this very content.

    None or "" where it does not say. Times are compared, never read: servers' clocks are wrong.
    """

    size_bytes: int | None
    modified_at: str
    unique: str = ""

    def is_like(self, other: "Remote") -> bool:
        """Say whether both may be the same content. `unique` counts only where both have one."""
        is_other = bool(self.unique and other.unique and self.unique != other.unique)
        return self[:2] == other[:2] and not is_other


def listed(ftp: ftplib.FTP, path: str, *, has_facts: bool) -> Remote | None:
    """Give what the listing of its folder says of a file, or None where it does not show it or there is no listing.

    has_facts: the server knows MLSD.
    """
    folder, name = posixpath.split(path)
    try:
        return dict((_facts if has_facts else _lines)(ftp, folder)).get(name)
    except (ftplib.error_perm, ftplib.error_temp):
        return None


def of_facts(facts: dict[str, str]) -> Remote:
    """Give what the facts of MLSD or MLST say (RFC 3659, 7.5): size, modify, unique."""
    size = facts.get("size", "")
    return Remote(int(size) if size.isdecimal() else None, facts.get("modify", ""), facts.get("unique", ""))


def _facts(ftp: ftplib.FTP, folder: str) -> Iterator[tuple[str, Remote]]:
    return ((name, of_facts(facts)) for name, facts in ftp.mlsd(folder))


def _lines(ftp: ftplib.FTP, folder: str) -> Iterator[tuple[str, Remote]]:
    lines: list[str] = []
    ftp.retrlines(f"LIST {folder}".rstrip(), lines.append)
    for line in lines:
        if found := UNIX.fullmatch(line) or WINDOWS.fullmatch(line):
            yield found["name"], Remote(int(found["size"]), found["time"])
