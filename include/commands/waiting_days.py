"""The days that wait, as `./daybook status` and `./daybook why` say it: in the words of the Report tab.

The ledger knows which steps wait, and the note in the step's folder for what and until when.
"""

from datetime import UTC, date, datetime

from commands import connections
from daybook.ledger import step_log
from daybook.ledger.waiting import noted, sentences
from daybook.postgres.session import Connection
from daybook.spec import Pipeline


def waiting_of(connection: Connection, pipeline: Pipeline, first: date, last: date) -> dict[date, list[str]]:
    """Return for each day that waits what its steps wait for, a sentence each; the ledger must have begun.

    The data folder is the environment's. Raises BadSpec if it is not set.
    """
    found: dict[date, list[str]] = {}
    now = datetime.now(UTC)
    for day, run, step, message in step_log.waiting(connection, pipeline.name, first, last):
        note = noted(connections.data().run(pipeline.name, day, run) / step)
        # The note may have been lost with the machine that wrote it.
        said = sentences(step, note, pipeline.schedule.time_zone, now) if note else [f"{step} waits: {message}"]
        found.setdefault(day, []).extend(said)
    return found
