"""Asks the tables what their rows are, on each of some days if they are read by day, and which days have their marks.

One query of a table answers for all days (postgres/day_rows.py, whole_rows.py), in one snapshot of its database.
Nothing is copied.
"""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from daybook.postgres.copy_tables import SNAPSHOT, check_columns
from daybook.postgres.day_rows import Slices, slices
from daybook.postgres.day_state import DayState
from daybook.postgres.marks import marked_days, unmarked
from daybook.postgres.session import Connection, at_once
from daybook.postgres.whole_rows import whole_state
from daybook.spec import Pipeline, Table
from daybook.text import counted, verb


class Answer(NamedTuple):
    """What a table says of some days: its rows by day, or all of them if it is read whole, and the days with a mark if
    it needs one."""

    table: Table
    slices: Slices | None
    whole: DayState | None
    marked: set[date] | None


def tables_now(pipeline: Pipeline, days: list[date], open_postgres: Callable[[str], Any]) -> list[Answer]:
    """Return what each table says of some days.

    Raises SourceUnavailable or BadSpec if a database cannot be asked.
    """
    answers: list[Answer] = []
    for connection_id in dict.fromkeys(table.connection for table in pipeline.tables):
        tables = tuple(table for table in pipeline.tables if table.connection == connection_id)
        ask = partial(_answers, tables=tables, first=min(days), last=max(days), zone=pipeline.schedule.time_zone)
        connect = partial(open_postgres, connection_id)
        answers += at_once(connect, ask, settings=SNAPSHOT, where="the source database")
    return answers


def on_day(answers: list[Answer], day: date) -> dict[str, DayState]:
    """Return what the day's rows are in each table that is read by day, by source."""
    return {answer.table.name: answer.slices.days[day] for answer in answers if answer.slices}


def whole_tables(answers: list[Answer]) -> dict[str, DayState]:
    """Return what the rows are of each table that is read whole, by source."""
    return {answer.table.name: answer.whole for answer in answers if answer.whole}


def without_mark(answers: list[Answer], day: date) -> tuple[str, ...]:
    """Return in words the tables whose mark of the day is not there."""
    waits = [answer.table for answer in answers if answer.marked is not None and day not in answer.marked]
    return tuple(unmarked(table, table.ready, day) for table in waits if table.ready)


def remarks(answers: list[Answer]) -> tuple[str, ...]:
    """Return how many rows of each table have no day, a sentence each."""
    counts = [(answer.table, answer.slices.without_day) for answer in answers if answer.slices]
    return tuple(_without_day(table, rows) for table, rows in counts if rows)


def _answers(connection: Connection, tables: tuple[Table, ...], first: date, last: date, zone: str) -> list[Answer]:
    check_columns(connection, tables)
    return [
        Answer(
            table,
            slices(connection, table, first, last, zone) if table.day else None,
            None if table.day else whole_state(connection, table),
            marked_days(connection, table.ready, first, last, zone) if table.ready else None,
        )
        for table in tables
    ]


def _without_day(table: Table, rows: int) -> str:
    count = f"{counted(rows, 'row')} {verb(rows, 'has', 'have')}"
    return f"{table.relation}: {count} no {table.day}, and no day counts {verb(rows, 'it', 'them')}"
