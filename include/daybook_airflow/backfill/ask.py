"""The requests of `airflow dags backfill` to Airflow's REST API. A refusal becomes one line: `NotReady`."""

from difflib import get_close_matches
from typing import Any

from daybook.errors import DaybookError
from daybook.text import counted, verb
from daybook_airflow.api import AirflowApi
from daybook_airflow.api_requests import Json
from daybook_airflow.backfill.plan import Plan
from daybook_airflow.errors import ApiError

AT_WORK = ("queued", "running")
SHOW_DAGS = "`airflow dags list` shows the DAGs that are known, `airflow dags reserialize` reads them again"
ONE_AT_A_TIME = "wait for it, or cancel it in the UI, page of the DAG, Backfills"
# Advice on Airflow's refusals, by words in them. If Airflow changes these words, only the advice is lost.
ADVICE = {
    "running backfill": ONE_AT_A_TIME,
    "non-periodic": "a backfill needs a schedule in time; trigger the DAG instead",
    "does not allow backfill": "the DAG's allowed_run_types leave backfills out",
    "future dates": "ask for days that are over",
    "in reverse": "leave --run-backwards out: a task needs the day before",
    "reprocess": "add --rerun-failed-tasks or --reset-dagruns",
    "Invalid input for param": "mend --conf; the DAG's params say what it takes",
    "Could not find": SHOW_DAGS,
}
# The statuses that refuse the request itself; others are about the server, the login or the right.
REFUSALS = (400, 404, 409, 422)


class NotReady(DaybookError):
    """Wait or decide: the command is right, but Airflow cannot do it now."""


def known_dag(api: AirflowApi, dag_id: str) -> Json:
    """Return the DAG as Airflow last read it. Raises NotReady, with the nearest name, if there is none."""
    try:
        dag = api.dag(dag_id)
    except ApiError as error:
        if error.status not in REFUSALS:
            raise
        dag = {"is_stale": True}
    if dag["is_stale"]:
        near = get_close_matches(dag_id, [known["dag_id"] for known in api.dags()], n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise NotReady(f"{dag_id}: Airflow knows no such DAG; {hint}{SHOW_DAGS}")
    return dag


def create(api: AirflowApi, plan: Plan) -> int:
    """Make the runs, and return the backfill's id."""
    try:
        return int(api.create_backfill(plan.body)["id"])
    except ApiError as error:
        raise _explained(error) from None


def would_run(api: AirflowApi, plan: Plan, **changed: Any) -> list[Json]:
    """Return the runs that `create` would make or run again, each with its `logical_date`."""
    try:
        return api.dry_run_of_backfill({**plan.body, **changed})
    except ApiError as error:
        raise _explained(error) from None


def trigger(api: AirflowApi, plan: Plan) -> None:
    """Start the runs of several days each, in their order."""
    for count, run in enumerate(plan.runs):
        try:
            api.start_asked(plan.dag.dag_id, run)
        except ApiError as error:
            raise NotReady(
                f"{_explained(error)}; {count} of {counted(len(plan.runs), 'run')} {verb(count, 'was', 'were')} made"
            ) from None


def open_backfill(api: AirflowApi, dag_id: str) -> Json | None:
    """Return the backfill that Airflow has not closed yet, or None. Airflow allows one for each DAG."""
    found = api.unfinished_backfills(dag_id)
    return found[-1] if found else None


def runs_at_work(api: AirflowApi, backfill: Json) -> int:
    """Count the runs of a backfill that are queued or running."""
    window = {"logical_date_gte": backfill["from_date"], "logical_date_lte": backfill["to_date"]}
    return len(api.dag_runs(backfill["dag_id"], run_type="backfill", state=AT_WORK, **window))


def _explained(error: ApiError) -> DaybookError:
    if error.status not in REFUSALS:
        return error
    advice = [says for words, says in ADVICE.items() if words in error.detail]
    return NotReady("; ".join([error.detail, *advice[:1]]))
