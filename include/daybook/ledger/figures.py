"""The figures of published days for people: rows read and refused, and the seconds of work. Reads only.

The function works in the transaction of the connection it gets.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from daybook.postgres.session import Connection


class Figures(NamedTuple):
    """What readers see of a day: the run, the rows that it read and refused, and the seconds that its steps worked.

    seconds: of the last try of each step; None if the log of the steps does not know the run.
    """

    run_id: int
    rows_read: int
    rows_refused: int
    seconds: Decimal | None


def figures(connection: Connection, pipeline: str, first: date, last: date) -> dict[date, Figures]:
    """Return the figures of each day from first to last that readers see."""
    rows = connection.execute(
        "with worked as ("
        "select day, run, round(sum(greatest(0, extract(epoch from ended_at - started_at))), 1) seconds "
        "from step where pipeline = %(pipeline)s and day between %(first)s and %(last)s group by day, run) "
        "select seen.day, seen.run_id, rows_read, rows_refused, worked.seconds "
        "from published seen join ledger using (run_id) join run using (run_id) "
        "left join worked on worked.day = seen.day and worked.run = run.started_by "
        "where seen.pipeline = %(pipeline)s and seen.day between %(first)s and %(last)s order by seen.day",
        {"pipeline": pipeline, "first": first, "last": last},
    )
    return {day: Figures(*words) for day, *words in rows}


def last_published_day(connection: Connection, pipeline: str) -> date | None:
    """Return the last day that readers see, or None."""
    row = connection.execute("select max(day) from published where pipeline = %s", [pipeline]).fetchone()
    return row[0] if row else None
