"""What a test does to a deployment, and what it waits for: parts that die, tasks that are held inside a step."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import psutil
import psycopg
from psycopg import Connection

from deployment.processes.restarts import Restarts
from deployment.supervisor import Deployment
from tests.support.invariants import Invariants, Reader

SECONDS = 180
SECONDS_BETWEEN_LOOKS = 0.1


@dataclass
class Outage:
    """A running deployment that is struck, and its pipeline as seen from outside."""

    deployment: Deployment
    invariants: Invariants

    @property
    def name(self) -> str:
        """Return the pipeline's name, which is the DAG's and the schema's."""
        return self.invariants.pipeline.name

    def trigger(self, day: str, rows: int) -> str:
        """Deliver a day of so many rows, and start a run; give its id."""
        self.invariants.deliver(day, rows)
        return self.deployment.api.trigger(self.name, conf={"day": day})

    def end(self, run: str) -> str:
        """Wait for the end of a run, while what dies is started again; give its state."""
        api, keep_up = self.deployment.api, self.deployment.keep_up
        return str(api.wait_for_run(self.name, run, seconds=SECONDS, check=keep_up)["state"])

    def task(self, run: str, task: str) -> dict[str, Any]:
        """Return a task instance of a run."""
        tasks = self.deployment.api.task_instances(self.name, run)
        return next(one for one in tasks if one["task_id"] == task)

    def tries(self, run: str) -> dict[str, int]:
        """Return how often each task of a run was tried."""
        return {one["task_id"]: one["try_number"] for one in self.deployment.api.task_instances(self.name, run)}

    def publications(self, day: str) -> int:
        """Return how often the day was published."""
        return len(self.invariants.rows("select from daybook.ledger where pipeline = %s and day = %s", self.name, day))

    def told(self, run: str) -> list[tuple[str, str, int]]:
        """Return the events that only Airflow sees, as handlers were told them: event, step, number of days."""
        of_airflow = ("RETRY", "TIMEOUT", "PROCESS_FAILURE", "BROKEN_TASK")
        return [(one[0], one[2], one[5]) for one in self.events() if one[3] == run and one[0] in of_airflow]

    def events(self) -> list[list[Any]]:
        """Return all events: name, pipeline, step, run, error, number of days."""
        file = self.deployment.home.path.parent / "events.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @contextmanager
    def held_at_begin(self, pipeline: str, day: str) -> Iterator[Connection[Any]]:
        """Hold whoever begins a step of a day; yield the session, which must be used at least once a minute."""
        key = [f"daybook.write {pipeline}", date.fromisoformat(day).toordinal()]
        with closing(psycopg.connect(self.deployment.postgres.dsn("warehouse"))) as connection:
            connection.execute("select pg_advisory_xact_lock(hashtext(%s), %s)", key)
            yield connection

    @contextmanager
    def held_in_save(self) -> Iterator[None]:
        """Hold whoever saves, inside its transaction; readers are not held."""
        with closing(psycopg.connect(self.deployment.postgres.dsn("warehouse"))) as connection:
            connection.execute(f"lock table {self.name}_store.by_day in exclusive mode".encode())
            yield

    @contextmanager
    def held_in_deploy(self, day: str) -> Iterator[None]:
        """Hold whoever publishes a day, inside its transaction."""
        key = [f"daybook.publish {self.name}", date.fromisoformat(day).toordinal()]
        with closing(psycopg.connect(self.deployment.postgres.dsn("warehouse"))) as connection:
            connection.execute("select pg_advisory_xact_lock(hashtext(%s), %s)", key)
            yield

    def wait_until_held(self, run: str, task: str) -> int:
        """Wait until a task waits for a lock that a test holds; give the pid of its process."""
        waiting = "select from pg_stat_activity where usename = 'warehouse_owner' and wait_event_type = 'Lock'"
        # The extracts wait for each other, too.
        self.wait_for_task(run, task, "running")
        wait_until(lambda: bool(self.invariants.superuser(waiting)), f"{task} is not held")
        return int(self.task(run, task)["pid"])

    def wait_for_task(self, run: str, task: str, state: str) -> None:
        """Wait until a task is in a state."""
        wait_until(lambda: self.task(run, task)["state"] == state, f"{task} is not {state}")

    def first_pid(self, component: str) -> int:
        """Return the pid of a component's first process."""
        record = self.deployment.home.path / "processes" / f"{component}.json"
        return int(json.loads(record.read_text())["pid"])

    def kill(self, component: str) -> None:
        """Kill a component's first process, and nothing that it has started."""
        kill(self.first_pid(component))

    def start_again(self, component: str) -> None:
        """Have a component whose first process is dead started again."""
        dead = self.first_pid(component)
        # What other tests have killed in the last minutes is not held against this one.
        self.deployment.restarts = Restarts(print)

        def is_back() -> bool:
            self.deployment.keep_up()
            return self.first_pid(component) != dead

        wait_until(is_back, f"{component} is not started again")

    def session(self, component: str) -> list[int]:
        """Return the pids of all processes of a component."""
        first = self.first_pid(component)
        return [pid for pid in psutil.pids() if is_alive(pid) and os.getsid(pid) == first]


def kill(pid: int) -> None:
    """Kill a process, and wait until it is dead."""
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid), f"process {pid} lives on")


def is_alive(pid: int) -> bool:
    """Return whether a process runs, or is stopped."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    """Wait until something is so."""
    until = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < until, otherwise
        time.sleep(SECONDS_BETWEEN_LOOKS)


def saw_nothing_but(reader: Reader, *flights: int) -> bool:
    """Return whether readers saw the day, and each time with one of these numbers of flights."""
    seen = {number for number, *_ in reader.seen}
    assert seen, "readers saw nothing"
    return seen <= set(flights)
