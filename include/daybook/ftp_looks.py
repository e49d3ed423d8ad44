"""What is remembered of a file from one look to the next, and whether it counts by that. Decides only."""

from datetime import datetime, timedelta
from typing import NamedTuple

from daybook.ftp_delivery import Seen
from daybook.ftp_listing import Remote
from daybook.spec import File, Value

# Looks that are fewer than this many intervals apart belong together.
SOON = 10


class Look(Value):
    """A file as it was at a look, and has been since `still_since`. is_changing: shortly before, it was not.

    The instants are ours: those of servers are wrong.
    """

    size_bytes: int | None
    modified_at: str
    still_since: datetime
    looked_at: datetime
    is_changing: bool = False


class Wait(NamedTuple):
    """Why a file does not count yet: what it is. is_new: seen for the first time, it gets another look at any hour."""

    why: str
    is_new: bool = False


MISSING = Wait("not there")


def wait_for(file: File, seen: Seen, look: Look | None, now: datetime) -> Wait | None:
    """Decide whether a file counts: give None, or why not yet. look: what is noted of it, with this look."""
    if seen.remote is None or look is None:
        return MISSING
    if seen.remote.size_bytes == 0:
        return Wait("empty")
    if file.marker or file.checksum:
        return Wait(f"there, its {seen.missing_sign} is not") if seen.missing_sign else None
    if file.is_written_whole or now - look.still_since >= timedelta(seconds=file.look_every_s):
        return None
    if look.is_changing:
        return Wait("still changing")
    return Wait(f"there and has to stand still for {file.look_every_s} s", is_new=True)


def note(file: File, remote: Remote | None, before: Look | None, now: datetime) -> Look | None:
    """Give what to keep of a look. before: what was kept of the one before."""
    if remote is None:
        return None
    if before and (before.size_bytes, before.modified_at) == remote[:2]:
        return before.model_copy(update={"looked_at": now})
    # A look of another day says nothing: the file may have been delivered anew since.
    is_changing = before is not None and now - before.looked_at < SOON * timedelta(seconds=file.look_every_s)
    return Look(
        size_bytes=remote.size_bytes,
        modified_at=remote.modified_at,
        still_since=now,
        looked_at=now,
        is_changing=is_changing,
    )
