"""Copies all files of a delivery: each one whole, as its checksum says, and all of them of one moment.

No copy takes its final name before all are whole. Until then the copies stay, and the next try goes on with them.
"""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from functools import partial
from typing import NamedTuple, TypeVar

from daybook.errors import BadData, SourceUnavailable
from daybook.ftp.copy import Changed, Fetched, check_disk, fetch, small_file
from daybook.ftp.delivery import Delivery, Part, sum_of
from daybook.ftp.listing import Remote
from daybook.ftp.look import picked, sign_at
from daybook.ftp.retry import PATIENCE, Patience, tried
from daybook.ftp.session import OpenFtp, Session, session
from daybook.storage.folder import Folder
from daybook.storage.partial_file import PartialFile

log = logging.getLogger(__name__)
T = TypeVar("T")


class Arrived(NamedTuple):
    """A file that was copied. checked_by: the path of the file that holds its sha256, or ""."""

    part: Part
    fetched: Fetched
    checked_by: str


class ExpectedSum(NamedTuple):
    """The sha256 that a file should have, and the path of the file that says so."""

    sha256: str
    by: str


class Server(NamedTuple):
    """The server of a delivery: how to connect to it, and how often to try."""

    connect: OpenFtp
    name: str
    patience: Patience

    def asked(self, ask: Callable[[Session], T]) -> T:
        """Run `ask` on a connection of its own, again after each break; return its result."""
        return tried(partial(self._ask, ask), self.patience, lambda: "what was copied so far is kept")

    def _ask(self, ask: Callable[[Session], T]) -> T:
        with session(self.connect, self.name, self.patience.time_limit_s) as ftp:
            return ask(ftp)


def fetch_delivery(
    connect: OpenFtp, delivery: Delivery, folder: Folder, patience: Patience = PATIENCE
) -> list[Arrived]:
    """Copy all files of a delivery into a folder, as `<stem>.csv`; all are there when this returns.

    connect: opens a connection that is logged in. Raises the errors of ftp.copy.fetch; also BadData if a file twice
    differs from its checksum, or all are over the limit; SourceUnavailable if one changes before the last one is here.
    """
    server, arrived = Server(connect, delivery.file.connection, patience), list[Arrived]()
    with ExitStack() as stack:
        copies = list[PartialFile]()
        for part in delivery.parts:
            copies.append(stack.enter_context(folder.partial_file(f"{part.stem}.csv")))
            if len(copies) == 1:
                check_disk(delivery.where, copies[0], delivery.size_bytes, copies[0].kept_bytes)
            arrived.append(_fetch_checked(server, delivery, part, copies[-1]))
            _check_limit(delivery, sum(copy.size_bytes for copy in copies))
        if delivery.file.is_in_parts:
            server.asked(lambda ftp: _check_unchanged(ftp, delivery, arrived))
    return arrived


def _fetch_checked(server: Server, delivery: Delivery, part: Part, copy: PartialFile) -> Arrived:
    expected, fetched = _expected_sum(server, delivery, part), _fetch(server, delivery, part, copy)
    if expected is None:
        return Arrived(part, fetched, "")
    first = copy.sha256()
    if first == expected.sha256:
        return Arrived(part, fetched, expected.by)
    where = f"{server.name}: {part.path}"
    log.warning("%s: sha256 %.12s… copied, %s says %.12s…; copied again", where, first, expected.by, expected.sha256)
    # The checksum may belong to a later delivery than the copy, or to an earlier one.
    copy.restart()
    server.asked(lambda ftp: _check_unchanged(ftp, delivery, []))
    expected, fetched = _expected_sum(server, delivery, part) or expected, _fetch(server, delivery, part, copy)
    _check_sum(where, expected, copy, first)
    remark = "copied twice, as the first copy was not what its checksum says"
    return Arrived(part, fetched._replace(remarks=(*fetched.remarks, remark)), expected.by)


def _fetch(server: Server, delivery: Delivery, part: Part, copy: PartialFile) -> Fetched:
    return fetch(server.connect, delivery.file, part.path, copy, server.patience)


def _expected_sum(server: Server, delivery: Delivery, part: Part) -> ExpectedSum | None:
    file, day = delivery.file, part.day or delivery.day
    by = file.signs_on(day, part.path, file.label(part.number)).get("checksum")
    if by:
        content = server.asked(lambda ftp: small_file(ftp, file, sign_at(ftp, file, by)))
        return ExpectedSum(sum_of(content, part.path.rpartition("/")[2], f"{server.name}: {by}"), by)
    return ExpectedSum(part.sha256, file.path_on(day)) if part.sha256 else None


def _check_sum(where: str, expected: ExpectedSum, copy: PartialFile, first: str) -> None:
    second = copy.sha256()
    if second == expected.sha256:
        return
    copy.restart()
    if second != first:
        raise SourceUnavailable(
            f"{where}: two copies of it differ, and neither is what {expected.by} says; both were thrown away; it is "
            "tried again; if that fails too, ask who runs the server"
        )
    raise BadData(
        f"{where}: sha256 {expected.sha256[:12]}… expected by {expected.by}, {second[:12]}… found, twice; the copies "
        "were thrown away, nothing was published; ask the sender to deliver the file and its checksum again"
    )


def _check_limit(delivery: Delivery, size_bytes: int) -> None:
    if size_bytes > delivery.file.size_limit_bytes:
        raise BadData(
            f"{delivery.where}: more than {delivery.file.size_limit_bytes:,} bytes in all parts, the limit; nothing "
            "was published; ask the sender, or raise `size_limit_bytes` in the file's spec"
        )


def _check_unchanged(ftp: Session, delivery: Delivery, arrived: list[Arrived]) -> None:
    """Check that no file was delivered anew while those after it were copied."""
    manifest, path = delivery.manifest, delivery.file.path_on(delivery.day)
    changed = [part.path for part, fetched, _ in arrived if not _is_still(ftp, part, fetched.remote)]
    if delivery.file.pick == "all":
        days = dict.fromkeys(part.day or delivery.day for part in delivery.parts)
        changed += [delivery.file.path_on(day) for day in days if not _are_all(ftp, delivery, day)]
    if manifest and small_file(ftp, delivery.file, path) != manifest.content:
        changed.append(path)
    if changed:
        raise Changed(
            f"{delivery.file.connection}: {', '.join(changed)} changed while the parts were copied, which may be of "
            "two deliveries; nothing was published; all are looked at again"
        )


def _are_all(ftp: Session, delivery: Delivery, day: date) -> bool:
    """Return whether a wildcard still finds the files of a day that were copied."""
    copied = [part.path for part in delivery.parts if (part.day or delivery.day) == day]
    return [part.path for part in picked(ftp, delivery.file, day).parts] == copied


def _is_still(ftp: Session, part: Part, remote: Remote) -> bool:
    # One name may stand for several servers, each with its own `unique`.
    return remote._replace(unique="").is_like(ftp.look(part.path))
