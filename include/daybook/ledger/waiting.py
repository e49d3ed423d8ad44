"""The note of a step that waits: for what, since when, until when, the last look and the next one.

It lies in the step's folder, so it outlives the process that wrote it, and is read without Airflow: by the Report tab,
`./daybook status` and `./daybook why`, which all say it in the words of `sentences`. The step's next look replaces it,
and the step's end removes it.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from daybook.errors import Awaited, BadSpec
from daybook.ledger.receipt import STEPS
from daybook.spec import Value
from daybook.storage.folder import Folder

FILE = "waiting.json"
# Beside the steps' folders: that of a daily run's question which days to do, whose note is one of the run's too.
DAYS = "days"
# Between two looks the task also waits for the scheduler and for a slot of its pool.
LATE = timedelta(minutes=5)


class Waiting(Value):
    """A step that waits, by its last look. attempt: the task's try. since: of this try's first look that found less
    than all. away_since: when the server was first found away, if the last look got no answer. kept_bytes: the most
    that has arrived of the files that are being copied."""

    attempt: int
    since: datetime
    looked_at: datetime
    again_at: datetime
    awaited: tuple[Awaited, ...]
    away_since: datetime | None = None
    kept_bytes: int = 0


def note(folder: Folder, waiting: Waiting) -> None:
    """Keep a step's note in its folder."""
    folder.write_hint(FILE, waiting.model_dump_json())


def noted(folder: Folder) -> Waiting | None:
    """Return the note in a step's folder; None if there is none, or it is damaged."""
    try:
        return Waiting.model_validate_json(folder.content(FILE) or b"")
    except (ValueError, BadSpec):
        return None


def forget(folder: Folder) -> None:
    """Remove the note in a step's folder, if there is one."""
    folder.remove_file(FILE)


def notes(run: Folder) -> dict[str, Waiting]:
    """Return the notes of a run's steps that wait, by step, or DAYS. run: the run's folder of one day."""
    found = {step: noted(run / step) for step in (DAYS, *STEPS)}
    return {step: waiting for step, waiting in found.items() if waiting}


def is_late(waiting: Waiting, now: datetime) -> bool:
    """Return whether the next look should have come by now: then nobody may be waiting any more."""
    return now > waiting.again_at + LATE


def sentences(step: str, waiting: Waiting, time_zone: str, now: datetime) -> list[str]:
    """Return what a step waits for, a sentence for each file or server, and one about the next look.

    time_zone: the pipeline's, in which all times are given. The sentences quote names from outside: whoever shows them
    escapes them.
    """

    def at(instant: datetime) -> str:
        return instant.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M:%S")

    who = "the run" if step == DAYS else step
    awaited = [
        f"{who} waits for {one.what} since {at(waiting.since)}, until {at(one.until)} ({time_zone}); the last look, "
        f"at {at(waiting.looked_at)}, found: {one.found}"
        for one in waiting.awaited
    ]
    if is_late(waiting, now):
        due = f"the next look was due at {at(waiting.again_at)} and has not come: the task waits for a slot of its pool"
        return [*awaited, f"{due}, or its scheduler is down, or a person ended the run"]
    return [*awaited, f"the next look is at {at(waiting.again_at)}"]
