"""The listing of a folder on an FTP server: its files, and the names that are not in the connection's encoding.

MLSD is made for programs (RFC 3659, 7); LIST is made for people (RFC 959, 4.1.3), so only its two usual formats are
read. A listing is read as bytes: a name that somebody else wrote in another encoding is passed over, and is no reason
to refuse the file beside it.
"""

import ftplib
import logging
import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from daybook.ftp.connect import end
from daybook.text import one_line

log = logging.getLogger(__name__)

UNIX = re.compile(r"-[rwxsStT-]{9}\S*\s+\d+\s+\S+\s+\S+\s+(?P<size>\d+)\s+(?P<time>\w{3}\s+\d+\s+[\d:]+) (?P<name>.+)")
WINDOWS = re.compile(r"(?P<time>\d\d-\d\d-\d{2,4}\s+\d\d:\d\d[AP]M)\s+(?P<size>\d+) (?P<name>.+)")
# The folder itself, the one above it, or one in it (RFC 3659, 7.5.1).
FOLDER = re.compile(r"(?i)(^|;)type=[cp]?dir;")
LINK = re.compile(r"(?i)(^|;)type=os\.unix=s(ym)?link")
BLOCK_BYTES = 256 * 1024


class Remote(NamedTuple):
    """What a server says about a file: size, time of the last change as it writes it, an id of this exact content.

    None or "" if it does not say. Times are only compared with each other: servers' clocks are wrong. unique: the id on
    one connection, for one name may stand for several servers. content_id: the id on all of them.
    """

    size_bytes: int | None
    modified_at: str
    unique: str = ""
    content_id: str = ""

    def is_like(self, other: "Remote") -> bool:
        """Return whether both may be the same content. An id counts only if both have one."""
        ids = ((self.unique, other.unique), (self.content_id, other.content_id))
        return self[:2] == other[:2] and not any(ours and theirs and ours != theirs for ours, theirs in ids)


class Listing(NamedTuple):
    """The files of a folder by name, and the names that are not in the connection's encoding, as bytes."""

    files: dict[str, Remote]
    undecoded: tuple[bytes, ...] = ()


NO_LISTING = Listing({})


def listing(ftp: ftplib.FTP, folder: str, *, has_facts: bool) -> Listing:
    """Return what the server lists of a folder, or NO_LISTING if it does not.

    has_facts: the server knows MLSD.
    """
    try:
        lines = _lines(ftp, f"{'MLSD' if has_facts else 'LIST'} {folder}".rstrip())
    except (ftplib.error_perm, ftplib.error_temp):
        return NO_LISTING
    files, undecoded = dict[str, Remote](), list[bytes]()
    for name, remote in (_facts if has_facts else _names)(lines):
        try:
            files[name.decode(ftp.encoding)] = remote
        except UnicodeDecodeError:
            undecoded.append(name)
            log.info("%s: a name that is not %s is passed over: %s", folder or ".", ftp.encoding, escaped(name))
    return Listing(files, tuple(undecoded))


def escaped(name: bytes) -> str:
    """Return a name of unknown encoding in printable letters: Ums\\xe4tze.csv."""
    return one_line(name.decode("ascii", "backslashreplace"))


def folders_to(folder: str) -> list[str]:
    """Return a folder and those above it, from the top: "a", "a/b" for "a/b"."""
    parts = folder.split("/")
    return [above for end in range(1, len(parts) + 1) if (above := "/".join(parts[:end]))]


def facts_of(facts: str) -> Remote:
    """Return what facts such as "size=5;modify=20130105000000;" say: size, modify, unique (RFC 3659, 7.5)."""
    pairs = (fact.partition("=") for fact in facts.split(";"))
    known = {name.lower(): value for name, _, value in pairs}
    size = known.get("size", "")
    return Remote(int(size) if size.isdecimal() else None, known.get("modify", ""), known.get("unique", ""))


def _lines(ftp: ftplib.FTP, command: str) -> list[bytes]:
    # Lists are text (RFC 959, 3.1.1.1), and some servers refuse them in another mode.
    ftp.voidcmd("TYPE A")
    with ftp.transfercmd(command) as data:
        content = b"".join(iter(partial(data.recv, BLOCK_BYTES), b""))
        end(data)
    ftp.voidresp()
    return content.splitlines()


def _facts(lines: list[bytes]) -> Iterator[tuple[bytes, Remote]]:
    for line in lines:
        facts, _, name = line.partition(b" ")
        text = facts.decode("ascii", "replace")
        if not FOLDER.search(text):
            # Of a link these are its own facts, and not those of the file that it leads to.
            yield name, Remote(None, "") if LINK.search(text) else facts_of(text)


def _names(lines: list[bytes]) -> Iterator[tuple[bytes, Remote]]:
    # In Latin-1 each byte is a letter, and comes back as it was.
    for line in lines:
        text = line.decode("latin-1")
        if found := UNIX.fullmatch(text) or WINDOWS.fullmatch(text):
            yield found["name"].encode("latin-1"), Remote(int(found["size"]), found["time"])
