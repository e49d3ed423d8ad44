"""The days that a pipeline's schedule means, in the warehouse's `due_day`: a roll-up shows how many are due.

A view cannot read a cron or a calendar of holidays. `deploy` keeps the table: for whole years, around all days that are
published, and anew if the schedule has changed. No clock is asked: days to come are due too.
"""

from datetime import date
from importlib.metadata import version

from daybook.days import scheduled_days
from daybook.postgres.session import Connection
from daybook.spec import Pipeline, Schedule


def keep(connection: Connection, pipeline: Pipeline, day: date) -> None:
    """Let the warehouse know which days are due in the years of a day and of all published days, if a roll-up asks."""
    if not any(summary.every for summary in pipeline.summaries):
        return
    wanted = [pipeline.name, _words(pipeline.schedule), *_years(*_published(connection, pipeline.name, day))]
    is_kept = "select from due_range where (pipeline, schedule) = (%s, %s) and first_day <= %s and last_day >= %s"
    if connection.execute(is_kept.encode(), wanted).fetchone() is not None:
        return
    # Of two runs that come at once, the second one waits here, and knows the range of the first.
    row = connection.execute(
        "insert into due_range as kept (pipeline, schedule, first_day, last_day) values (%s, %s, %s, %s) "
        "on conflict (pipeline) do update set schedule = excluded.schedule, "
        "first_day = least(kept.first_day, excluded.first_day), last_day = greatest(kept.last_day, excluded.last_day) "
        "returning first_day, last_day",
        wanted,
    ).fetchone()
    if row:
        _write(connection, pipeline.name, scheduled_days(pipeline.schedule, *row))


def _published(connection: Connection, pipeline: str, day: date) -> tuple[date, date]:
    """Return the first and the last day that is published, or is this one."""
    row = connection.execute(
        "select least(%(day)s, min(day)), greatest(%(day)s, max(day)) from published where pipeline = %(name)s",
        {"day": day, "name": pipeline},
    ).fetchone()
    return row or (day, day)


def _years(first: date, last: date) -> tuple[date, date]:
    """Return the first and the last day of the years that the weeks of two days lie in."""
    monday = date.fromordinal(first.toordinal() - first.weekday())
    sunday = date.fromordinal(min(last.toordinal() + 6 - last.weekday(), date.max.toordinal()))
    return date(monday.year, 1, 1), date(sunday.year, 12, 31)


def _words(schedule: Schedule) -> str:
    calendar = f" holidays {version('holidays')}" if schedule.holidays else ""
    return schedule.model_dump_json() + calendar


def _write(connection: Connection, pipeline: str, days: list[date]) -> None:
    connection.execute("delete from due_day where pipeline = %s", [pipeline])
    connection.execute("insert into due_day select %s, unnest(%s::date[])", [pipeline, days])
