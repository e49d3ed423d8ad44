"""What helps after a failure: the mend, and the command to run again. Alerts and the Day page say the same.

The kinds are the names of the classes in daybook/errors.py; any other kind is a bug, or of the machine.
"""

from collections.abc import Iterable, Sequence
from datetime import date

MENDS = {
    "SourceUnavailable": "ask who runs that server; when it is back, run the day again",
    "StillAway": "ask who runs that server; when it is back, run the day again",
    "BadData": "have the source mended, then run the day again; the same bytes will fail again",
    "BadSpec": "mend the spec, the connection or the right that the message names, then run the day again",
    "BrokenChain": "clear the task that the message names, with all tasks downstream of it",
    "Implausible": "look at the day's numbers; if they are right, release the day, else have the source mended",
    "Superseded": "nothing: a newer run of the day has published, and readers see that one",
    "Unbalanced": "run the day again; if it fails again, report this line: it is a bug of Daybook, or a damaged file",
    "DaysLeftOut": "mend what the message says of each day, then run these days again",
    "Killed": "the task's process ended without a word: look for a lack of memory, or for who ended it",
}
OTHER_MEND = "look into the log: this error is not one that Daybook expects"


def mend_of(kinds: Iterable[str]) -> str:
    """Return what helps after an error. kinds: the names of its class and of those that it is of, the nearest first."""
    return next((MENDS[kind] for kind in kinds if kind in MENDS), OTHER_MEND)


def run_again(pipeline: str, days: Sequence[date], kind: str) -> str:
    """Return the command that does days again after an error of a kind; for a held day, the one that releases it."""
    if not days:
        return f"./daybook plan --pipeline {pipeline}"
    why = ' --why "REASON"' if kind == "Implausible" else ""
    verb = "release" if why else "day" if len(days) == 1 else "backfill"
    asked = f"{days[0]}" if len(days) == 1 else f"--from {days[0]} --to {days[-1]}"
    return f"./daybook {verb} {asked} --pipeline {pipeline}{why}"
