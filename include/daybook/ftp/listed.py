"""Looks at many files by few questions: a folder is listed once, and the listing answers for its files.

For plans only, which look at many days; a step asks for each of its files. A listing may tell less than a look does,
another time of a file, or only some of the files: so the first files of a folder are asked for one by one, and the
listing answers for the others only if it says the same of those. What it does not tell for sure is asked for: links,
hidden files, and those that are not in a listing that may have been cut.
"""

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from daybook.errors import BadSpec
from daybook.ftp.listing import NO_LISTING, Listing, Remote
from daybook.ftp.replies import NotThere
from daybook.ftp.session import Session

# A listing takes about as many commands as so many looks.
LEAST_LOOKS = 4
# Some servers end a listing after so many files, without a word.
MOST_FILES = 1_000


@dataclass
class _Folder:
    """What is known of a folder: what looks at its files said (None: not there), and its listing, once it is asked for.

    is_true: whether the listing says the same as the looks.
    """

    looked: dict[str, Remote | None] = field(default_factory=dict)
    listing: Listing | None = None
    is_true: bool = False


class Listed:
    """A session (session.py) that answers most looks from listings. Its answers are of one moment for each folder."""

    def __init__(self, ftp: Session) -> None:
        """Begin. ftp: the session that is asked."""
        self._ftp = ftp
        self._folders: dict[str, _Folder] = {}
        self.last_listing: Listing = NO_LISTING

    @property
    def is_encrypted(self) -> bool | None:
        """Return whether all that is said is encrypted on its way; None if it goes over no network."""
        return self._ftp.is_encrypted

    @property
    def names_encoding(self) -> str:
        """Return the encoding of names on this connection."""
        return self._ftp.names_encoding

    def look(self, path: str) -> Remote:
        """Return what the server says about a file. Raises NotThere if it shows none."""
        place, name = posixpath.split(path)
        folder = self._folders.setdefault(place, _Folder())
        if len(folder.looked) >= LEAST_LOOKS and folder.listing is None:
            self._list(place, folder)
        if not folder.is_true or folder.listing is None or name.startswith(".") or name in folder.looked:
            return self._asked(path, folder)
        found = folder.listing.files.get(name)
        if found is None and len(folder.listing.files) < MOST_FILES:
            self.last_listing = folder.listing
            raise NotThere(f"{path}: the listing of its folder shows no such file")
        return found if found and found.size_bytes is not None else self._asked(path, folder)

    def names(self, folder: str) -> Iterable[str]:
        """Return the names of the files in a folder; none if the server does not list it."""
        known = self._folders.setdefault(folder, _Folder())
        if known.is_true and known.listing:
            self.last_listing = known.listing
            return known.listing.files
        names = self._ftp.names(folder)
        self.last_listing = self._ftp.last_listing
        return names

    def is_listed(self, path: str) -> bool:
        """Return whether the listing of its folder shows the file."""
        return self._ftp.is_listed(path)

    def retrieve(self, path: str, start: int, take: Callable[[bytes], None]) -> None:
        """Copy a file; a look at it after that is a new one. Raises what the session raises."""
        place, name = posixpath.split(path)
        self._folders.setdefault(place, _Folder()).looked[name] = None
        self._ftp.retrieve(path, start, take)

    def _asked(self, path: str, folder: _Folder) -> Remote:
        name = posixpath.basename(path)
        try:
            found = folder.looked[name] = self._ftp.look(path)
        except NotThere:
            folder.looked[name] = None
            self.last_listing = self._ftp.last_listing
            # It may have gone away since it was listed.
            folder.is_true = folder.is_true and name not in (folder.listing or NO_LISTING).files
            raise
        return found

    def _list(self, place: str, folder: _Folder) -> None:
        try:
            self._ftp.names(place)
        except BadSpec:
            # We may be allowed to read files only.
            folder.listing = NO_LISTING
            return
        folder.listing = self._ftp.last_listing
        if not any(folder.looked.values()):
            self._look_at_one(place, folder)
        folder.is_true = any(folder.looked.values()) and all(
            _is_alike(folder.listing.files.get(name), found) for name, found in folder.looked.items()
        )

    def _look_at_one(self, place: str, folder: _Folder) -> None:
        """Look at any file of the listing, to see whether it says the same."""
        files = (folder.listing or NO_LISTING).files
        if name := min((name for name, one in files.items() if one.size_bytes is not None), default=""):
            try:
                folder.looked[name] = self._ftp.look(posixpath.join(place, name))
            except NotThere:
                folder.looked[name] = None


def _is_alike(listed: Remote | None, looked: Remote | None) -> bool:
    """Return whether a listing says the same of a file as a look at it: its size and time, or that it is not there."""
    return (listed and listed[:2]) == (looked and looked[:2])
