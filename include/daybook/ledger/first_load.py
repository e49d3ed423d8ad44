"""The first load of a pipeline: a backfill of days before which nothing was published yet, and what it compares with.

A day is compared with published days before it. In a first load that would hold every day after a change of level,
since none of the held days moves the median: of 2,526 days that grow for four months and shrink at the end, 2,522. So
there a day is compared with all days before it that the same backfill has loaded, held or published; a person looks at
the held ones once, at its end.
"""

from datetime import date
from decimal import Decimal

from daybook.postgres.session import Connection

BACKFILL = "daybook_backfill__"
"""The start of the names of all runs of backfills. The moment of the command follows, and then the run's first day."""


def days_before(
    connection: Connection, pipeline: str, day: date, count: int, run: str
) -> dict[date, dict[str, Decimal]]:
    """Return the totals of the last days before a day: published, or in a first load those loaded by its backfill.

    run: the name of the run that asks.
    """
    command = _command(run)
    if command and not _is_published_by_others(connection, pipeline, day, command):
        return _loaded(connection, pipeline, day, count, command)
    return _published(connection, pipeline, day, count)


def is_first_load(connection: Connection, pipeline: str, last: date) -> bool:
    """Return whether no day up to the last one is published yet."""
    found = connection.execute("select from published where pipeline = %s and day <= %s limit 1", [pipeline, last])
    return found.fetchone() is None


def _command(run: str) -> str:
    """Return the start of the names of all runs of a run's backfill; "" if it is of none."""
    return f"{run.rpartition('__')[0]}__" if run.startswith(BACKFILL) else ""


def _is_published_by_others(connection: Connection, pipeline: str, day: date, command: str) -> bool:
    found = connection.execute(
        "select from published join run using (run_id) where published.pipeline = %s "
        "and published.day < %s and not starts_with(run.started_by, %s) limit 1",
        [pipeline, day, command],
    )
    return found.fetchone() is not None


def _loaded(
    connection: Connection, pipeline: str, day: date, count: int, command: str
) -> dict[date, dict[str, Decimal]]:
    rows = connection.execute(
        "select day, receipt -> 'totals' from step where pipeline = %s and day < %s and step = 'aggregate' "
        "and starts_with(run, %s) and receipt -> 'totals' ->> 'row_count' is not null order by day desc limit %s",
        [pipeline, day, command, count],
    )
    return _by_day(rows.fetchall())


def _published(connection: Connection, pipeline: str, day: date, count: int) -> dict[date, dict[str, Decimal]]:
    rows = connection.execute(
        "select published.day, totals from published join ledger using (run_id) "
        "where published.pipeline = %s and published.day < %s order by published.day desc limit %s",
        [pipeline, day, count],
    )
    return _by_day(rows.fetchall())


def _by_day(rows: list[tuple[date, dict[str, str]]]) -> dict[date, dict[str, Decimal]]:
    return {day: {name: Decimal(total) for name, total in totals.items()} for day, totals in rows}
