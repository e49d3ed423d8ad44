"""The state of a pipeline: which of the expected days are published, held, failed or missing. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from daybook.planning.plan import Failure


class Status(NamedTuple):
    """The days of each kind, in order. A published day is also held or failed if its last try was.

    reused: the days whose last run reused every result of an earlier one. rolled_back: the days on which a rollback
    still stands. lag_days: how many days the last published day is behind the last expected one; None if none is
    published.
    """

    expected: tuple[date, ...]
    published: tuple[date, ...]
    reused: tuple[date, ...]
    rolled_back: tuple[date, ...]
    held: tuple[date, ...]
    failed: tuple[date, ...]
    missing: tuple[date, ...]
    lag_days: int | None

    @property
    def is_well(self) -> bool:
        """Return whether no day is held, failed or missing."""
        return not (self.held or self.failed or self.missing)


def status(
    expected: Iterable[date],
    published: set[date],
    reused: set[date],
    rolled_back: Collection[date],
    failures: Mapping[date, Failure],
) -> Status:
    """Sort the expected days by their state."""
    days = tuple(sorted(expected))
    held = {day for day, failure in failures.items() if failure.kind == "Implausible"}
    # A day that a person took back is not published, and not missing either.
    known = published | set(failures) | set(rolled_back)
    last = max((day for day in days if day in published), default=None)
    return Status(
        expected=days,
        published=tuple(day for day in days if day in published),
        reused=tuple(day for day in days if day in reused),
        rolled_back=tuple(day for day in days if day in rolled_back),
        held=tuple(day for day in days if day in held),
        failed=tuple(day for day in days if day in failures and day not in held),
        missing=tuple(day for day in days if day not in known),
        lag_days=(days[-1] - last).days if last else None,
    )
