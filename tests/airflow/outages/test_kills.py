"""A part of Airflow dies by kill -9 during a run: it is started again, the run completes, the day is published once."""

import os
import signal
import time

import psutil
import pytest

from tests.support.crash import kill_server

from .conftest import NEW, OLD
from .outage import Outage, is_alive, kill, saw_nothing_but, wait_until

API_STOPPED_S = 30


def test_k2_the_scheduler_dies_with_its_workers_and_the_task_is_found_and_run_again(outage: Outage) -> None:
    day = "2013-01-05"
    run = outage.trigger(day, NEW)
    with outage.invariants.reader(day) as reader:
        with outage.held_in_save():
            orphan = outage.wait_until_held(run, "save")
            for pid in outage.session("scheduler"):
                if pid != orphan:
                    kill(pid)
            assert is_alive(orphan)
            outage.start_again("scheduler")
            assert not is_alive(orphan)
        assert outage.end(run) == "success"
    assert saw_nothing_but(reader, OLD, NEW)
    assert outage.invariants.seen(day)[0] == NEW
    assert outage.publications(day) == 2
    assert outage.tries(run)["save"] == 2
    outage.invariants.check()


def test_k2_the_supervisor_of_one_task_dies_and_the_task_that_lives_on_is_run_again(outage: Outage) -> None:
    day = "2013-01-06"
    run = outage.trigger(day, NEW)
    with outage.invariants.reader(day) as reader:
        with outage.held_in_save():
            orphan = outage.wait_until_held(run, "save")
            kill(psutil.Process(orphan).ppid())
            assert is_alive(orphan)
        assert outage.end(run) == "success"
    wait_until(lambda: len(outage.told(run)) == 2, "handlers are not told of the kill")
    assert outage.told(run) == [("PROCESS_FAILURE", "save", 1), ("RETRY", "save", 1)]
    assert saw_nothing_but(reader, OLD, NEW)
    assert outage.tries(run)["save"] == 2
    assert outage.publications(day) == 2
    wait_until(lambda: not is_alive(orphan), "the orphan goes on")
    outage.invariants.check()


def test_k2_an_orphan_that_wakes_after_its_successor_does_not_publish(outage: Outage) -> None:
    day = "2013-01-07"
    run = outage.trigger(day, NEW)
    with outage.held_in_deploy(day):
        orphan = outage.wait_until_held(run, "deploy")
        kill(psutil.Process(orphan).ppid())
        # Not before: a stopped process whose parent ends is sent a SIGHUP (POSIX, _exit).
        os.kill(orphan, signal.SIGSTOP)
        # A minute later the server and the day's next writer do this by themselves; a test does not wait for it.
        outage.invariants.superuser(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warehouse_owner'"
        )
    assert outage.end(run) == "success"
    assert outage.publications(day) == 2
    newer = outage.trigger(day, NEW + 1)
    assert outage.end(newer) == "success"
    with outage.invariants.reader(day) as reader:
        os.kill(orphan, signal.SIGCONT)
        wait_until(lambda: not is_alive(orphan), "the orphan goes on")
    assert saw_nothing_but(reader, NEW + 1)
    assert outage.publications(day) == 3
    outage.invariants.check()


@pytest.mark.parametrize(
    ("component", "day"),
    [
        ("scheduler", "2013-01-08"),
        ("dag-processor", "2013-01-09"),
        ("triggerer", "2013-01-10"),
        ("api-server", "2013-01-11"),
    ],
)
def test_k4_a_component_dies_during_a_run_and_no_second_copy_of_a_task_runs_beside_the_first(
    outage: Outage, component: str, day: str
) -> None:
    run = outage.trigger(day, NEW)
    with outage.invariants.reader(day) as reader:
        with outage.held_in_save():
            task = outage.wait_until_held(run, "save")
            outage.kill(component)
            outage.start_again(component)
            assert is_alive(task) is (component != "scheduler")
        assert outage.end(run) == "success"
    assert saw_nothing_but(reader, OLD, NEW)
    assert outage.invariants.seen(day)[0] == NEW
    assert outage.publications(day) == 2
    # Without the API server a task gives no sign of life, and may be taken for dead.
    again = {"save"} if component in ("scheduler", "api-server") else set()
    assert {task for task, tries in outage.tries(run).items() if tries > 1} <= again
    attempts = "select step from daybook.step where run = %s and attempts > 1"
    assert {step for (step,) in outage.invariants.rows(attempts, run)} <= again
    outage.invariants.check()


def test_k5_the_api_server_is_away_for_half_a_minute_and_the_day_is_published_once(outage: Outage) -> None:
    day = "2013-01-12"
    run = outage.trigger(day, NEW)
    with outage.invariants.reader(day) as reader:
        with outage.held_in_save():
            outage.wait_until_held(run, "save")
            stopped = outage.session("api-server")
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
        time.sleep(API_STOPPED_S)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        assert outage.end(run) == "success"
    assert saw_nothing_but(reader, OLD, NEW)
    assert outage.invariants.seen(day)[0] == NEW
    assert outage.publications(day) == 2
    outage.invariants.check()


def test_k7_the_server_of_airflows_own_database_dies_and_the_run_completes(outage: Outage) -> None:
    day = "2013-01-13"
    run = outage.trigger(day, NEW)
    with outage.invariants.reader(day) as reader:
        with outage.held_in_deploy(day):
            outage.wait_until_held(run, "deploy")
            kill_server(outage.deployment.postgres)
        assert outage.end(run) == "success"
    assert saw_nothing_but(reader, OLD, NEW)
    assert outage.invariants.seen(day)[0] == NEW
    assert outage.publications(day) == 2
    outage.invariants.check()
    assert outage.end(outage.trigger(day, OLD)) == "success"
    assert outage.invariants.seen(day)[0] == OLD
