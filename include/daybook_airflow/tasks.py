"""The tasks of the DAG file: each does one of the nine steps for each day of its run.

Two of them may hold a day for its numbers. Then a person decides, in Airflow's Required Actions, and no worker waits:

    summarize, deploy --hold a day--> awaiting_input --"Publish" and why--> the day goes on, released in that name
                                                     --"Leave it" and why, or nothing for hours--> red, as it was

A run of one day parks at the step that holds it. A run of several days goes on with the others and parks at the end of
`deploy`. A backfill and a run that a command started do not park, since each would keep one of the pipeline's running
runs: the command tells which days are held, and `./daybook release` publishes them.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowRescheduleException, AirflowSkipException

from daybook.days import check_day
from daybook.errors import BadSpec, DaybookError, Implausible, NotYet
from daybook.ledger.decisions import Release
from daybook.ledger.receipt import STEPS
from daybook.ledger.waiting import DAYS as DAYS_FOLDER
from daybook.pipelines import load_pipelines
from daybook.planning.daily_run import DailyRun, days_of
from daybook.publish.rename import rename
from daybook.run.away import waiting_for_servers
from daybook.run.day_run import DayRun
from daybook.run.several_days import DaysLeftOut, Step, over_days
from daybook.spec import Pipeline
from daybook.storage.run_names import check_run_name
from daybook.text import printable
from daybook_airflow import hooks
from daybook_airflow.alerts.listener import tell_held
from daybook_airflow.answers import held_days, settle
from daybook_airflow.asked_runs import PREFIX
from daybook_airflow.assets import emit
from daybook_airflow.conf import Conf, conf_of
from daybook_airflow.data import data_folder
from daybook_airflow.decision import OPTIONS, PUBLISH, Decided
from daybook_airflow.events import at_work, told_if_broken
from daybook_airflow.held_numbers import numbers
from daybook_airflow.lineage.operator import ToldToOpenLineage
from daybook_airflow.links import DayLink, ReportLink
from daybook_airflow.queues import pool_and_queue
from daybook_airflow.run_days import MADE_BY_THE_SCHEDULE, asked_days, own_day

log = logging.getLogger(__name__)

# What a daily run waits for, if a server is away while it asks which other days to do.
ASKED_ABOUT_DAYS = "the servers that say which earlier days to do as well"
# Shorter than a day: a parked run counts as running, and the next day's must not wait for it.
OPEN_FOR = timedelta(hours=22)
SUBJECT = "Held: are the numbers right?"
WHY = "Kept with your name. Needed: without it you are asked again."
DAYS = "The days that are published; those that you take away stay as they are."


class StepTask(ToldToOpenLineage, PythonOperator):
    """A task that does a step for each day of its run; it is called as the step is."""

    def __init__(self, *, step: Step, pool: str, **more: Any) -> None:
        """Make the task of a step, by its name."""
        name, words = step.__name__, step.__doc__
        placed = pool_and_queue(pool)
        super().__init__(task_id=name, doc_md=words, python_callable=_with_context(step), **placed, **more)


class HoldingTask(ToldToOpenLineage, HITLOperator):
    """A task that does a step for each day of its run, and asks a person about the days that the step holds."""

    operator_extra_links = (DayLink(), ReportLink())

    def __init__(
        self, *, step: Step, pool: str, execution_timeout: timedelta, earlier: Sequence[Step] = (), **more: Any
    ) -> None:
        """Make the task of a step, by its name. earlier: the steps that a held day of several still lacks by then."""
        name, words = step.__name__, step.__doc__
        asked: dict[str, Any] = {"subject": SUBJECT, "options": [*OPTIONS], "response_timeout": OPEN_FOR}
        super().__init__(task_id=name, doc_md=words, **pool_and_queue(pool), **asked, **more)
        # Not passed on: the operator would take it for the time to answer in.
        self.execution_timeout = execution_timeout
        self.step, self.earlier = step, earlier

    def execute(self, context: Any) -> Any:
        """Do the step for each day of the run, and return the counts by day."""
        try:
            return do(self.step, context)
        except (Implausible, DaysLeftOut) as error:
            held, why = held_days(day_runs(self.step, context)), str(error)
            if not held or is_of_command(context):
                raise
        days = [str(day_run.day) for day_run in held]
        tell_held(context["dag"].dag_id, context["dag_run"].run_id, days, why)
        self.subject = f"{context['dag'].dag_id} {', '.join(days)}. {SUBJECT}"
        self.body = numbers(held, self.step.__name__)
        self.params["why"] = Param(None, type=["null", "string"], title="Why", description=WHY)
        self.params["days"] = Param(days, type="array", items={"type": "string"}, title="Days", description=DAYS)
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Go on with a person's answer, and return the counts by day; without a reason, ask again."""
        steps = [*self.earlier, self.step]
        if "error" in event:
            return go_on(steps, context, Decided(f"{OPEN_FOR.total_seconds() / 3600:g} hours", frozenset()))
        answer = super().execute_complete(context, event)
        given, person = answer["params_input"], answer["responded_by_user"]
        why = " ".join(str(given.get("why") or "").split())
        if not why:
            self.log.warning("%s gave no reason, so it is asked again", (person or {}).get("name"))
            return self.execute(context)
        days = given.get("days") if answer["chosen_options"] == [PUBLISH] else []
        by = Release((person or {}).get("name") or "unknown", why)
        return go_on(steps, context, Decided(by, None if days is None else frozenset(map(str, days))))


def _with_context(step: Step) -> Any:
    return lambda **context: do(step, context)


def do(step: Step, context: Any) -> dict[str, object]:
    """Do a step for each day of a run, and return the counts by day.

    If a file is not there yet, or a server is away, it frees the worker and looks again later.
    """
    attempt, most = context["ti"].try_number, context["ti"].max_tries
    with at_work(context), _errors_for_airflow():
        with told_if_broken(context):
            _rename(context)
            of_days = day_runs(step, context)
        counts = over_days(step, of_days, attempt=attempt, is_last_try=attempt > most)
    emit(context, of_days, counts)
    return counts


def go_on(steps: Sequence[Step], context: Any, decided: Decided) -> dict[str, object]:
    """Go on with the days that were held, as a person decided, and return the counts by day of the whole run.

    steps: the last is the task's own.
    """
    step = steps[-1]
    of_days = day_runs(step, context)
    with at_work(context), _errors_for_airflow():
        settle(steps, of_days, decided)
    receipts = {str(day_run.day): day_run.receipt_if_done(step.__name__) for day_run in of_days}
    counts: dict[str, object] = {day: receipt.counts() for day, receipt in receipts.items() if receipt}
    emit(context, of_days, counts)
    return counts


def day_runs(step: Step, context: Any) -> list[DayRun]:
    """Return a run's work on each of its days. The task keeps it for its links and its lineage."""
    of_days = [_day_run(day, context) for day in _days(step.__name__, context)]
    context["task"].day_runs, context["task"].days = of_days, [day_run.day for day_run in of_days]
    return of_days


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
    with waiting_for_servers(own, own.folder / DAYS_FOLDER, ASKED_ABOUT_DAYS):
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
        data=data_folder(),
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


def _release(context: Any) -> Release | None:
    """Return who released the day, and why, if the form says so."""
    why = (_conf(context).release or "").strip()
    return Release(context["dag_run"].triggering_user_name or "unknown", why) if why else None
