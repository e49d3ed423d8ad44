"""The days that are not published by their time. Pure: the clock and the ledger's days are given."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from daybook.days import due_at, last_finished_day, scheduled_days
from daybook.spec import File, Pipeline

# Older days are for `./daybook status`: that they are late is no news.
LOOK_BACK = timedelta(days=7)


def due_days(pipeline: Pipeline, now: datetime) -> list[date]:
    """Return the last days of a pipeline whose time to be published has come; none if the schedule has no `due`."""
    last = last_finished_day(pipeline.schedule.time_zone, now)
    days = scheduled_days(pipeline.schedule, last - LOOK_BACK, last) if pipeline.schedule.due else []
    return [day for day in days if (due := due_at(pipeline.schedule, day)) and due <= now]


def late_days(pipeline: Pipeline, now: datetime, published: Collection[date]) -> list[date]:
    """Return the days that readers do not see although their time has come."""
    return [day for day in due_days(pipeline, now) if day not in published]


def why_late(pipeline: Pipeline) -> str:
    """Return what was expected, and until when the pipeline's files are waited for."""
    zone = pipeline.schedule.time_zone
    waits = [f"{file.name} until {file.cut_off:%H:%M}" for file in pipeline.files if _is_awaited(file)]
    waited = f"; its files are waited for: {', '.join(waits)}" if waits else ""
    return f"not published, and it was due at {pipeline.schedule.due:%H:%M} in {zone}{waited}"


def _is_awaited(file: File) -> bool:
    return "cut_off" in file.model_fields_set
