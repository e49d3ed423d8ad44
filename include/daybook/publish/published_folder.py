"""The published folder: for each day a link to the files of the run that readers of the warehouse see.

The ledger decides; the folder follows it. If a crash came between the commit and the link, the next deployment or
rollback of any day of the pipeline repairs the link.
"""

from datetime import date
from typing import NamedTuple

from daybook.ledger.decisions import days_taken_back
from daybook.postgres.session import Connection
from daybook.storage.data_folder import DataFolder

# If a whole folder was lost, one deployment repairs only so many links: the newest days first, the rest next time.
MENDED_AT_ONCE = 50


class Pointer(NamedTuple):
    """The run that readers of a day see."""

    day: date
    run_id: int


def follow(connection: Connection, data: DataFolder, pipeline: str, day: date) -> None:
    """Point a day's link at the ledger's run, and repair the links of other days. A day taken back has none.

    connection: used in one transaction, so of two runs the later one also links later.
    """
    with connection.transaction():
        lock_links(connection, pipeline)
        for taken_back in days_taken_back(connection, pipeline):
            if data.published_run_id(pipeline, taken_back) is not None:
                data.published(pipeline).remove_pointer(str(taken_back))
        for pointer in _not_followed(connection, pipeline, day):
            if data.is_saved(pipeline, *pointer):
                before = data.published(pipeline).mark(str(pointer.day))
                # Asked once more: a process that stood still meanwhile has lost its lock, and learns it here. If it
                # stands still after this, the mark is no longer right.
                if _is_seen(connection, pipeline, pointer):
                    data.publish(pipeline, *pointer, before)
                    note_followed(connection, pipeline, pointer)


def lock_links(connection: Connection, pipeline: str) -> None:
    """Be the only one who changes a pipeline's links, until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(hashtext(%s), 0)", [f"daybook.link {pipeline}"])


def _not_followed(connection: Connection, pipeline: str, day: date) -> list[Pointer]:
    # Two parts, each by an index: the days that follow already are not looked at.
    rows = connection.execute(
        "(select day, run_id from published where pipeline = %(pipeline)s and day = %(day)s) union all "
        "(select day, run_id from published where pipeline = %(pipeline)s and day <> %(day)s "
        "and linked_run_id is distinct from run_id order by day desc limit %(most)s)",
        {"pipeline": pipeline, "day": day, "most": MENDED_AT_ONCE},
    )
    return [Pointer(*row) for row in rows]


def _is_seen(connection: Connection, pipeline: str, pointer: Pointer) -> bool:
    query = "select from published where pipeline = %s and day = %s and run_id = %s"
    return connection.execute(query, [pipeline, *pointer]).fetchone() is not None


def note_followed(connection: Connection, pipeline: str, pointer: Pointer) -> None:
    """Note in the ledger that a day's link shows this run."""
    # If the pointer has moved since, the run that moved it waits for our lock and links next.
    connection.execute(
        "update published set linked_run_id = run_id where pipeline = %s and day = %s and run_id = %s",
        [pipeline, *pointer],
    )
