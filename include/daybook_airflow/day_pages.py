"""What the plugin answers about a pipeline's days. It asks the warehouse through Airflow's connection of the target.

Only the API server imports it, when it is asked.
"""

from datetime import UTC, date, datetime
from functools import partial

from daybook.days import last_finished_day, scheduled_days
from daybook.pages.calendar_page import Asked, calendar_page, state_asked, year_asked
from daybook.planning.known_days import known_days
from daybook.postgres.session import at_once
from daybook.spec import Pipeline
from daybook_airflow.hooks import postgres


def days_answer(pipeline: Pipeline, year: str | None, state: str | None) -> bytes:
    """Return the page of a pipeline's days. year, state: as the address has them.

    Raises ValueError for a word that is none, and DaybookError if the warehouse cannot be asked.
    """
    due = due_days(pipeline, datetime.now(UTC))
    years = sorted({day.year for day in due})
    asked = Asked(year_asked(year, years), state_asked(state))
    days = [day for day in due if asked.year in (None, day.year)]
    connect = partial(postgres, pipeline.target.connection)
    known = at_once(connect, lambda connection: known_days(connection, pipeline.name, days))
    return calendar_page(pipeline.name, known, years, asked)


def due_days(pipeline: Pipeline, now: datetime) -> list[date]:
    """Return the days of a pipeline's schedule that are over. now: an instant."""
    schedule = pipeline.schedule
    return scheduled_days(schedule, schedule.start, last_finished_day(schedule.time_zone, now))
