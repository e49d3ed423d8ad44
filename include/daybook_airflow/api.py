"""Airflow's REST API (v2), as far as Daybook needs it: health, DAGs, runs, task instances, pools, backfills.

It is Daybook's one client: for the deployment, for commands and for `airflow dags backfill`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from daybook_airflow.api_requests import AirflowRequests, Json
from daybook_airflow.asked_runs import AskedRun
from daybook_airflow.errors import ApiError
from daybook_airflow.waiting import wait_until

HEARTBEATS = ("scheduler", "dag_processor", "triggerer")
FINISHED = ("success", "failed")
PAGE = 100
SETTLED_SECONDS = 5.0
BROKEN_PIPELINES = "broken_pipelines.py"


class AirflowApi:
    """One Airflow's REST API, as one user. A method raises ApiError with Airflow's own words if it refuses.

    If the API server is down or unwell for a moment, the request is sent again.
    """

    def __init__(
        self, url: str, user: str, password: str, mend: Callable[[], None] = lambda: None, *, token: str = ""
    ) -> None:
        """Name the API; no request is sent yet. url: without /api/v2. mend: called before a failed request is repeated.

        token: in place of a user's login.
        """
        self.url = url
        self._requests = AirflowRequests(url, user, password, token, mend)

    def check(self) -> Json:
        """Return the same as `health`. Raises ApiError at once if no API server of Airflow answers."""
        return self._requests.check()

    def health(self) -> Json:
        """Return each component's `status` and latest heartbeat; an empty answer while nothing listens."""
        try:
            return self.check()
        except ApiError:
            return {}

    def is_healthy(self, since: datetime) -> bool:
        """Return whether every component is well and has sent a heartbeat after an instant.

        For 30 s after a component is stopped, Airflow itself takes its last heartbeat as a sign of life.
        """
        parts = self.health()
        return bool(parts) and all(_is_alive(name, parts.get(name) or {}, since) for name in HEARTBEATS)

    def version(self) -> str:
        """Return the version of the Airflow that runs."""
        return str(self._ask("GET", "/version")["version"])

    def dags(self) -> list[Json]:
        """Return the DAGs that Airflow knows by now."""
        return list(self._pages("/dags", "dags"))

    def dag(self, dag_id: str) -> Json:
        """Return a DAG: `is_paused`, `is_stale`, `max_active_runs`. Raises ApiError with status 404 if unknown."""
        return self._ask("GET", f"/dags/{quote(dag_id, safe='')}")

    def delete_dag(self, dag_id: str) -> None:
        """Remove a DAG with all its runs. Airflow refuses if a task of it is at work; a DAG file makes it anew."""
        self._ask("DELETE", f"/dags/{quote(dag_id, safe='')}")

    def import_errors(self) -> list[Json]:
        """Return the errors of DAG files: `filename`, `stack_trace`."""
        return list(self._pages("/importErrors", "import_errors"))

    def wait_for_dag(self, dag_id: str, seconds: float = 60, check: Callable[[], None] = lambda: None) -> None:
        """Wait until Airflow has read a DAG; raise with the file's error if it cannot. check: called at every look."""

        def look() -> None:
            check()
            # Errors of other pipelines do not keep this one from being read.
            if errors := [error for error in self.import_errors() if not error["filename"].endswith(BROKEN_PIPELINES)]:
                raise ApiError(f"{errors[0]['filename']} cannot be read:\n{errors[0]['stack_trace']}")

        if not wait_until(lambda: any(dag["dag_id"] == dag_id for dag in self.dags()), seconds, check=look):
            raise ApiError(f"Airflow has not found the DAG {dag_id!r} in {seconds:.0f} s.")

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self._ask("PATCH", f"/dags/{dag_id}", {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Let no new task of a DAG begin; tasks at work go on to their end."""
        self._ask("PATCH", f"/dags/{dag_id}", {"is_paused": True})

    def is_paused(self, dag_id: str) -> bool:
        """Return whether a DAG is paused."""
        return bool(self._ask("GET", f"/dags/{dag_id}")["is_paused"])

    def trigger(self, dag_id: str, conf: Mapping[str, object] | None = None, run_id: str | None = None) -> str:
        """Start a run without a logical date, under an id or one that Airflow makes, and return the id."""
        return self._start(dag_id, {"logical_date": None, "conf": dict(conf or {}), "dag_run_id": run_id})

    def start_asked(self, dag_id: str, run: AskedRun) -> str:
        """Start a run of a command, at its place in Airflow's calendar, and return its id."""
        begin, end = (moment.isoformat() for moment in run.interval)
        place = {"logical_date": run.logical_date.isoformat(), "data_interval_start": begin, "data_interval_end": end}
        return self._start(dag_id, {**place, "conf": run.conf, "dag_run_id": run.run_id, "note": run.note})

    def _start(self, dag_id: str, body: Json) -> str:
        return str(self._ask("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def delete_run(self, dag_id: str, run_id: str) -> None:
        """Remove a run. Airflow refuses to remove one that is at work."""
        self._ask("DELETE", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}")

    def end_run(self, dag_id: str, run_id: str, state: str) -> None:
        """End a run, and its tasks that have not ended, as `success` or `failed`."""
        self._ask("PATCH", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}", {"state": state})

    def dag_run(self, dag_id: str, run_id: str) -> Json:
        """Return a run: its `state`, `start_date`, `end_date`, `conf`."""
        return self._ask("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}")

    def dag_runs(self, dag_id: str, **filters: object) -> list[Json]:
        """Return the runs that pass the API's own filters, such as state="failed" or logical_date_gte=…."""
        return list(self._pages(f"/dags/{dag_id}/dagRuns", "dag_runs", **filters))

    def count_runs(self, dag_id: str) -> int:
        """Return how many runs a DAG has."""
        return int(self._ask("GET", f"/dags/{dag_id}/dagRuns", params={"limit": 1})["total_entries"])

    def wait_for_run(
        self, dag_id: str, run_id: str, seconds: float = 120, check: Callable[[], None] = lambda: None
    ) -> Json:
        """Wait until a run has finished, well or not, and return it. check: called at every look."""
        is_over = wait_until(lambda: self.dag_run(dag_id, run_id)["state"] in FINISHED, seconds, check=check)
        run = self.dag_run(dag_id, run_id)
        if not is_over:
            raise ApiError(f"Run {run_id} of {dag_id} is still {run['state']} after {seconds:.0f} s.")
        return run

    def task_instances(self, dag_id: str, run_id: str = "~", **filters: object) -> list[Json]:
        """Return the task instances of a run, or of all runs, that pass the API's own filters."""
        return list(self._pages(self._tasks(dag_id, run_id), "task_instances", **filters))

    def count_task_instances(self, dag_id: str, run_id: str = "~", **filters: object) -> int:
        """Return how many task instances pass the filters."""
        return int(self._ask("GET", self._tasks(dag_id, run_id), params={**filters, "limit": 1})["total_entries"])

    def count_tasks_of_runs(self, dag_id: str, run_ids: Sequence[str], states: Sequence[str] | None = None) -> int:
        """Return how many task instances some runs have, in some states or in any."""
        # Without an id the API would count the tasks of all runs.
        if not run_ids:
            return 0
        body = {"dag_ids": [dag_id], "dag_run_ids": list(run_ids), "page_limit": 1}
        body |= {"state": list(states)} if states else {}
        return int(self._ask("POST", f"{self._tasks('~', '~')}/list", body)["total_entries"])

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> object:
        """Return a task's return value, or its XCom of another key."""
        return self._ask("GET", f"{self._tasks(dag_id, run_id)}/{task_id}/xcomEntries/{key}")["value"]

    def open_actions(self, dag_id: str) -> list[Json]:
        """Return what a DAG's tasks ask people and nobody has answered: the `task_instance`, `subject`, `params`."""
        path = f"/dags/{quote(dag_id, safe='')}/dagRuns/~/hitlDetails"
        return list(self._pages(path, "hitl_details", state="awaiting_input", response_received=False))

    def answer(self, action: Json, option: str, given: Mapping[str, object]) -> None:
        """Answer what a task asks. Airflow refuses a second answer (409). given: the fields of its form."""
        task = action["task_instance"]
        _wait_till_settled(datetime.fromisoformat(action["created_at"]))
        path = f"{self._tasks(task['dag_id'], task['dag_run_id'])}/{task['task_id']}/{task['map_index']}/hitlDetails"
        self._ask("PATCH", path, {"chosen_options": [option], "params_input": dict(given)})

    def pools(self) -> dict[str, int]:
        """Return the pools' slots by name."""
        return {pool["name"]: pool["slots"] for pool in self._pages("/pools", "pools")}

    def pools_of(self, dag_id: str) -> dict[str, str]:
        """Return the pool of each task of a DAG, as Airflow last read it."""
        tasks = self._ask("GET", f"/dags/{quote(dag_id, safe='')}/tasks")["tasks"]
        return {task["task_id"]: task["pool"] for task in tasks}

    def put_pool(self, name: str, slots: int, description: str, include_deferred: bool = False) -> None:
        """Make a pool, or change the one of that name."""
        body = {"slots": slots, "description": description, "include_deferred": include_deferred}
        if name in self.pools():
            self._ask("PATCH", f"/pools/{name}", {"pool": name, **body})
        else:
            self._ask("POST", "/pools", {"name": name, **body})

    def unfinished_backfills(self, dag_id: str) -> list[Json]:
        """Return the backfills of a DAG that Airflow has not closed yet."""
        backfills = self._pages("/backfills", "backfills", dag_id=dag_id)
        return [backfill for backfill in backfills if backfill["completed_at"] is None]

    def create_backfill(self, asked: Mapping[str, Any]) -> Json:
        """Make the runs of a backfill, and return the backfill. asked: the body of POST /backfills."""
        return self._ask("POST", "/backfills", dict(asked))

    def dry_run_of_backfill(self, asked: Mapping[str, Any]) -> list[Json]:
        """Return the runs that `create_backfill` would make: the `logical_date` of each."""
        return list(self._ask("POST", "/backfills/dry_run", dict(asked))["backfills"])

    @staticmethod
    def _tasks(dag_id: str, run_id: str) -> str:
        return f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='~')}/taskInstances"

    def _pages(self, path: str, key: str, **filters: object) -> Iterator[Json]:
        seen = 0
        while True:
            page = self._ask("GET", path, params={**filters, "limit": PAGE, "offset": seen})
            yield from page[key]
            seen += len(page[key])
            if seen >= page["total_entries"] or not page[key]:
                return

    def _ask(self, method: str, path: str, body: Json | None = None, params: Mapping[str, Any] | None = None) -> Json:
        return self._requests.ask(method, path, body, params)


def _wait_till_settled(asked_at: datetime) -> None:
    # Until the scheduler has seen the end of the process that asked, it takes the one that goes on for a lost task.
    time.sleep(max(0.0, SETTLED_SECONDS - (datetime.now(UTC) - asked_at).total_seconds()))


def _is_alive(name: str, part: Json, since: datetime) -> bool:
    heartbeat = str(part.get(f"latest_{name}_heartbeat") or "1970-01-01T00:00:00Z")
    return part.get("status") == "healthy" and datetime.fromisoformat(heartbeat) > since
