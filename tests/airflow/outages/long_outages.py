"""What `make soak-airflow` runs: hours of runs with a fault a minute; pytest does not find it by its name.

Each minute two days are delivered anew and run, and one part is struck meanwhile. Then every published day has to be
whole, and both days published, at the latest by a run after the fault. At the end all days are right.
"""

import os
import random
import signal
import time
from collections.abc import Callable

import psutil
import pytest

from tests.support.crash import kill_server

from .conftest import DAYS, OLD
from .outage import Outage, is_alive, kill

SEED = int(os.environ.get("DAYBOOK_FAULT_SEED", "1"))
MINUTES = int(os.environ.get("DAYBOOK_SOAK_MINUTES", "120"))
STOPPED_SECONDS = 10
# Rows of a day that is not held for its numbers.
PLAUSIBLE = (OLD - 5, OLD + 15)


def strike_component(name: str) -> Callable[[Outage], None]:
    """Return what kills a component of Airflow, and all of its processes, and has it started again."""

    def strike(outage: Outage) -> None:
        for pid in outage.session(name):
            if is_alive(pid):
                kill(pid)
        outage.start_again(name)

    return strike


def strike_tasks(outage: Outage) -> None:
    """Kill the processes of all tasks that are at work."""
    for task in outage.deployment.api.task_instances(outage.name, state="running"):
        if task["pid"] and is_alive(int(task["pid"])):
            os.kill(int(task["pid"]), signal.SIGKILL)


def strike_servers(outage: Outage) -> None:
    """Kill PostgreSQL, with Airflow's database and the warehouse."""
    kill_server(outage.deployment.postgres)
    outage.deployment.keep_up()


def strike_sessions(outage: Outage) -> None:
    """Cut all sessions of tasks with the warehouse."""
    outage.invariants.superuser(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warehouse_owner'"
    )


def stop_scheduler(outage: Outage) -> None:
    """Let the scheduler hang for a while."""
    pid = outage.first_pid("scheduler")
    os.kill(pid, signal.SIGSTOP)
    time.sleep(STOPPED_SECONDS)
    os.kill(pid, signal.SIGCONT)


FAULTS: dict[str, Callable[[Outage], None]] = {
    "tasks are killed": strike_tasks,
    "the scheduler and its workers are killed": strike_component("scheduler"),
    "the DAG processor is killed": strike_component("dag-processor"),
    "the triggerer is killed": strike_component("triggerer"),
    "the API server is killed": strike_component("api-server"),
    "the FTP server is killed": strike_component("ftp"),
    "PostgreSQL is killed": strike_servers,
    "the warehouse's sessions are cut": strike_sessions,
    "the scheduler hangs": stop_scheduler,
    "nothing": lambda outage: None,
}


def test_a_fault_a_minute(outage: Outage, capfd: pytest.CaptureFixture[str]) -> None:
    chance, rows = random.Random(SEED), dict.fromkeys(DAYS, OLD)
    for minute in range(1, MINUTES + 1):
        began = time.monotonic()
        days, name = chance.sample(DAYS, 2), chance.choice(list(FAULTS))
        rows |= {day: chance.randrange(*PLAUSIBLE) for day in days}
        runs = {day: outage.trigger(day, rows[day]) for day in days}
        time.sleep(chance.uniform(0, 10))
        FAULTS[name](outage)
        states = {day: outage.end(run) for day, run in runs.items()}
        again = [day for day, state in states.items() if state != "success"]
        assert [outage.end(outage.trigger(day, rows[day])) for day in again] == ["success"] * len(again), (minute, name)
        assert {day: outage.invariants.seen(day)[0] for day in days} == {day: rows[day] for day in days}, (minute, name)
        outage.invariants.check()
        with capfd.disabled():
            said = f"{len(again)} of 2 runs failed, and went well again"
            print(f"minute {minute}, {memory_mib(outage):,} MiB: {name}; {said}", flush=True)
        time.sleep(max(0.0, began + 60 - time.monotonic()))
    assert {day: outage.invariants.seen(day)[0] for day in DAYS} == rows


def memory_mib(outage: Outage) -> int:
    """Return the memory of all processes of Airflow; what they share counts for each."""
    pids = [pid for name in ("scheduler", "api-server", "dag-processor", "triggerer") for pid in outage.session(name)]
    return int(sum(psutil.Process(pid).memory_info().rss for pid in pids if is_alive(pid)) / 2**20)
