"""The state of a pipeline: each expected day is published, held, failed, waiting or missing. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from daybook.planning.standing import Failure


class Status(NamedTuple):
    """The days of each kind, in order. Each expected day is in one of published, held, failed, waiting and missing; a
    day that readers see is published, whatever became of a later try; one that waits has not failed since.

    tried_since: the published days whose last try was held or failed; readers see an earlier run's numbers. reused: the
    days whose last run reused every result of an earlier one. rolled_back: the days on which a rollback still stands.
    lag_days: how many days the last published day is behind the last expected one; None if none is published.
    """

    expected: tuple[date, ...]
    published: tuple[date, ...]
    reused: tuple[date, ...]
    rolled_back: tuple[date, ...]
    held: tuple[date, ...]
    failed: tuple[date, ...]
    waiting: tuple[date, ...]
    missing: tuple[date, ...]
    tried_since: tuple[date, ...]
    lag_days: int | None

    @property
    def is_well(self) -> bool:
        """Return whether all days are published, and the last try of none was held or failed."""
        return not (self.held or self.failed or self.waiting or self.missing or self.tried_since)


def status(
    expected: Iterable[date],
    published: set[date],
    reused: set[date],
    rolled_back: Collection[date],
    failures: Mapping[date, Failure],
    waits: Collection[date] = (),
) -> Status:
    """Sort the expected days by their state."""
    days = tuple(sorted(expected))
    waiting = set(waits) - published
    unseen = {day: failure for day, failure in failures.items() if day not in published | waiting}
    held = {day for day, failure in unseen.items() if failure.kind == "Implausible"}
    # A day that a person took back is not published, and not missing either.
    known = published | waiting | set(unseen) | set(rolled_back)
    last = max((day for day in days if day in published), default=None)
    return Status(
        expected=days,
        published=tuple(day for day in days if day in published),
        reused=tuple(day for day in days if day in reused),
        rolled_back=tuple(day for day in days if day in rolled_back),
        held=tuple(day for day in days if day in held),
        failed=tuple(day for day in days if day in unseen and day not in held),
        waiting=tuple(day for day in days if day in waiting),
        missing=tuple(day for day in days if day not in known),
        tried_since=tuple(day for day in days if day in published and day in failures),
        lag_days=(days[-1] - last).days if last else None,
    )
