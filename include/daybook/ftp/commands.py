"""The commands of a session with an FTP server, on a connection that is logged in.

Every wait has a limit, on the control and on the data connection. Commands: RFC 959, 4.1; SIZE, MDTM, MLST and REST:
RFC 3659. If SIZE fails or gives no size, the folder's listing has to do (listing.py).
"""

import ftplib
import posixpath
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import BinaryIO, Self

from daybook.errors import BadSpec
from daybook.ftp.connect import end
from daybook.ftp.listing import BLOCK_BYTES, NO_LISTING, Listing, Remote, facts_of, folders_to, listing
from daybook.ftp.replies import CannotResume, NotThere, printable, translated_errors

UNKNOWN_COMMAND = ("500", "502", "504")
# 501: not understood as an offset; 554: past the end of the file (RFC 3659, 5).
NO_RESTART = (*UNKNOWN_COMMAND, "501", "554")


class FtpSession:
    """An FTP connection at work (session.py says what a session and a target do)."""

    writes_whole = False

    def __init__(self, ftp: ftplib.FTP, name: str) -> None:
        self._ftp, self._name = ftp, name
        self._known: str | None = None
        # Of the folder of the file that was looked at last, if its listing was needed.
        self.last_listing: Listing = NO_LISTING

    @classmethod
    def begun(cls, ftp: ftplib.FTP, name: str, time_limit_s: float) -> Self:
        """Begin a session on a connection that is logged in. Raises Broken if the line fails."""
        with translated_errors(name):
            cls.limit(ftp, time_limit_s)
            # SIZE is refused in ASCII mode (RFC 3659, 4.1), and FTP starts in ASCII.
            ftp.voidcmd("TYPE I")
        return cls(ftp, name)

    @staticmethod
    def limit(ftp: ftplib.FTP, seconds: float) -> None:
        """Limit every wait on a connection: without one, a silent server would hold the task for ever."""
        ftp.timeout = seconds
        if ftp.sock:
            ftp.sock.settimeout(seconds)

    @property
    def is_encrypted(self) -> bool:
        """Return whether commands and data go over TLS."""
        return isinstance(self._ftp, ftplib.FTP_TLS)

    @property
    def names_encoding(self) -> str:
        """Return the encoding of names on this connection."""
        return self._ftp.encoding

    def look(self, path: str) -> Remote:
        """Return what the server says about a file. Raises NotThere if it shows none."""
        with self._translated_errors(path):
            try:
                shown = self._shown(path)
            except ftplib.error_perm as error:
                # 550 means a missing file, one that we may not read, or that SIZE is not allowed.
                if not str(error).startswith("550"):
                    raise
                return self._listed_at(path)
            return shown if shown.size_bytes is not None else self._listed(path) or shown

    def names(self, folder: str) -> Iterable[str]:
        """Return the names of the files in a folder; none if the server does not list it."""
        with self._translated_errors(folder):
            return self._list(folder).files

    def is_listed(self, path: str) -> bool:
        """Return whether the listing of its folder shows the file."""
        with self._translated_errors(path):
            return self._listed(path) is not None

    def retrieve(self, path: str, start: int, take: Callable[[bytes], None]) -> None:
        """Copy a file from byte `start` to its end, block by block, until the server says that this was all.

        Raises CannotResume if the server does not start there, NotThere if it does not send the file.
        """
        with self._translated_errors(path):
            try:
                data = self._ftp.transfercmd(f"RETR {path}", start or None)
            except ftplib.error_perm as error:
                if start and str(error).startswith(NO_RESTART):
                    raise CannotResume(f"{self._name}: {path}: the FTP server starts at the first byte only") from None
                raise
            with data:
                while block := data.recv(BLOCK_BYTES):
                    take(block)
                end(data)
            self._ftp.voidresp()

    def make_folder(self, folder: str) -> None:
        """Make a folder, and those above it, unless it is there."""
        with self._translated_errors(folder):
            for above in folders_to(folder):
                # 550 or 521: it is there, or we may not, which the file after it will show.
                with suppress(ftplib.error_perm):
                    self._ftp.mkd(above)

    def store(self, path: str, content: BinaryIO) -> None:
        """Write a file. Raises Broken if the line fails, BadSpec if the server does not take it."""
        with self._translated_errors(path), self._refused(path):
            self._ftp.storbinary(f"STOR {path}", content, BLOCK_BYTES)

    def replace(self, path: str, new: str) -> None:
        """Let a file have another name, in place of the file of that name."""
        with self._translated_errors(new), self._refused(new):
            try:
                self._ftp.rename(path, new)
            except ftplib.error_perm:
                # Some servers rename to a free name only.
                self._ftp.delete(new)
                self._ftp.rename(path, new)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with self._translated_errors(path), self._refused(path):
            try:
                self._ftp.delete(path)
            except ftplib.error_perm:
                if self._listed(path):
                    raise

    @contextmanager
    def _refused(self, path: str) -> Iterator[None]:
        # To write, 550 means that we may not, or that there is no such folder, and 552 that there is no room.
        try:
            yield
        except ftplib.error_perm as error:
            raise BadSpec(
                f"{self._name}: {path}: the FTP server does not take the file ({printable(error)}); mend the path in "
                "the spec, or have the right to write there, or more room, given to the connection's user"
            ) from None

    def _translated_errors(self, path: str) -> AbstractContextManager[None]:
        return translated_errors(f"{self._name}: {path}")

    def _shown(self, path: str) -> Remote:
        size, modified_at, facts = self._asked("SIZE", path), self._asked("MDTM", path), self._facts(path)
        size_bytes = int(size) if size.isdecimal() else facts.size_bytes
        return Remote(size_bytes, modified_at or facts.modified_at, facts.unique)

    def _asked(self, command: str, path: str) -> str:
        """Return the text after 213, or "" if the server does not know the command (RFC 3659, 3 and 4)."""
        try:
            reply = self._ftp.sendcmd(f"{command} {path}")
        except ftplib.error_perm as error:
            if str(error).startswith(UNKNOWN_COMMAND):
                return ""
            raise
        return reply[4:].strip() if reply.startswith("213") else ""

    def _facts(self, path: str) -> Remote:
        if "mlst" not in self._features:
            return Remote(None, "")
        # One line of the reply is " fact=value;fact=value; path" (RFC 3659, 7.2).
        lines = self._ftp.sendcmd(f"MLST {path}").splitlines()
        return facts_of(next((line.strip().partition(" ")[0] for line in lines[1:] if "=" in line), ""))

    def _listed_at(self, path: str) -> Remote:
        found = self._listed(path)
        if found is None:
            raise NotThere(f"{self._name}: {path}: the FTP server shows no such file")
        return found

    def _listed(self, path: str) -> Remote | None:
        folder, name = posixpath.split(path)
        return self._list(folder).files.get(name)

    def _list(self, folder: str) -> Listing:
        self.last_listing = listing(self._ftp, folder, has_facts="mlst" in self._features)
        # A listing is text, and in that mode a file's bytes would be changed (RFC 959, 3.1.1.1).
        self._ftp.voidcmd("TYPE I")
        return self.last_listing

    @property
    def _features(self) -> str:
        """Return the reply to FEAT (RFC 2389, 3), or "" if the server does not know it."""
        if self._known is None:
            try:
                self._known = self._ftp.sendcmd("FEAT").lower()
            except ftplib.error_perm:
                self._known = ""
        return self._known
