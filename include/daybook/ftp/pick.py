"""The names of a day's files if the spec knows them only in part: by wildcards, or without regard to capitals.

look.py asks for what lies in the folder; here it is decided which of it belongs to the delivery. Nothing is guessed:
two files where one is declared are a problem that a person decides.
"""

import posixpath
import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from daybook.errors import BadData
from daybook.ftp.delivery import Part, declared
from daybook.ftp.listing import Remote
from daybook.spec import MOST_PARTS, File
from daybook.text import counted, one_line

SHOWN_NAMES = 5
# MDTM and MLSD write a time as digits from the year on (RFC 3659, 2.3), SFTP as seconds since 1970.
COMPARABLE = re.compile(r"\d+(\.\d+)?")


class Picked(NamedTuple):
    """The files that a source's delivery has; if too few match, is_short, and the only part is the pattern itself.

    missing: how many there are, to stand behind "is not there". problem: why they are not to be taken, or None.
    """

    parts: tuple[Part, ...]
    is_short: bool = False
    missing: str = ""
    problem: BadData | None = None


def by_wildcards(file: File, day: date, names: Iterable[str], look: Callable[[str], Remote]) -> Picked:
    """Return the files that match the path of a file with wildcards.

    names: of the files in its folder. look: asks the server about a path. Errors of `look` pass through.
    """
    path = file.path_on(day)
    paths = _matching(file, day, path, sorted(names))
    if len(paths) < file.at_least:
        missing = f": {counted(len(paths), 'file')} of at least {file.at_least} match it" if file.at_least > 1 else ""
        return Picked((_part(file, path, is_picked=False),), True, missing)
    if file.pick == "only" and len(paths) > 1:
        return Picked((), problem=_too_many(file, path, paths, "1 is declared", 'say pick="newest" or "all"'))
    if len(paths) > MOST_PARTS:
        return Picked((), problem=_too_many(file, path, paths, f"at most {MOST_PARTS} are taken", "narrow the path"))
    if file.pick == "newest":
        return _newest(file, path, paths, look)
    count = len(paths) if file.pick == "all" else 0
    return Picked(
        tuple(_part(file, found, number if count else 0, count or 1) for number, found in enumerate(paths, 1))
    )


def whatever_capitals(file: File, day: date, names: Iterable[str]) -> Picked:
    """Return the declared files of a file whose capitals do not matter, under the names that they have."""
    by_plain, parts = dict[str, list[str]](), list[Part]()
    for name in sorted(names):
        by_plain.setdefault(name.casefold(), []).append(name)
    for part in declared(file, day):
        folder, name = posixpath.split(part.path)
        found = by_plain.get(name.casefold(), [name])
        if len(found) > 1:
            paths = [posixpath.join(folder, other) for other in found]
            return Picked((), problem=_too_many(file, part.path, paths, "capitals do not matter", "say which is meant"))
        parts.append(part._replace(path=posixpath.join(folder, found[0]), name=found[0]))
    return Picked(tuple(parts))


def sign_in(path: str, names: Iterable[str]) -> str:
    """Return the path of a marker or checksum under the name that it has, if capitals do not matter."""
    folder, wanted = posixpath.split(path)
    found = next((name for name in sorted(names) if name.casefold() == wanted.casefold()), wanted)
    return posixpath.join(folder, found)


def pattern_of(name: str, *, ignore_case: bool) -> re.Pattern[str]:
    """Return the expression of a name with wildcards, as a shell reads *."""
    text = ".*".join(map(re.escape, name.split("*")))
    hidden = "" if name.startswith(".") else r"(?!\.)"
    return re.compile(hidden + text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _matching(file: File, day: date, path: str, names: list[str]) -> list[str]:
    folder, wanted = posixpath.split(path)
    pattern = pattern_of(wanted, ignore_case=file.ignore_case)
    paths = [posixpath.join(folder, name) for name in names if pattern.fullmatch(name)]
    signs = {sign.casefold() for found in paths for sign in file.signs_on(day, found).values()}
    return [found for found in paths if found.casefold() not in signs]


def _newest(file: File, path: str, paths: list[str], look: Callable[[str], Remote]) -> Picked:
    times = {found: look(found).modified_at for found in paths}
    if unknown := [found for found, time in times.items() if not COMPARABLE.fullmatch(time)]:
        return Picked((), problem=_too_many(file, path, unknown, "the server gives no times", "say which is meant"))
    newest = max(paths, key=lambda found: (Decimal(times[found]), found))
    return Picked((_part(file, newest),))


def _part(file: File, path: str, number: int = 0, of: int = 1, *, is_picked: bool = True) -> Part:
    return Part(file.name, path, posixpath.basename(path), number, of, is_picked=is_picked)


def _too_many(file: File, path: str, paths: list[str], why: str, mend: str) -> BadData:
    names = ", ".join(one_line(posixpath.basename(found)) for found in paths[:SHOWN_NAMES])
    more = ", …" if len(paths) > SHOWN_NAMES else ""
    return BadData(
        f"{file.connection}: {path}: {len(paths)} files match ({names}{more}), and {why}; nothing was published; ask "
        f"the sender to take away those that are too many, or {mend} in the file's spec"
    )
