"""When the runs of a pipeline begin, and how often and how long a task tries."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from daybook.errors import DaybookError, SourceUnavailable
from daybook.spec import Pipeline
from daybook_airflow.timetable import DailyTimetable

# The kind of error decides about a retry: only errors that may pass by themselves get one. The first match wins.
RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=SourceUnavailable, action=RetryAction.RETRY, reason="the other side may come back"),
        RetryRule(exception=DaybookError, action=RetryAction.FAIL, reason="a person has to mend or decide"),
    ]
)
PATIENT: dict[str, Any] = {"retries": 5, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(hours=1)}
PROMPT: dict[str, Any] = {"retries": 1, "retry_delay": timedelta(seconds=5), "execution_timeout": timedelta(minutes=30)}


def daily(pipeline: Pipeline) -> DailyTimetable:
    """Return the timetable of a pipeline: once per local day. A bare cron string would have an empty interval."""
    return DailyTimetable(pipeline.schedule.cron, timezone=pipeline.schedule.time_zone)


def first_day(pipeline: Pipeline) -> datetime:
    """Return the midnight at which a pipeline's first day begins."""
    return datetime.combine(pipeline.schedule.start, time.min, ZoneInfo(pipeline.schedule.time_zone))


def last_day(pipeline: Pipeline) -> datetime | None:
    """Return the last moment of a pipeline's last day, since its cron may mean any time of it; None for no last day."""
    end = pipeline.schedule.end
    # The last day of all calendars stands for none, and in UTC it may end a day later.
    return None if end in (None, date.max) else datetime.combine(end, time.max, ZoneInfo(pipeline.schedule.time_zone))
