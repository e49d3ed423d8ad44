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
* `aggregate`, `summarize`: there is nothing left to count, or the day looks like no other and is held. Look at the
  refused rows and at the source. If the numbers are right, trigger the day again with a reason in `release`,
  or `./daybook release DAY --why REASON`.
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

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, Asset

from daybook import steps
from daybook.catalog.runbook import runbook
from daybook.pipelines import load_pipelines
from daybook_airflow.alerts.listener import tell_failed
from daybook_airflow.form import give_form
from daybook_airflow.pools import warn_of_pools
from daybook_airflow.tasks import PATIENT, PROMPT, RETRIES, daily, first_day, for_each_day, last_day

for pipeline in load_pipelines().good.values():
    with DAG(
        pipeline.name,
        description=pipeline.description,
        doc_md=f"{runbook(pipeline)}\n{__doc__}",
        schedule=daily(pipeline),
        start_date=first_day(pipeline),
        end_date=last_day(pipeline),
        catchup=False,
        max_active_runs=pipeline.max_active_runs,
        max_consecutive_failed_dag_runs=pipeline.max_failed_runs,
        on_failure_callback=tell_failed,
        default_args={"retry_policy": RETRIES, "owner": pipeline.owner or "daybook"},
        tags=["daybook", *pipeline.tags],
    ) as dag:
        extract_tables = PythonOperator(
            task_id="extract_tables",
            doc_md=steps.extract_tables.__doc__,
            python_callable=for_each_day(steps.extract_tables),
            pool=pipeline.pools.source_db,
            **PATIENT,
        )
        extract_files = PythonOperator(
            task_id="extract_files",
            doc_md=steps.extract_files.__doc__,
            python_callable=for_each_day(steps.extract_files),
            pool=pipeline.pools.ftp,
            **PATIENT,
        )
        load = PythonOperator(
            task_id="load",
            doc_md=steps.load.__doc__,
            python_callable=for_each_day(steps.load),
            pool=pipeline.pools.compute,
            **PROMPT,
        )
        clean = PythonOperator(
            task_id="clean",
            doc_md=steps.clean.__doc__,
            python_callable=for_each_day(steps.clean),
            pool=pipeline.pools.compute,
            **PROMPT,
        )
        index = PythonOperator(
            task_id="index",
            doc_md=steps.index.__doc__,
            python_callable=for_each_day(steps.index),
            pool=pipeline.pools.compute,
            **PROMPT,
        )
        aggregate = PythonOperator(
            task_id="aggregate",
            doc_md=steps.aggregate.__doc__,
            python_callable=for_each_day(steps.aggregate),
            pool=pipeline.pools.compute,
            **PROMPT,
        )
        summarize = PythonOperator(
            task_id="summarize",
            doc_md=steps.summarize.__doc__,
            python_callable=for_each_day(steps.summarize),
            pool=pipeline.pools.compute,
            **PATIENT,
        )
        save = PythonOperator(
            task_id="save",
            doc_md=steps.save.__doc__,
            python_callable=for_each_day(steps.save),
            pool=pipeline.pools.warehouse,
            **PATIENT,
        )
        deploy = PythonOperator(
            task_id="deploy",
            doc_md=steps.deploy.__doc__,
            python_callable=for_each_day(steps.deploy),
            pool=pipeline.pools.warehouse,
            outlets=[Asset(pipeline.name)],
            **PATIENT,
        )
        [extract_tables, extract_files] >> load >> clean >> index >> aggregate >> summarize >> save >> deploy
        give_form(dag, pipeline)
        warn_of_pools(pipeline)
