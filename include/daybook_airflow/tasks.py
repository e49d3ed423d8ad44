"""The tasks of the DAG file: the days of a run, a step over each of them, and the rules for retries."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import ExceptionRetryPolicy, ObjectStoragePath, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowRescheduleException, AirflowSkipException

from daybook.days import check_day
from daybook.errors import BadSpec, DaybookError, NotYet, SourceUnavailable
from daybook.ledger.decisions import Release
from daybook.ledger.receipt import STEPS
from daybook.ledger.waiting import DAYS
from daybook.pipelines import load_pipelines
from daybook.planning.daily_run import DailyRun, days_of
from daybook.publish.rename import rename
from daybook.run.away import waiting_for_servers
from daybook.run.day_run import DayRun
from daybook.run.several_days import Step, over_days
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.run_names import check_run_name
from daybook.text import printable
from daybook_airflow import hooks
from daybook_airflow.answers import settle
from daybook_airflow.asked_runs import PREFIX
from daybook_airflow.assets import emit
from daybook_airflow.conf import Conf, conf_of
from daybook_airflow.decision import Decided
from daybook_airflow.run_days import MADE_BY_THE_SCHEDULE, asked_days, own_day
from daybook_airflow.timetable import DailyTimetable

log = logging.getLogger(__name__)

# The kind of error decides about a retry: only errors that may pass by themselves get one. The first match wins.
RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=SourceUnavailable, action=RetryAction.RETRY, reason="the other side may come back"),
        RetryRule(exception=DaybookError, action=RetryAction.FAIL, reason="a person has to mend or decide"),
    ]
)
# What a daily run waits for, if a server is away while it asks which other days to do.
ASKED_ABOUT_DAYS = "the servers that say which earlier days to do as well"
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


def do(step: Step, context: Any) -> dict[str, object]:
    """Do a step for each day of a run, and return the counts by day.

    If a file is not there yet, or a server is away, it frees the worker and looks again later.
    """
    attempt, most = context["ti"].try_number, context["ti"].max_tries
    with _errors_for_airflow():
        _rename(context)
        of_days = day_runs(step, context)
        counts = over_days(step, of_days, attempt=attempt, is_last_try=attempt > most)
    emit(context, of_days, counts)
    return counts


def go_on(step: Step, context: Any, decided: Decided) -> dict[str, object]:
    """Go on with the days that a step held, as a person decided, and return the counts by day of the whole run."""
    of_days = day_runs(step, context)
    with _errors_for_airflow():
        settle(step, of_days, decided)
    receipts = {str(day_run.day): day_run.receipt_if_done(step.__name__) for day_run in of_days}
    counts: dict[str, object] = {day: receipt.counts() for day, receipt in receipts.items() if receipt}
    emit(context, of_days, counts)
    return counts


def day_runs(step: Step, context: Any) -> list[DayRun]:
    """Return a run's work on each of its days. The task keeps them for its links."""
    context["task"].days = _days(step.__name__, context)
    return [_day_run(day, context) for day in context["task"].days]


def is_of_command(context: Any) -> bool:
    """Return whether a backfill or a command started the run: then somebody waits for its end."""
    run = context["dag_run"]
    return run.run_type == "backfill" or str(run.run_id).startswith(PREFIX)


@contextmanager
def _errors_for_airflow() -> Iterator[None]:
    try:
        yield
    except NotYet as not_yet:
        log.info("%s", printable(str(not_yet)))
        raise AirflowRescheduleException(not_yet.look_again_at) from None  # type: ignore[no-untyped-call]
    except DaybookError as error:
        # It may quote a name from outside, and the log is read on terminals.
        error.args = (printable(str(error)),)
        raise


def _days(step: str, context: Any) -> list[date]:
    """Return the local days of a run: those of its conf, or its own; a daily run adds those missed and restated."""
    pipeline, run = _pipeline(context), context["dag_run"]
    check_run_name(run.run_id)
    # The scheduler's clock may be ahead of this machine's, and a day's run begins the moment that the day is over.
    now = max(datetime.now(UTC), run.run_after)
    days = _asked_days(context)
    if not days:
        days = [own_day(pipeline, run)]
        _skip_if_closed(pipeline, days[0], run.run_type)
    for day in days:
        check_day(pipeline, day, now)
    if run.run_type != "scheduled":
        return days
    daily_run = DailyRun(pipeline, days[0], run.run_id, now, is_at_its_begin=step in STEPS[:2])
    return _days_of(daily_run, _day_run(days[0], context))


def _days_of(daily_run: DailyRun, own: DayRun) -> list[date]:
    # In a folder of its own: in the step's, each success here would end the step's wait for the same server.
    with waiting_for_servers(own, own.folder / DAYS, ASKED_ABOUT_DAYS):
        return days_of(daily_run, own.data, own.postgres, own.ftp)


def _skip_if_closed(pipeline: Pipeline, day: date, run_type: str) -> None:
    """Skip the task if Airflow made the run by the cron alone, which knows no holiday."""
    closed = pipeline.schedule.why_closed(day)
    if closed and run_type in MADE_BY_THE_SCHEDULE:
        raise AirflowSkipException(f"{pipeline.name} {day}: {closed}, so it is no day of the schedule; nothing is due")


def _asked_days(context: Any) -> list[date]:
    with _said_for(context):
        return asked_days(context["dag_run"])


def _conf(context: Any) -> Conf:
    with _said_for(context):
        return conf_of(context["dag_run"].conf)


@contextmanager
def _said_for(context: Any) -> Iterator[None]:
    try:
        yield
    except BadSpec as error:
        raise BadSpec(f"{context['dag'].dag_id}: {error}; nothing was done; trigger it with other words") from None


def _day_run(day: date, context: Any) -> DayRun:
    run, overrides = context["dag_run"], _conf(context).overrides
    return DayRun(
        pipeline=_pipeline(context).overridden(overrides),
        overrides=overrides,
        day=day,
        run=run.run_id,
        data=_data(),
        postgres=hooks.postgres,
        ftp=hooks.files,
        started_by=_started_by(run),
        is_forced=_conf(context).force,
        release=_release(context),
        attempt=context["ti"].try_number,
    )


def _pipeline(context: Any) -> Pipeline:
    return load_pipelines().good[context["dag"].dag_id]


def _rename(context: Any) -> None:
    """Take over what a renamed pipeline has under its old name, before its first run does anything."""
    pipeline = _pipeline(context)
    if pipeline.renamed_from is None:
        return
    own = _day_run((_asked_days(context) or [own_day(pipeline, context["dag_run"])])[0], context)
    connect = partial(hooks.postgres, pipeline.target.connection)
    with waiting_for_servers(own, own.folder / "renamed", "the warehouse"):
        if rename(connect, pipeline, own.data, own.started_by):
            log.info("%s has taken over what %s had", pipeline.name, pipeline.renamed_from)


def _started_by(run: Any) -> str:
    return " by ".join(filter(None, [run.run_type, run.triggering_user_name]))


def _data() -> DataFolder:
    return DataFolder(ObjectStoragePath(os.environ["DAYBOOK_DATA"]))


def _release(context: Any) -> Release | None:
    """Return who released the day, and why, if the form says so."""
    why = (_conf(context).release or "").strip()
    return Release(context["dag_run"].triggering_user_name or "unknown", why) if why else None
