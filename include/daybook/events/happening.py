"""What may happen to a day, by Luigi's names, and the object that says what happened (docs/events.md)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from daybook.text import one_line


class Event(StrEnum):
    """What a handler may be called for. Those of a range come at the end of a run of several days."""

    START = "start"
    """A step begins on a day."""
    PROCESSING_TIME = "processing_time"
    """A step has ended on a day, well or not; `seconds` says after how long."""
    SUCCESS = "success"
    """A step is done on a day."""
    FAILURE = "failure"
    """A try of a step has failed on a day; `error` says why. Another try may follow."""
    RETRY = "retry"
    """A task's try has ended, and another one follows; `error` says why."""
    TIMEOUT = "timeout"
    """A task's try took longer than its `execution_timeout`, and was ended."""
    PROCESS_FAILURE = "process_failure"
    """The process of a task's try ended without a word: it was killed, or it crashed."""
    BROKEN_TASK = "broken_task"
    """A pipeline's module does not load, or a task cannot find out what it has to do; `error` says why."""
    DEPENDENCY_MISSING = "dependency_missing"
    """A step waits: a file is not there yet, or a server is away. It comes at each look."""
    DEPENDENCY_PRESENT = "dependency_present"
    """All files, or all tables, of a day were there and are copied."""
    PROGRESS = "progress"
    """A step has gone over `done` of the `of` days of its run."""
    COMPLETE_COUNT = "complete_count"
    """`done` days of the run's `of` days are published."""
    COMPLETE_FRACTION = "complete_fraction"
    """The same, for those who ask for `fraction`."""
    DELAY = "delay"
    """`delay_days`: the days of the run from the first one that is not published to its last; 0 if none is missing."""


@dataclass(frozen=True)
class Happening:
    """What happened; a field that does not apply is empty.

    pipeline: its name. days: the local days. step: the step, which is the task's id. run: the run's id. seconds: how
    long the step took on the day. error: the message in one line, without control characters. done, of: days that are
    done, of so many. delay_days: see Event.DELAY.
    """

    event: Event
    pipeline: str = ""
    days: tuple[date, ...] = ()
    step: str = ""
    run: str = ""
    seconds: float | None = None
    error: str = ""
    done: int | None = None
    of: int | None = None
    delay_days: int | None = None

    def __post_init__(self) -> None:
        """Make every text safe for a terminal: it may come from a file, a server or a form."""
        for name in ("pipeline", "step", "run", "error"):
            object.__setattr__(self, name, one_line(getattr(self, name)))

    @property
    def fraction(self) -> float | None:
        """Return how much of the range is done, from 0 to 1; None if it is no range."""
        return None if self.done is None or not self.of else self.done / self.of
