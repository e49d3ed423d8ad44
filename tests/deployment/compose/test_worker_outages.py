"""Workers that are stopped, killed or cut off while they publish a day, and a Redis that ends: `make test-stacks`."""

from collections.abc import Callable

import pytest

from daybook.spec import Pipeline
from tests.deployment.compose.conftest import run
from tests.deployment.compose.test_workers import summaries
from tests.deployment.compose.workers import Workers
from tests.deployment.compose.workers import workers as workers
from tests.integration.steps.conftest import pipeline as pipeline
from tests.support.servers import Servers

pytestmark = pytest.mark.timeout(1200)

# The task ends where it is, or is tried again elsewhere.
HERE, ELSEWHERE = 1, 2


def a_worker_stopped(workers: Workers, worker: str) -> None:
    """It is asked to end, and has five minutes; nobody waits for it here."""
    workers.stack.compose("kill", "-s", "SIGTERM", worker)


def redis_restarted(workers: Workers, worker: str) -> None:
    """Every connection to Redis is cut."""
    workers.stack.compose("restart", "redis")


def a_worker_killed(workers: Workers, worker: str) -> None:
    """All its processes are killed, as by a lack of memory; the engine starts it again."""
    workers.stack.compose("exec", "-T", worker, "sh", "-c", "kill -9 -1")


def a_worker_cut_off(workers: Workers, worker: str) -> None:
    """It runs on without a network."""
    run("docker", "network", "disconnect", f"{workers.stack.name}_default", workers.container(worker))


@pytest.mark.parametrize(
    ("day", "strike", "tries"),
    [
        ("2013-02-01", redis_restarted, HERE),
        ("2013-02-02", a_worker_stopped, HERE),
        ("2013-02-03", a_worker_killed, ELSEWHERE),
        ("2013-02-04", a_worker_cut_off, ELSEWHERE),
    ],
    ids=["redis", "stopped", "killed", "cut-off"],
)
def test_a_day_is_published_once_and_as_ever(
    workers: Workers,
    servers: Servers,
    pipeline: Pipeline,
    day: str,
    strike: Callable[[Workers, str], None],
    tries: int,
) -> None:
    workers.stack.api.wait_for_dag("flights")
    workers.stack.api.unpause("flights")
    with workers.held_in_deploy(day) as (run_id, worker):
        strike(workers, worker)
    assert workers.stack.api.wait_for_run("flights", run_id, seconds=240)["state"] == "success"
    deploy = workers.deploy(run_id)
    assert deploy["try_number"] == tries
    assert (deploy["hostname"] == f"{worker}-logs") is (tries == HERE)
    if strike is a_worker_cut_off:
        run("docker", "network", "connect", f"{workers.stack.name}_default", workers.container(worker))
    run("docker", "start", workers.container(worker))
    workers.wait_until_well(worker)
    assert workers.published()[day] == 1
    assert workers.summaries(day) == summaries(servers, pipeline, day)
