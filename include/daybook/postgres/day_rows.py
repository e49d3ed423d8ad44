"""Which rows of a table are a day's, and what they are now: asked for many days in one query, and nothing is copied.

A day's rows are found by comparing the raw column with constants, so an index on it serves. The bounds of local days
come from here, not from PostgreSQL's own time zones, so that a copy, a plan and `clean` agree about each row.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from daybook.days import bounds_of, days_between
from daybook.postgres.day_state import DayState
from daybook.postgres.session import Connection
from daybook.postgres.typed_columns import LOCAL, LiveColumn
from daybook.spec import Table, Where, nearest

# A local time is at most a day away from the same time in UTC.
MARGIN = timedelta(days=1)
NO_DAY = -1


class Slices(NamedTuple):
    """A table's rows by day, for every day of a range, and how many rows have no day: nothing, or infinity."""

    days: dict[date, DayState]
    without_day: int


class DayColumn(NamedTuple):
    """A column that holds a row's day. time_zone: of its values, if they are local times; zone: of the days.

    repeated_hour: which one a local time is that comes twice; see `Writing`.
    """

    name: str
    is_date: bool
    time_zone: str | None
    zone: str
    repeated_hour: str | None = None

    def holds(self, first: date, last: date) -> sql.Composed:
        """Return the condition for the rows of the days from first to last, both included."""
        name = sql.Identifier(self.name)
        start, end = self._bounds(first, last)
        exact = _between(self._instant(), start, end)
        if not self.time_zone or not isinstance(start, datetime) or not isinstance(end, datetime):
            return exact
        # Of the raw column too, a day wider on each side, for its index.
        zone = ZoneInfo(self.time_zone)
        raw = [(at + by).astimezone(zone).replace(tzinfo=None) for at, by in ((start, -MARGIN), (end, MARGIN))]
        return sql.SQL("{} and {}").format(_between(sql.Composed([name]), *raw), exact)

    def number(self, first: date, last: date) -> sql.Composed:
        """Return the expression that numbers the days of the range from 1. A row must have a day."""
        starts = [self._bounds(day, day)[0] for day in days_between(first, last)]
        value = self._instant()
        if self.is_date:
            return sql.SQL("{} - {} + 1").format(value, sql.Literal(first))
        return sql.SQL("width_bucket({}, {})").format(value, sql.Literal(starts))

    def _instant(self) -> sql.Composed:
        """Return the expression of a value; of a local time, of the instant at which its clock showed it.

        PostgreSQL takes a time that came twice for the second one, and one that was left out as before the change, as
        "shift" does (its manual, B.2).
        """
        name = sql.Identifier(self.name)
        if not self.time_zone:
            return sql.Composed([name])
        second = sql.SQL("({} at time zone {})").format(name, sql.Literal(self.time_zone))
        if self.repeated_hour != "first":
            return second
        words = {"name": name, "second": second, "zone": sql.Literal(self.time_zone)}
        firsts = (_FIRST.format(back=sql.Literal(back), **words) for back in BACK)
        return sql.SQL("(case {} else {} end)").format(sql.SQL(" ").join(firsts), second)

    def _bounds(self, first: date, last: date) -> tuple[date, date]:
        if self.is_date:
            return first, last + timedelta(days=1)
        return bounds_of(first, last, self.zone)


# By how much clocks go back: on Lord Howe, nearly everywhere, and in Troll.
BACK = tuple(timedelta(minutes=minutes) for minutes in (30, 60, 120))
_FIRST = sql.SQL("when ({second} - {back}) at time zone {zone} = {name} then {second} - {back}")


def _between(value: sql.Composed, start: date, end: date) -> sql.Composed:
    return sql.SQL("{0} >= {1} and {0} < {2}").format(value, sql.Literal(start), sql.Literal(end))


def day_column(table: Table, zone: str) -> DayColumn:
    """Return the column by which a table is read. zone: of the days."""
    column = table.day_column
    if column is None:
        raise ValueError(f"{table.name} is read whole")
    return DayColumn(column.header, column.kind == "date", column.time_zone, zone, column.repeated_hour)


def condition(where: Where) -> sql.Composed:
    """Return the condition of a spec's `where`."""
    parts = [_one_condition(sql.Identifier(column), wanted) for column, wanted in where.items()]
    return sql.SQL(" and ").join(parts) if parts else sql.Composed([sql.SQL("true")])


def _one_condition(name: sql.Identifier, wanted: Any) -> sql.Composed:
    if wanted is None:
        return sql.SQL("{} is null").format(name)
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    return sql.SQL("{} in ({})").format(name, sql.SQL(", ").join(map(sql.Literal, values)))


def slices(connection: Connection, table: Table, first: date, last: date, zone: str) -> Slices:
    """Return what a table's rows are on each day from first to last, by one query.

    The spec's words must fit the table (see `problems`).
    """
    found = {
        number: DayState(rows, content)
        for number, rows, content in connection.execute(_question(table, first, last, zone))
    }
    days = days_between(first, last)
    nothing = DayState(0, "")
    return Slices(
        {day: found.get(number, nothing) for number, day in enumerate(days, 1)}, found.get(NO_DAY, nothing).rows
    )


def _question(table: Table, first: date, last: date, zone: str) -> sql.Composed:
    on = day_column(table, zone)
    return sql.SQL(
        "select day_number, count(*), {content} from (select case when isfinite({column}) then {number} else {no_day} "
        "end as day_number, {row} as row_state from {relation} where (({range}) or {column} is null or {column} in "
        "('infinity', '-infinity')) and {where}) as rows_of_days group by 1"
    ).format(
        content=_content(table),
        number=on.number(first, last),
        no_day=sql.Literal(NO_DAY),
        row=_row_state(table),
        relation=relation(table.relation),
        range=on.holds(first, last),
        column=sql.Identifier(on.name),
        where=condition(table.where),
    )


def _row_state(table: Table) -> sql.Composed:
    if table.changed_by:
        return sql.Composed([sql.Identifier(table.changed_by)])
    names = sql.SQL(", ").join(sql.Identifier(column.header) for column in table.columns)
    return sql.SQL("sha256(convert_to(row({})::text, 'UTF8'))").format(names)


def _content(table: Table) -> sql.Composed:
    if table.changed_by:
        return sql.Composed([sql.SQL("concat('latest ', max(row_state))")])
    return CONTENT_OF_HASHES


def _sum_from(place: int) -> sql.Composed:
    eight = sql.SQL("substr(row_state, {}, 8)").format(sql.Literal(place))
    return sql.SQL("sum(('x' || encode({}, 'hex'))::bit(64)::bigint)").format(eight)


# Of the hashes in `row_state`. Sums do not depend on an order, and unlike exclusive or, two equal rows do not cancel
# out. 128 bits: no two sets of rows meet by chance.
CONTENT_OF_HASHES = sql.SQL("concat('sha256 ', {}, ' ', {})").format(_sum_from(1), _sum_from(9))


def relation(name: str) -> sql.Identifier:
    """Return the identifier of a table or view: its name with its schema."""
    return sql.Identifier(*name.split("."))


def problems(connection: Connection, table: Table, live: dict[str, LiveColumn]) -> Iterator[str]:
    """Return what of a table's day, condition and mark does not fit the database. live: its columns."""
    column = table.day_column
    found = live.get(column.header) if column else None
    if column and found and found.plain_type == LOCAL and not column.time_zone:
        yield (
            f"{table.relation}.{column.header} is {found.type}, whose day depends on its time zone: "
            f"write timestamp({column.header!r}, time_zone='Europe/Madrid'), with the zone of its clock"
        )
    if table.changed_by and table.changed_by not in live:
        yield f"changed_by: {table.relation} has no column {table.changed_by!r}{nearest(table.changed_by, live)}"
    yield from problems_of_where(connection, table.relation, table.where, live)


def problems_of_where(connection: Connection, name: str, where: Where, live: dict[str, LiveColumn]) -> Iterator[str]:
    """Return what of a condition does not fit a table: a column that is not there, a value of another type."""
    if unknown := [column for column in where if column not in live]:
        yield from (f"where: {name} has no column {column!r}{nearest(column, live)}" for column in unknown)
        return
    for column, wanted in where.items():
        query = sql.SQL("select from {} where {} limit 0").format(relation(name), condition({column: wanted}))
        try:
            with connection.transaction():
                connection.execute(query)
        except (psycopg.DataError, psycopg.ProgrammingError) as error:
            if isinstance(error, psycopg.errors.InsufficientPrivilege):
                raise
            yield f"where: {name}.{column} is {live[column].type}, and is never {wanted!r}"
