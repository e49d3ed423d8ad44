"""The errors that a person can mend, by what to do next. Any other exception is a bug and shows its traceback.

The DAG maps these classes to retries: `NotYet` waits; so does `SourceUnavailable` in a step (run/away.py), up to
a limit; the others are not tried again.
"""

from datetime import datetime
from typing import NamedTuple

# Said of any other exception, whose message may quote a value of a row; its traceback is in the task's log.
NOT_KEPT = "see the log of the task"


class DaybookError(Exception):
    """The base of all errors that a person can mend. The message says what, where, what was found, and what to do.

    It may quote names from outside: whoever shows it passes it through text.printable.
    """


class SourceUnavailable(DaybookError):
    """Retry: the other side is late, down or busy, or cut the line. Nothing was published, nothing is lost."""


class Awaited(NamedTuple):
    """What a step waits for: its name, such as a source's; what the last look found of it; and until when."""

    what: str
    found: str
    until: datetime


class NotYet(SourceUnavailable):
    """Wait: the day's file is not there, or not whole, and its cut-off has not come. `look_again_at` is an instant.

    awaited: all that is waited for, for pages and commands; the message says it too.
    """

    def __init__(self, message: str, look_again_at: datetime, awaited: tuple[Awaited, ...] = ()) -> None:
        super().__init__(message)
        self.look_again_at, self.awaited = look_again_at, awaited


class StillAway(DaybookError):
    """Ask who runs the server: it was away until the limit, and is not asked again. Clear the task when it is back."""


class BadData(DaybookError):
    """Mend the data: the file or the table breaks its contract. The same bytes will fail again."""


class BadSpec(DaybookError):
    """Mend the spec, a connection or a right: the pipeline asks for something that is not there."""


class BrokenChain(DaybookError):
    """Clear: a step of this run was never done, rests on an older result, or its files are gone or damaged."""


class Implausible(DaybookError):
    """Decide: the numbers do not look like a day, or a person rolled them back. A person releases the day or has the
    source mended."""


class Superseded(DaybookError):
    """Nothing to do: a newer run of the same day has published already, and an older one never overwrites it."""
