"""The local days of a run: those of its conf, or its own."""

from datetime import date
from typing import Any

from daybook.days import day_of_run
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook_airflow.conf import conf_of

# The schedule makes these; any other interval is guessed by Airflow from the moment of the trigger.
MADE_BY_THE_SCHEDULE = ("scheduled", "backfill")


def asked_days(run: Any) -> list[date]:
    """Return the days that the conf of a run names, in their order; none if it names none. Raises BadSpec."""
    conf = conf_of(run.conf)
    return sorted({*conf.days, *filter(None, [conf.day])})


def own_day(pipeline: Pipeline, run: Any) -> date:
    """Return the day of a run whose conf names none: that of its interval, or the last one that was over."""
    is_dated = run.run_type in MADE_BY_THE_SCHEDULE
    start = run.data_interval_start if is_dated else None
    return day_of_run(pipeline.schedule, start, run.logical_date or run.run_after)


def noted_days(pipeline: Pipeline, run: Any, data: DataFolder) -> list[date]:
    """Return the days of a run as one can know them without its servers: those that it noted, else as above."""
    return data.days_of_run(pipeline.name, run.run_id) or asked_days(run) or [own_day(pipeline, run)]
