"""What the ledger knows of many days: their status, figures, failures and waits. It asks the ledger only."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from daybook.ledger import step_log
from daybook.ledger.decisions import rollbacks
from daybook.ledger.figures import Figures, figures, last_published_day
from daybook.ledger.queries import is_begun
from daybook.planning.standing import Failure
from daybook.planning.status import Status, status
from daybook.postgres.session import Connection


class KnownDays(NamedTuple):
    """The status of some days; by day, the figures of what readers see, the failure of the last try, and the message of
    the step that waits. last_published: the last day of the pipeline that readers see, also outside of these."""

    status: Status
    figures: dict[date, Figures]
    failures: dict[date, Failure]
    waits: dict[date, str]
    last_published: date | None


def known_days(connection: Connection, pipeline: str, days: list[date]) -> KnownDays:
    """Return what the ledger knows of some days, in order; nothing if there is no ledger yet."""
    if not days or not is_begun(connection):
        return KnownDays(status(days, set(), set(), (), {}), {}, {}, {}, None)
    asked = (connection, pipeline, days[0], days[-1])
    waits = {day: f"{step} waits: {message}" for day, _, step, message in step_log.waiting(*asked)}
    return KnownDays(
        status_now(connection, pipeline, days, waits),
        figures(*asked),
        failures_now(*asked),
        waits,
        last_published_day(connection, pipeline),
    )


def status_now(connection: Connection, pipeline: str, days: list[date], waits: Collection[date]) -> Status:
    """Return the status of some days, in order, by the ledger, which must have begun. waits: the days that wait."""
    asked = (connection, pipeline, days[0], days[-1])
    published, reused = step_log.published_days(*asked), step_log.reused_days(*asked)
    return status(days, published, reused, rollbacks(*asked), failures_now(*asked), waits)


def failures_now(connection: Connection, pipeline: str, first: date, last: date) -> dict[date, Failure]:
    """Return the failure of each day from first to last whose last try failed."""
    return {day: Failure(*words) for day, words in step_log.failures(connection, pipeline, first, last).items()}
