"""The marks that say that a day's rows are in a table: which days have one, and whether a day is still waited for."""

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from psycopg import sql

from daybook.days import days_between
from daybook.errors import Awaited, BadData, BadSpec, NotYet
from daybook.postgres.day_rows import DayColumn, condition, problems_of_where, relation
from daybook.postgres.session import Connection
from daybook.postgres.typed_columns import LOCAL, live_columns
from daybook.spec import Table, TableReady, nearest

log = logging.getLogger(__name__)


class LocalDay(NamedTuple):
    """A day of a pipeline, and its time zone, an IANA name."""

    day: date
    zone: str


def marked_days(connection: Connection, ready: TableReady, first: date, last: date, zone: str) -> set[date]:
    """Return the days from first to last that have a mark, by one query. Raises BadSpec if the table has no such mark.

    zone: of the days.
    """
    on = _day_column(connection, ready, zone)
    query = sql.SQL("select distinct {} from {} where {} and {}").format(
        on.number(first, last), relation(ready.relation), on.holds(first, last), condition(ready.where)
    )
    days = days_between(first, last)
    return {days[number - 1] for (number,) in connection.execute(query)}


def check_marked(connection: Connection, tables: tuple[Table, ...], on: LocalDay, now: datetime) -> None:
    """Check that the day's rows are there, as the marks of these tables say. now: an instant.

    Raises NotYet if one has to be waited for, BadData if its cut-off has passed.
    """
    waits = [(table, ready) for table, ready in _with_marks(tables) if not _is_marked(connection, ready, on)]
    if late := [(table, ready) for table, ready in waits if now >= cut_off(ready, on)]:
        said = "; ".join(f"{unmarked(*one, on.day)}, and the cut-off was {cut_off(one[1], on)}" for one in late)
        raise BadData(
            f"late: {said}; nothing was read; ask who loads the table, and clear extract_tables when it is there"
        )
    if waits:
        again = now + timedelta(seconds=min(ready.look_every_s for _, ready in waits))
        said = "; ".join(f"{unmarked(*one, on.day)} (cut-off {cut_off(one[1], on)})" for one in waits)
        log.info("not yet: %s; looked at again at %s", said, again.isoformat(timespec="seconds"))
        awaited = (Awaited(table.name, unmarked(table, ready, on.day), cut_off(ready, on)) for table, ready in waits)
        raise NotYet(f"not yet: {said}", again, tuple(awaited))


def cut_off(ready: TableReady, on: LocalDay) -> datetime:
    """Return the instant up to which a day's mark is waited for."""
    return datetime.combine(on.day + timedelta(days=1), ready.cut_off, ZoneInfo(on.zone))


def unmarked(table: Table, ready: TableReady, day: date) -> str:
    """Return in words that a day has no mark."""
    wanted = (f"{name} {'empty' if value is None else value}" for name, value in ready.where.items())
    which = f" with {', '.join(wanted)}" if ready.where else ""
    return f"{table.relation} is not ready: {ready.relation} has no row of {day}{which}"


def _with_marks(tables: tuple[Table, ...]) -> list[tuple[Table, TableReady]]:
    return [(table, table.ready) for table in tables if table.ready]


def _is_marked(connection: Connection, ready: TableReady, on: LocalDay) -> bool:
    return on.day in marked_days(connection, ready, on.day, on.day, on.zone)


def _day_column(connection: Connection, ready: TableReady, zone: str) -> DayColumn:
    if problem := next(_problems(connection, ready), None):
        raise BadSpec(f"ready, {problem}; nothing was read; mend the spec or the table")
    live = live_columns(connection, relation(ready.relation))[ready.day]
    return DayColumn(ready.day, live.plain_type == "date", ready.time_zone, zone)


def _problems(connection: Connection, ready: TableReady) -> Iterator[str]:
    live = live_columns(connection, relation(ready.relation))
    if not live:
        yield f"relation: {ready.relation} is not there, or not ours to see"
        return
    found = live.get(ready.day)
    if found is None:
        yield f"day: {ready.relation} has no column {ready.day!r}{nearest(ready.day, live)}"
        return
    if found.plain_type not in ("date", "timestamp with time zone", LOCAL):
        yield f"day: {ready.relation}.{ready.day} is {found.type}; it takes a date or a timestamp"
    if found.plain_type == LOCAL and not ready.time_zone:
        yield (
            f"time_zone: {ready.relation}.{ready.day} is {found.type}, whose day depends on its time zone; "
            "write time_zone='Europe/Madrid', with the zone of its clock"
        )
    if found.plain_type != LOCAL and ready.time_zone:
        yield f"time_zone: {ready.time_zone!r} is refused: {ready.relation}.{ready.day} is {found.type}; leave it out"
    yield from problems_of_where(connection, ready.relation, ready.where, live)
