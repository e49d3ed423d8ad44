"""The progress of a backfill's runs, by Airflow's REST API: a `Sight` for each look, and a check of the scheduler."""

from datetime import UTC, datetime

from daybook_airflow.api import AirflowApi
from daybook_airflow.api_requests import Json
from daybook_airflow.asked_runs import PREFIX
from daybook_airflow.backfill import ask
from daybook_airflow.backfill.plan import Plan
from daybook_airflow.backfill.progress import Run, Sight

_TASK_HAS_ENDED = ("success", "failed", "skipped", "upstream_failed", "removed")


def dates_taken_in(api: AirflowApi, plan: Plan) -> list[datetime]:
    """Return the logical dates that a backfill is about to cover, in order: also those whose runs it leaves alone.

    They are the dates that it would run if every ended run ran again, and those of runs at work. Raises NotReady for a
    DAG whose runs have no logical date.
    """
    again = ask.would_run(api, plan, reprocess_behavior="completed")
    runs = [*again, *_dated_runs(api, plan, state=ask.AT_WORK)]
    if any(run["logical_date"] is None for run in runs):
        raise ask.NotReady(
            f"{plan.dag.dag_id}: its runs have no logical date, by which --wait knows them; leave --wait out"
        )
    return sorted({_date(run) for run in runs})


def sight(api: AirflowApi, plan: Plan, dates: list[datetime]) -> Sight:
    """Return the runs of some logical dates, made by the backfill or before it, and the count of their tasks."""
    runs = {_date(run): run for run in _dated_runs(api, plan)}
    seen = [(date, runs.get(date)) for date in dates]
    found = [Run(date, run["state"] if run else None) for date, run in seen]
    return _with_tasks(api, plan, found, [run["dag_run_id"] for _, run in seen if run])


def sight_of_batches(api: AirflowApi, plan: Plan) -> Sight:
    """Return the plan's runs of several days each, in their order, and the count of their tasks."""
    # All runs of one command have the same beginning, up to the day.
    alike = plan.runs[0].run_id.rpartition("__")[0]
    states = {run["dag_run_id"]: run["state"] for run in api.dag_runs(plan.dag.dag_id, run_id_prefix_pattern=alike)}
    return _with_tasks(api, plan, [Run(None, states.get(run.run_id)) for run in plan.runs], list(states))


def concern(health: Json) -> str:
    """Return the scheduler's problem, by Airflow's health; the empty string if there is none, or none is known."""
    scheduler = health.get("scheduler") or {"status": "healthy"}
    if scheduler["status"] == "healthy":
        return ""
    if not (heard := scheduler.get("latest_scheduler_heartbeat")):
        return "no scheduler is running: nothing will move until one is"
    silent = datetime.now(UTC) - datetime.fromisoformat(heard)
    return f"the scheduler has been silent for {silent.total_seconds():.0f} s: nothing will move until one runs"


def _with_tasks(api: AirflowApi, plan: Plan, runs: list[Run], run_ids: list[str]) -> Sight:
    ended = api.count_tasks_of_runs(plan.dag.dag_id, run_ids, _TASK_HAS_ENDED)
    return Sight(tuple(runs), api.count_tasks_of_runs(plan.dag.dag_id, run_ids), ended)


def _dated_runs(api: AirflowApi, plan: Plan, **filters: object) -> list[Json]:
    """Return the runs with a logical date in the plan's bounds, without those of our commands, whose date is no begin
    of an interval."""
    # A backfill includes both of its bounds, and compares them with the logical date.
    window = {"logical_date_gte": plan.first.isoformat(), "logical_date_lte": plan.last.isoformat()}
    runs = api.dag_runs(plan.dag.dag_id, **filters, **window)
    return [run for run in runs if not run["dag_run_id"].startswith(PREFIX)]


def _date(run: Json) -> datetime:
    return datetime.fromisoformat(run["logical_date"])
