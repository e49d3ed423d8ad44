"""
### Daybook: a table and a file in, published daily summaries out, every row accounted for

`extract_tables` and `extract_files` copy the day's raw rows; `load` types them, `clean` checks them, `index` matches
them by key; `aggregate` and `summarize` make the numbers; `save` writes them where nobody looks yet; `deploy` lets
readers see them, all at once. Readers see the day as it was published last, whole, until `deploy` is done.

**When a task is red**

* `extract_tables`, `extract_files`: the other side is late, down or refuses us. It retries by itself where that can
  help; the log says what was asked and what came back. Mend the other side or the connection, then clear the task.
  A file that is not there yet is waited for (`up_for_reschedule`) until its cut-off, and only then the task is red.
* `load`, `clean`, `index`: the data broke the contract. The log counts the rows by column and rule; the refused rows
  lie in the run's folder with line and reason. A retry will not help: mend the source, then clear from `extract_*` on;
  or mend rows: `make refused DAY=… OUT=refused.csv`, fill in `mended`, `make replay DAY=… FILE=refused.csv WHY=…`
* `aggregate`, `summarize`: there is nothing left to count, or the day looks like no other and is held. Look at the
  refused rows and at the source. If the numbers are right, trigger the day again with a reason in `release`.
* `save`: the warehouse is down or has other columns than the spec. Nothing is visible of it; clear the task.
* `deploy`: readers still see what was published before, whole. The log says why; clear the task. Where a person rolled
  the same numbers back, they are held: mend the source, or trigger the day again with a reason in `release`.

**To run a day by hand**: Trigger, and set `day`. What an earlier run of the day did from the same inputs, spec and code
is taken over, unless `force` is on.
"""

import os
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.providers.ftp.hooks.ftp import FTPHook
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    ExceptionRetryPolicy,
    ObjectStoragePath,
    Param,
    RetryAction,
    RetryRule,
)
from airflow.sdk.exceptions import AirflowRescheduleException

from daybook import steps
from daybook.days import day_of_run
from daybook.errors import DaybookError, NotYet, SourceUnavailable
from daybook.ftp.connect import FtpServer
from daybook.ledger.decisions import Release
from daybook.pipelines import load_pipelines
from daybook.planning.look_back import days_with_restated
from daybook.run.day_run import Work, run_folder, run_folder_name
from daybook.run.several_days import over_days
from daybook.storage.folder import Folder

# The kind of error decides about a retry: only what may pass by itself is tried again. The first rule that fits wins.
RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=SourceUnavailable, action=RetryAction.RETRY, reason="the other side may come back"),
        RetryRule(exception=DaybookError, action=RetryAction.FAIL, reason="a person has to mend or decide"),
    ]
)
PATIENT = {"retries": 5, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(hours=1)}
PROMPT = {"retries": 1, "retry_delay": timedelta(seconds=5), "execution_timeout": timedelta(minutes=30)}

# Each parse and each task checks the form's schemas; by this draft of JSON Schema in a third of the time.
DRAFT = {"$schema": "http://json-schema.org/draft-07/schema#"}
FORM = {
    "day": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Day",
        description="The local day to work on; empty takes the day of the run's data interval.",
        **DRAFT,
    ),
    "days": Param(
        [],
        type="array",
        items={"type": "string", "format": "date"},
        title="Several days",
        description="Local days, one a line, that this one run works on instead; a bad one is left out and said.",
        **DRAFT,
    ),
    "force": Param(
        False,
        type="boolean",
        title="Do everything again",
        description="Otherwise a step whose inputs, spec and code are those of an earlier run takes over its result.",
        **DRAFT,
    ),
    "release": Param(
        None,
        type=["null", "string"],
        title="Release a held day: why",
        description="A reason here publishes a day although its numbers are implausible, or were rolled back. It is "
        "kept, with your name.",
        **DRAFT,
    ),
}


def for_each_day(step):
    """Make a task of a step: it does each day of the run; while a file is not there yet, it gives the worker back."""

    def task(**context):
        attempt, most = context["ti"].try_number, context["ti"].max_tries
        try:
            works = [work(day, context) for day in days(context)]
            told = over_days(step, works, attempt=attempt, is_last_try=attempt > most)
        except NotYet as not_yet:
            raise AirflowRescheduleException(not_yet.look_again_at) from None
        for asset in context["task"].outlets:
            context["outlet_events"][asset].extra = {"days": told}
        return told

    return task


def days(context) -> list[date]:
    """Return the local days that a run is about: those of the form, or its own; a daily run's with those restated."""
    params, run, pipeline = context["params"], context["dag_run"], load_pipelines().good[context["dag"].dag_id]
    if params["days"]:
        return sorted({date.fromisoformat(day) for day in params["days"]})
    own = day_of_run(params["day"], context.get("data_interval_start"), run.run_after, pipeline.schedule.time_zone)
    if run.run_type != "scheduled":
        return [own]
    kept = Folder(ObjectStoragePath(os.environ["DAYBOOK_DATA"]) / "days" / pipeline.name / "of_runs")
    return days_with_restated(pipeline, own, kept, f"{run_folder_name(run.run_id)}.json", postgres, ftp)


def work(day: date, context) -> Work:
    """Return a day's work as a run's context asks for it: which pipeline, in which folder, over which connections."""
    run, pipeline = context["dag_run"], load_pipelines().good[context["dag"].dag_id]
    data = ObjectStoragePath(os.environ["DAYBOOK_DATA"])
    return Work(
        pipeline=pipeline,
        day=day,
        run=run.run_id,
        folder=Folder(run_folder(data, pipeline.name, day, run.run_id)),
        published=Folder(data / "published" / pipeline.name),
        postgres=postgres,
        ftp=ftp,
        started_by=" by ".join(filter(None, [run.run_type, run.triggering_user_name])),
        is_forced=context["params"]["force"],
        release=release(context),
    )


def release(context) -> Release | None:
    """Return who released the day, and why, where the form says so."""
    why = (context["params"]["release"] or "").strip()
    return Release(context["dag_run"].triggering_user_name or "unknown", why) if why else None


def postgres(connection: str):
    """Open a PostgreSQL connection by its id in Airflow."""
    return PostgresHook(connection).get_conn()


def ftp(connection: str):
    """Open an FTP connection by its id in Airflow: over TLS, unless its extra says `insecure`."""
    stored = FTPHook.get_connection(connection)
    login = {"user": stored.login or "anonymous", "password": stored.password or ""}
    return FtpServer(host=stored.host, port=stored.port or 21, **login, **stored.extra_dejson).open()


for pipeline in load_pipelines().good.values():
    schedule, zone = pipeline.schedule, ZoneInfo(pipeline.schedule.time_zone)
    with DAG(
        pipeline.name,
        description=pipeline.description,
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable(schedule.cron, timezone=schedule.time_zone),
        start_date=datetime(schedule.start.year, schedule.start.month, schedule.start.day, tzinfo=zone),
        end_date=schedule.end and datetime(schedule.end.year, schedule.end.month, schedule.end.day, tzinfo=zone),
        catchup=False,
        max_active_runs=pipeline.max_active_runs,
        default_args={"retry_policy": RETRIES},
        tags=["daybook"],
    ) as dag:
        pools = pipeline.pools
        extract_tables = PythonOperator(
            task_id="extract_tables",
            python_callable=for_each_day(steps.extract_tables),
            pool=pools.source_db,
            **PATIENT,
        )
        extract_files = PythonOperator(
            task_id="extract_files",
            python_callable=for_each_day(steps.extract_files),
            pool=pools.ftp,
            **PATIENT,
        )
        load = PythonOperator(
            task_id="load",
            python_callable=for_each_day(steps.load),
            pool=pools.compute,
            **PROMPT,
        )
        clean = PythonOperator(
            task_id="clean",
            python_callable=for_each_day(steps.clean),
            pool=pools.compute,
            **PROMPT,
        )
        index = PythonOperator(
            task_id="index",
            python_callable=for_each_day(steps.index),
            pool=pools.compute,
            **PROMPT,
        )
        aggregate = PythonOperator(
            task_id="aggregate",
            python_callable=for_each_day(steps.aggregate),
            pool=pools.compute,
            **PROMPT,
        )
        summarize = PythonOperator(
            task_id="summarize",
            python_callable=for_each_day(steps.summarize),
            pool=pools.compute,
            **PATIENT,
        )
        save = PythonOperator(
            task_id="save",
            python_callable=for_each_day(steps.save),
            pool=pools.warehouse,
            **PATIENT,
        )
        deploy = PythonOperator(
            task_id="deploy",
            python_callable=for_each_day(steps.deploy),
            outlets=[Asset(pipeline.name)],
            pool=pools.warehouse,
            **PATIENT,
        )
        [extract_tables, extract_files] >> load >> clean >> index >> aggregate >> summarize >> save >> deploy
        # The form is the run's. Given before, each task would have a copy of it, to be checked and kept with it.
        dag.params = FORM
        for task in dag.tasks:
            # No word of a task is filled in; of each that might be it would send what it became: a request a task.
            task.template_fields = ()
