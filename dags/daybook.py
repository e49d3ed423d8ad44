"""
### Daybook: a table and a file in, published daily summaries out, every row accounted for

`extract_tables` and `extract_files` copy the day's raw rows; `load` types them, `clean` checks them, `index` matches
them by key; `aggregate` and `summarize` make the numbers; `save` writes them where nobody looks yet; `deploy` lets
readers see them, all at once. Readers see the day as it was published last, whole, until `deploy` is done.

**When a task is red**

* `extract_tables`, `extract_files`: the other side is late, down or refuses us. It retries by itself where that can
  help; the log says what was asked and what came back. Mend the other side or the connection, then clear the task.
  A file or a table's mark that is not there yet, or a server that is away, is waited for (`up_for_reschedule`) until
  the cut-off (a server for an hour at least), and only then the task is red.
* `load`, `clean`, `index`: the data broke the contract. The log counts the rows by column and rule; the refused rows
  lie in the run's folder with line and reason. A retry will not help: mend the source, then clear from `extract_*` on;
  or mend rows: `./daybook refused DAY --out FILE`, fill in `mended`, `./daybook replay DAY FILE --why REASON`
* `aggregate`, `summarize`: there is nothing left to count, or the day looks like no other and is held. If it is held,
  the run waits in Required Actions, with the numbers beside the days before: publish the day or leave it, and say why.
  After 22 hours it is red: trigger the day again with a reason in `release`, or `./daybook release DAY --why REASON`.
* `save`: the warehouse is down or has other columns than the spec. Nothing is visible of it; clear the task.
* `deploy`: readers still see what was published before, whole. The log says why; clear the task. Where a person rolled
  the same numbers back, they are held: mend the source, or trigger the day again with a reason in `release`.
* Any task with `BrokenChain`: an earlier task was cleared alone, or marked as success before it was done. Clear the one
  that the message names, with everything downstream of it.

**Who is told**: the places of `alerts` in the spec, else the owner's, else the deployment's (docs/operating.md): once a
run, with the error and what to do, and again when it is over. `./daybook status` says what could not be sent.

**To run a day by hand**: Trigger, and set `day`. What an earlier run of the day did from the same inputs, spec and code
is taken over, unless `force` is on.
"""

from airflow.sdk import DAG

from daybook import steps
from daybook_airflow.alerts.listener import tell_failed
from daybook_airflow.assets import assets_of
from daybook_airflow.events import tell_failure, tell_killed, tell_retry
from daybook_airflow.form import give_form
from daybook_airflow.pools import warn_of_pools
from daybook_airflow.read_for import page_of, pipelines_to_make
from daybook_airflow.schedule import PATIENT, PROMPT, RETRIES, daily, first_day, last_day
from daybook_airflow.tasks import HoldingTask, StepTask

for pipeline in pipelines_to_make():
    with DAG(
        pipeline.name,
        description=pipeline.description,
        doc_md=page_of(pipeline, __doc__),
        schedule=daily(pipeline),
        start_date=first_day(pipeline),
        end_date=last_day(pipeline),
        catchup=False,
        max_active_runs=pipeline.max_active_runs,
        max_consecutive_failed_dag_runs=pipeline.max_failed_runs,
        on_failure_callback=[tell_failed, tell_killed],
        default_args={
            "retry_policy": RETRIES,
            "owner": pipeline.owner or "daybook",
            "on_retry_callback": tell_retry,
            "on_failure_callback": tell_failure,
        },
        tags=["daybook", *pipeline.tags],
    ) as dag:
        pools = pipeline.pools
        extract_tables = StepTask(step=steps.extract_tables, pool=pools.source_db, **PATIENT)
        extract_files = StepTask(step=steps.extract_files, pool=pools.ftp, **PATIENT)
        load = StepTask(step=steps.load, pool=pools.compute, **PROMPT)
        clean = StepTask(step=steps.clean, pool=pools.compute, **PROMPT)
        index = StepTask(step=steps.index, pool=pools.compute, **PROMPT)
        aggregate = StepTask(step=steps.aggregate, pool=pools.compute, **PROMPT)
        summarize = HoldingTask(step=steps.summarize, pool=pools.compute, **PATIENT)
        save = StepTask(step=steps.save, pool=pools.warehouse, **PATIENT)
        deploy = HoldingTask(
            step=steps.deploy,
            earlier=(steps.summarize, steps.save),
            pool=pools.warehouse,
            outlets=assets_of(pipeline),
            **PATIENT,
        )
        [extract_tables, extract_files] >> load >> clean >> index >> aggregate >> summarize >> save >> deploy
        give_form(dag, pipeline)
        warn_of_pools(pipeline)
