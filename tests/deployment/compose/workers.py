"""A stack with two workers, whose data folder is in a bucket, and what a test does to it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from daybook.storage.data_folder import DataFolder
from daybook.transports.data_place import data_at
from tests.deployment.compose.conftest import Stack, built_image, copied, run, started
from tests.support.object_store import ObjectStore

DATA = "s3://data@daybook/stack"
MORE = "surroundings.yaml"
# Airflow's own limits, shortened: after how long a task that gives no sign of life counts as dead.
QUICK = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
}
WORKERS = ("worker-1", "worker-2")
SECONDS = 180


@dataclass(frozen=True)
class Workers:
    """The running stack."""

    stack: Stack
    store: ObjectStore

    @property
    def data(self) -> DataFolder:
        """The data folder."""
        return data_at(DATA, {"data": self.store.words}.__getitem__)

    def backfill(self, first: str, last: str) -> subprocess.CompletedProcess[str]:
        """Publish days, as docs/compose.md does."""
        secret = self.stack.env["DAYBOOK_SECRET_OPERATOR"]
        login = ("-e", "DAYBOOK_API_USER=operator", "-e", f"DAYBOOK_API_PASSWORD={secret}")
        airflow = ("exec", "-T", *login, "api-server", "airflow", "dags")
        self.stack.api.wait_for_dag("flights")
        self.stack.compose(*airflow, "unpause", "flights")
        return self.stack.compose(*airflow, "backfill", "-s", first, "-e", last, "--wait", "flights")

    def summaries(self, day: str) -> dict[str, bytes]:
        """Return the files of the summaries that readers see of a day."""
        on = date.fromisoformat(day)
        run_id = self.data.published_run_id("flights", on)
        assert run_id is not None, f"{day} is not published"
        folder = self.data.published_files("flights", on, run_id)
        return {name: folder.content(name) or b"" for name in folder.names() if name.startswith("by_")}

    def published(self) -> dict[str, int]:
        """Return how often each day was published."""
        found = self.ask("select day || ' ' || count(*) from daybook.ledger where pipeline = 'flights' group by day")
        return {day: int(times) for day, times in (line.split() for line in found)}

    def ask(self, query: str) -> list[str]:
        """Return the lines that PostgreSQL's superuser gets for a query in the warehouse."""
        done = self.stack.compose("exec", "-T", "postgres", *PSQL, "-c", query)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def deploy(self, run_id: str) -> dict[str, Any]:
        """Return the task `deploy` of a run."""
        tasks = self.stack.api.task_instances("flights", run_id)
        return next(task for task in tasks if task["task_id"] == "deploy")

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return str(self.stack.containers()[service]["Id"])

    @contextmanager
    def held_in_deploy(self, day: str) -> Iterator[tuple[str, str]]:
        """Start a run of a day, hold it inside the transaction that publishes it, and yield its id and its worker."""
        lock = (
            f"select pg_advisory_xact_lock(hashtext('daybook.publish flights'), {date.fromisoformat(day).toordinal()})"
        )
        command = ("docker", "exec", "--interactive", self.container("postgres"), *PSQL)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
            assert session.stdin
            assert session.stdout
            session.stdin.write(f"begin; {lock}; select 'held';\n")
            session.stdin.flush()
            wait_until(lambda: "held" in str(session.stdout and session.stdout.readline()), "nothing is held")
            run_id = self.stack.api.trigger("flights", {"day": day})
            waiting = "select 1 from pg_stat_activity where usename = 'warehouse_owner' and wait_event_type = 'Lock'"
            wait_until(lambda: bool(self.ask(waiting)), f"{day} is not held")
            yield run_id, self.deploy(run_id)["hostname"].removesuffix("-logs")

    def wait_until_well(self, service: str) -> None:
        """Wait until a service is healthy."""
        wait_until(
            lambda: self.stack.containers()[service]["State"]["Health"]["Status"] == "healthy", f"{service} is not well"
        )


PSQL = ("psql", "--quiet", "--no-align", "--tuples-only", "--username=postgres", "warehouse")


def wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    """Wait until something is so; fail with words if it takes too long."""
    until = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < until, otherwise
        time.sleep(0.5)


@pytest.fixture(scope="module")
def workers(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """The stack, healthy. The bucket is on this machine, at an address that containers reach."""
    stack = copied(tmp_path_factory.mktemp("workers"), "docker-compose.celery.yaml", MORE)
    [network] = json.loads(run("docker", "network", "inspect", "bridge").stdout)
    with ObjectStore("daybook", network["IPAM"]["Config"][0]["Gateway"]) as store:
        write_surroundings(stack.folder / MORE, store)
        with built_image(stack), started(stack):
            yield Workers(stack, store)


def write_surroundings(file: Path, store: ObjectStore) -> None:
    """Write what this stack has beside the files of the checkout: where its data are, and shorter limits."""
    place = {"DAYBOOK_DATA": DATA, "AIRFLOW_CONN_DATA": json.dumps(store.words)}
    given = {"api-server": place, **{name: place | QUICK for name in ("scheduler", *WORKERS)}}
    # JSON is YAML.
    file.write_text(json.dumps({"services": {name: {"environment": words} for name, words in given.items()}}))
