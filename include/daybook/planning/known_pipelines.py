"""What the ledgers know of all pipelines: the state of each one's days, and the figures of its last one.

It asks each ledger once, with as many statements for a hundred pipelines as for one, and nothing else.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from daybook.days import finished_days
from daybook.ledger import all_pipelines
from daybook.ledger.all_pipelines import LastDay
from daybook.ledger.queries import is_begun
from daybook.planning.standing import Failure
from daybook.planning.status import Status, status
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline

log = logging.getLogger(__name__)


class KnownPipeline(NamedTuple):
    """The state of a pipeline's days that are over; its last published one, if any; how many exports it owes."""

    status: Status
    last: LastDay | None
    exports_owed: int


class KnownPipelines(NamedTuple):
    """The pipelines by name, and whether the ledger behind each connection answered; if not, its own are left out."""

    pipelines: dict[str, KnownPipeline]
    answered: dict[str, bool]


def ask_all(
    pipelines: Mapping[str, Pipeline], connect: Callable[[str], AbstractContextManager[Connection]], now: datetime
) -> KnownPipelines:
    """Return what is known of some pipelines. connect: opens a connection by its id. now: an instant.

    Raises nothing: a ledger that cannot be asked hides no other.
    """
    known, answered = dict[str, KnownPipeline](), dict[str, bool]()
    for connection_id in sorted({pipeline.target.connection for pipeline in pipelines.values()}):
        own = {name: one for name, one in sorted(pipelines.items()) if one.target.connection == connection_id}
        days = {name: finished_days(pipeline.schedule, now) for name, pipeline in own.items()}
        try:
            known |= at_once(partial(connect, connection_id), partial(known_pipelines, days=days))
            answered[connection_id] = True
        except Exception as error:
            log.warning("%s: the ledger could not be asked for metrics: %s", connection_id, type(error).__name__)
            answered[connection_id] = False
    return KnownPipelines(dict(sorted(known.items())), answered)


def known_pipelines(connection: Connection, days: Mapping[str, list[date]]) -> dict[str, KnownPipeline]:
    """Return what a ledger knows of some pipelines. days: those of each that are due, in order."""
    if not is_begun(connection):
        return {name: KnownPipeline(status(due, set(), set(), (), {}), None, 0) for name, due in days.items()}
    names = [*days]
    published = all_pipelines.published(connection, names)
    rolled_back = all_pipelines.rolled_back(connection, names)
    failed = all_pipelines.failed(connection, names)
    waiting = all_pipelines.waiting(connection, names)
    last, owed = all_pipelines.last_days(connection, names), all_pipelines.exports_owed(connection, names)

    def known(name: str) -> KnownPipeline:
        failures = {day: Failure(*words) for (of, day), words in failed.items() if of == name}
        of_name = [{day for of, day in found if of == name} for found in (published, rolled_back, waiting)]
        found = status(days[name], of_name[0], set(), of_name[1], failures, of_name[2])
        return KnownPipeline(found, last.get(name), owed.get(name, 0))

    return {name: known(name) for name in names}
