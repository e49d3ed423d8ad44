"""Requests to Airflow's API server that outlast a moment in which it is down or unwell.

What is asked of Airflow's REST API (v2): health, DAGs, runs, task instances, pools, backfills.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
from tenacity import RetryCallState, retry, stop_after_delay, wait_exponential

from deployment.errors import DeploymentError
from deployment.waiting import nothing, wait_until

# An API server that was killed is back after some ten seconds, on a busy machine later.
PATIENCE_SECONDS = 60
# When its first task starts, the API server builds routes and answers nobody: for half a minute on a busy machine.
ANSWER_SECONDS = 120

Json = dict[str, Any]


class Unwell(httpx.TransportError):
    """The server answered that something is wrong with itself: its database may be down."""


def _may_be_sent_again(state: RetryCallState) -> bool:
    """Return whether a request that failed may be sent again: a trigger that did reach the server must not be."""
    error = state.outcome.exception() if state.outcome else None
    is_read = state.args[1] == "GET"
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, *([httpx.TransportError] if is_read else [])))


def _mend(state: RetryCallState) -> None:
    state.args[0].mend()


class AirflowRequests:
    """One user's requests to one API server. `mend` is called before each further try."""

    def __init__(self, url: str, user: str, password: str, mend: Callable[[], None]) -> None:
        """Name the server and the user; nothing is asked yet. url: without /api/v2."""
        self.mend = mend
        self._login = {"username": user, "password": password}
        # A proxy of the environment is not asked about 127.0.0.1.
        self._client = httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False)

    def health(self) -> Json:
        """Return each component's `status` and latest heartbeat; an empty answer while nothing listens."""
        try:
            answer = self._client.get("/api/v2/monitor/health")
            return answer.json() if answer.status_code == httpx.codes.OK else {}
        except httpx.TransportError:
            return {}

    def ask(self, method: str, path: str, body: Json | None = None, params: Mapping[str, Any] | None = None) -> Json:
        """Return the answer to a request. Raises DeploymentError if it is refused, or where no answer comes."""
        try:
            answer = self._send(method, path, body, params)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._log_in()
                answer = self._send(method, path, body, params)
        except httpx.TransportError as error:
            raise DeploymentError(
                f"Airflow's API server does not answer {method} {path} ({type(error).__name__}: {error}); its log says"
                " why; try again when it is up."
            ) from None
        if answer.is_error:
            raise DeploymentError(f"Airflow refused {method} {path} with {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else {}

    @retry(
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_exponential(0.2, max=2),
        retry=_may_be_sent_again,
        before_sleep=_mend,
        reraise=True,
    )
    def _send(self, method: str, path: str, body: Json | None, params: Mapping[str, Any] | None) -> httpx.Response:
        answer = self._client.request(method, f"/api/v2{path}", json=body, params=params)
        if answer.is_server_error:
            raise Unwell(f"{answer.status_code} {answer.text}")
        return answer

    def _log_in(self) -> None:
        answer = self._client.post("/auth/token", json=self._login)
        if answer.is_error:
            raise DeploymentError(f"Airflow refused the login of {self._login['username']!r}: {answer.text}")
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


HEARTBEATS = ("scheduler", "dag_processor", "triggerer")
FINISHED = ("success", "failed")
# The DAG file that only says which pipelines do not load: the DAGs of the others are not hurt.
OF_BROKEN_PIPELINES = "broken_pipelines.py"
PAGE = 100


class AirflowApi:
    """One Airflow's REST API, as one user. A method raises DeploymentError with Airflow's own words where it refuses.

    An API server that is down or unwell for a moment is asked again.
    """

    def __init__(self, url: str, user: str, password: str, mend: Callable[[], None] = lambda: None) -> None:
        """Name the API; nothing is asked yet. url: without /api/v2. mend: called before what failed is tried again."""
        self.url = url
        self._requests = AirflowRequests(url, user, password, mend)

    def health(self) -> Json:
        """Return each component's `status` and latest heartbeat; an empty answer while nothing listens."""
        return self._requests.health()

    def is_healthy(self, since: datetime) -> bool:
        """Return whether every component is well and has given a sign of life after an instant.

        For 30 s Airflow itself holds the heartbeat of components that were stopped for one.
        """
        parts = self.health()
        return bool(parts) and all(_is_alive(name, parts.get(name) or {}, since) for name in HEARTBEATS)

    def dags(self) -> list[Json]:
        """Return the DAGs that Airflow knows by now."""
        return list(self._pages("/dags", "dags"))

    def import_errors(self) -> list[Json]:
        """Return what went wrong with DAG files: `filename`, `stack_trace`."""
        return list(self._pages("/importErrors", "import_errors"))

    def wait_for_dag(self, dag_id: str, seconds: float = 60, check: Callable[[], None] = nothing) -> None:
        """Wait until Airflow has read a DAG; raise with the file's error if it cannot. check: called at every look."""

        def look() -> None:
            check()
            for error in self.import_errors():
                if not error["filename"].endswith(OF_BROKEN_PIPELINES):
                    raise DeploymentError(f"{error['filename']} cannot be read:\n{error['stack_trace']}")

        if not wait_until(lambda: any(dag["dag_id"] == dag_id for dag in self.dags()), seconds, check=look):
            raise DeploymentError(f"Airflow has not found the DAG {dag_id!r} in {seconds:.0f} s.")

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self._ask("PATCH", f"/dags/{dag_id}", {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Let nothing of a DAG begin any more; tasks that are at work end."""
        self._ask("PATCH", f"/dags/{dag_id}", {"is_paused": True})

    def is_paused(self, dag_id: str) -> bool:
        """Return whether a DAG is paused."""
        return bool(self._ask("GET", f"/dags/{dag_id}")["is_paused"])

    def task_count(self, dag_id: str) -> int:
        """Return how many tasks a DAG has."""
        return int(self._ask("GET", f"/dags/{dag_id}/tasks")["total_entries"])

    def trigger(self, dag_id: str, conf: Mapping[str, object] | None = None, run_id: str | None = None) -> str:
        """Start a run without a logical date, under an id or one that Airflow makes, and give the id."""
        body = {"logical_date": None, "conf": dict(conf or {}), "dag_run_id": run_id}
        return str(self._ask("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def delete_run(self, dag_id: str, run_id: str) -> None:
        """Remove a run that is not at work; Airflow refuses it for one that is."""
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

    def wait_for_run(self, dag_id: str, run_id: str, seconds: float = 120, check: Callable[[], None] = nothing) -> Json:
        """Wait until a run has finished, well or not, and give it. check: called at every look."""
        if not wait_until(lambda: self.dag_run(dag_id, run_id)["state"] in FINISHED, seconds, check=check):
            raise DeploymentError(f"Run {run_id} of {dag_id} has not ended after {seconds:.0f} s.")
        return self.dag_run(dag_id, run_id)

    def task_instances(self, dag_id: str, run_id: str = "~", **filters: object) -> list[Json]:
        """Return the task instances of a run, or of all runs, that pass the API's own filters."""
        return list(self._pages(self._tasks(dag_id, run_id), "task_instances", **filters))

    def count_task_instances(self, dag_id: str, run_id: str = "~", **filters: object) -> int:
        """Return how many task instances pass the filters."""
        return int(self._ask("GET", self._tasks(dag_id, run_id), params={**filters, "limit": 1})["total_entries"])

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> object:
        """Return what a task returned, or left under another key."""
        return self._ask("GET", f"{self._tasks(dag_id, run_id)}/{task_id}/xcomEntries/{key}")["value"]

    def pools(self) -> dict[str, int]:
        """Return the pools' slots by name."""
        return {pool["name"]: pool["slots"] for pool in self._pages("/pools", "pools")}

    def put_pool(self, name: str, slots: int, description: str, include_deferred: bool = False) -> None:
        """Make a pool, or change the one of that name."""
        body = {"slots": slots, "description": description, "include_deferred": include_deferred}
        if name in self.pools():
            self._ask("PATCH", f"/pools/{name}", {"pool": name, **body})
        else:
            self._ask("POST", "/pools", {"name": name, **body})

    def unfinished_backfills(self, dag_id: str) -> list[Json]:
        """Return the backfills of a DAG that Airflow does not hold for complete yet."""
        backfills = self._pages("/backfills", "backfills", dag_id=dag_id)
        return [backfill for backfill in backfills if backfill["completed_at"] is None]

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


def _is_alive(name: str, part: Json, since: datetime) -> bool:
    heartbeat = str(part.get(f"latest_{name}_heartbeat") or "1970-01-01T00:00:00Z")
    return part.get("status") == "healthy" and datetime.fromisoformat(heartbeat) > since
