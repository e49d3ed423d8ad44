"""The published folder: for each day a link to the files of the run that readers of the warehouse see.

The ledger decides; the folder follows it. A crash between the commit and the link is mended here, at the next
deployment or rollback of any day of the pipeline.
"""

from datetime import date
from typing import NamedTuple

from daybook.postgres.session import Connection
from daybook.storage.data_folder import DataFolder

# A deployment must not pay for a folder that was lost as a whole: the newest days first, the others next time.
MENDED_AT_ONCE = 50


class Pointer(NamedTuple):
    """The run that readers of a day see."""

    day: date
    run_id: int


def follow(connection: Connection, data: DataFolder, pipeline: str, day: date) -> None:
    """Let a day's link follow the ledger, and those of other days that do not follow it yet.

    connection: whatever it does is one transaction, so that of two runs the later one also links later.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext(%s), 0)", [f"daybook.link {pipeline}"])
        for pointer in _not_followed(connection, pipeline, day):
            if data.published_files(pipeline, *pointer).exists():
                data.publish(pipeline, *pointer)
                _note_followed(connection, pipeline, pointer)


def _not_followed(connection: Connection, pipeline: str, day: date) -> list[Pointer]:
    rows = connection.execute(
        "select day, run_id from daybook.published where pipeline = %(pipeline)s "
        "and (day = %(day)s or linked_run_id is distinct from run_id) order by day <> %(day)s, day desc limit %(most)s",
        {"pipeline": pipeline, "day": day, "most": MENDED_AT_ONCE},
    )
    return [Pointer(*row) for row in rows]


def _note_followed(connection: Connection, pipeline: str, pointer: Pointer) -> None:
    # Where the pointer moved meanwhile, whoever moved it waits for our lock and links next.
    connection.execute(
        "update daybook.published set linked_run_id = run_id where pipeline = %s and day = %s and run_id = %s",
        [pipeline, *pointer],
    )
