"""A step that has to wait gives its worker back: for a file that is not there yet, or for a server that is away.

A server is asked again after waits as long as it has been away, within bounds, so that the pauses grow, and up to a
limit; if more bytes of the files have arrived than ever before, it counts as away only since then. The other side may
be a source, or the warehouse with the ledger. For what a step waits, and since when, stays in its folder from one look
to the next (ledger/waiting.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from daybook.errors import Awaited, NotYet, SourceUnavailable, StillAway
from daybook.ledger.waiting import Waiting, forget, note, noted
from daybook.run.day_run import DayRun
from daybook.storage.folder import Folder

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# A day of long ago, whose cut-off has passed, waits for so long.
AT_LEAST = timedelta(hours=1)
# A pipeline without files waits for its tables until then, on the day after, as files do by default.
NOON = time(12)


class Away(NotYet):
    """A server is away and is asked again."""


@contextmanager
def waiting_for_servers(day_run: DayRun, folder: Folder, what: str) -> Iterator[None]:
    """Turn SourceUnavailable into Away, or StillAway after the limit, if the run can wait (day_run.attempt).

    folder: the step's, which keeps the note of its waiting. what: the servers that are asked, for the note.
    """
    try:
        yield
    except Away:
        raise
    except NotYet as error:
        # The server has answered.
        _note(day_run, folder, error)
        raise
    except SourceUnavailable as error:
        if not day_run.attempt:
            raise
        raise _wait(day_run, folder, error, what) from None
    except Exception:
        _forget(day_run, folder)
        raise
    _forget(day_run, folder)


def _forget(day_run: DayRun, folder: Folder) -> None:
    if day_run.attempt:
        forget(folder)


def _wait(day_run: DayRun, folder: Folder, error: SourceUnavailable, what: str) -> Away | StillAway:
    now = datetime.now(UTC)
    before = _noted(folder, day_run.attempt)
    has_more = before is not None and folder.kept_bytes > before.kept_bytes
    since = (before and not has_more and before.away_since) or now
    until = last_look(day_run, since)
    again = next_look(since, now, until)
    said = f"{error}; so since {_shown(since)}"
    if again is None:
        forget(folder)
        return StillAway(f"{said}, and not asked again after {_shown(until)}; ask who runs it, then clear the task")
    away = Away(f"{said}; asked again at {_shown(again)}, and until {_shown(until)}", again)
    away.awaited = (Awaited(what, str(error), until),)
    _note(day_run, folder, away, since)
    return away


def _note(day_run: DayRun, folder: Folder, error: NotYet, away_since: datetime | None = None) -> None:
    if not day_run.attempt:
        return
    now = datetime.now(UTC)
    before = _noted(folder, day_run.attempt)
    since = before.since if before else now
    kept = max(folder.kept_bytes, before.kept_bytes if before else 0)
    times = {"since": since, "looked_at": now, "again_at": error.look_again_at, "away_since": away_since}
    # It may be the run's first file, and the run's folder is its owner's only.
    day_run.folder.make_private()
    note(folder, Waiting(attempt=day_run.attempt, awaited=error.awaited, kept_bytes=kept, **times))


def next_look(since: datetime, now: datetime, until: datetime) -> datetime | None:
    """Return when a server that is away since an instant is asked again; None if the last look was at `until`."""
    if now >= until:
        return None
    return min(now + min(max(now - since, FIRST_WAIT), LONGEST_WAIT), until)


def last_look(day_run: DayRun, since: datetime) -> datetime:
    """Return until when a day's servers are asked: the latest cut-off of its files, and an hour at least."""
    cut_offs = [file.cut_off for file in day_run.pipeline.files] or [NOON]
    zone = ZoneInfo(day_run.pipeline.schedule.time_zone)
    return max(datetime.combine(day_run.day + timedelta(days=1), max(cut_offs), zone), since + AT_LEAST)


def _noted(folder: Folder, attempt: int) -> Waiting | None:
    before = noted(folder)
    # A task that was cleared has a new try, which waits as long as the first did.
    return before if before and before.attempt == attempt else None


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(" ", "seconds")
