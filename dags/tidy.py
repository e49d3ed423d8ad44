"""
### Keeping house: what nobody needs any more is removed, once a day

After each deployment Daybook removes a little of what is too old, of the day that was deployed. This DAG does the rest,
by the same rules, for all pipelines: rows beyond `keep_runs`, files older than `keep_files_days`, the log of steps,
files that the ledger does not know, and files that a dead process left half written. What readers see, the runs that a
day can be rolled back to, and what the ledger needs to trace a published day stay.

**To see what it would do**: Trigger, and switch `dry_run` on; or `./daybook tidy --dry-run`. The log names each thing.

**When it is red**: a warehouse or the data folder could not be reached; the log says which. Nothing was lost: clear it.

Airflow's own history and logs are for `./daybook tidy` too, on the machine of the scheduler: a task may not touch
Airflow's database (docs/operating.md).
"""

from datetime import UTC, datetime

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, Param

from daybook_airflow.schedule import PROMPT, RETRIES
from daybook_airflow.tidying import keep_house

with DAG(
    "daybook_tidy",
    description="Removes what nobody needs any more",
    doc_md=__doc__,
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retry_policy": RETRIES, "owner": "daybook"},
    params={"dry_run": Param(False, type="boolean", description="Only say what would be removed.")},
    tags=["daybook"],
):
    PythonOperator(task_id="keep_house", python_callable=keep_house, **PROMPT)
