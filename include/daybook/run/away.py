"""A server that is away while a step asks it: the step waits without a worker, and gives up at a limit.

Each wait is as long as the server has been away, within bounds, so that the pauses grow. How long that is stays in the
step's folder from one look to the next. The other side may be a source, or the warehouse with the ledger.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from daybook.errors import NotYet, SourceUnavailable, StillAway
from daybook.run.day_run import DayRun
from daybook.storage.folder import Folder

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# A day of long ago, whose cut-off has passed, waits for so long.
AT_LEAST = timedelta(hours=1)
# A pipeline without files waits for its tables until then, on the day after, as files do by default.
NOON = time(12)
# Names the task's try, and the instant at which the server was first found away.
AWAY = "away.txt"


class Away(NotYet):
    """A server is away and is asked again."""


@contextmanager
def waiting_for_servers(day_run: DayRun, folder: Folder) -> Iterator[None]:
    """Turn SourceUnavailable into Away, or StillAway after the limit, if the run can wait (day_run.attempt)."""
    try:
        yield
    except Away:
        raise
    except SourceUnavailable as error:
        if not day_run.attempt:
            raise
        if isinstance(error, NotYet):
            # The server has answered.
            folder.remove_file(AWAY)
            raise
        raise _wait(day_run, folder, error, datetime.now(UTC)) from None
    if day_run.attempt and folder.has(AWAY):
        folder.remove_file(AWAY)


def _wait(day_run: DayRun, folder: Folder, error: SourceUnavailable, now: datetime) -> Away | StillAway:
    since = _since(folder, day_run.attempt) or now
    if since == now:
        # It may be the run's first file, and the run's folder is its owner's only.
        day_run.folder.make_private()
        folder.write_hint(AWAY, f"{day_run.attempt} {now.isoformat()}")
    until = last_look(day_run, since)
    again = next_look(since, now, until)
    said = f"{error}; so since {_shown(since)}"
    if again is None:
        return StillAway(f"{said}, and not asked again after {_shown(until)}; ask who runs it, then clear the task")
    return Away(f"{said}; asked again at {_shown(again)}, and until {_shown(until)}", again)


def next_look(since: datetime, now: datetime, until: datetime) -> datetime | None:
    """Return when a server that is away since an instant is asked again; None if the last look was at `until`."""
    if now >= until:
        return None
    return min(now + min(max(now - since, FIRST_WAIT), LONGEST_WAIT), until)


def last_look(day_run: DayRun, since: datetime) -> datetime:
    """Return until when a day's servers are asked: the latest cut-off of its files and marks, an hour at least."""
    marks = [table.ready.cut_off for table in day_run.pipeline.tables if table.ready]
    cut_offs = [*(file.cut_off for file in day_run.pipeline.files), *marks] or [NOON]
    zone = ZoneInfo(day_run.pipeline.schedule.time_zone)
    return max(datetime.combine(day_run.day + timedelta(days=1), max(cut_offs), zone), since + AT_LEAST)


def _since(folder: Folder, attempt: int) -> datetime | None:
    noted = folder.text(AWAY).split() if folder.has(AWAY) else []
    # A task that was cleared has a new try, which waits as long as the first did.
    return datetime.fromisoformat(noted[1]) if noted[:1] == [str(attempt)] and len(noted) == 2 else None


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(" ", "seconds")
