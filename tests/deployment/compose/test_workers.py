"""Two Celery workers of the compose stack, which share nothing but the databases and a bucket."""

import re

import pytest

from daybook.spec import Pipeline
from tests.deployment.compose.conftest import compose_command, run
from tests.deployment.compose.test_compose import PAGE, known
from tests.deployment.compose.workers import WORKERS, Workers
from tests.deployment.compose.workers import workers as workers
from tests.integration.steps.conftest import pipeline as pipeline
from tests.support.servers import Servers, published_files, run_steps

# The first test builds the image, from nothing where nothing is cached, and starts the stack.
pytestmark = pytest.mark.timeout(1200)

DAYS = ["2013-01-05", "2013-01-06", "2013-01-07"]


def summaries(servers: Servers, pipeline: Pipeline, day: str) -> dict[str, bytes]:
    """Return the files of a day's summaries as they come out without Airflow, on servers of this machine."""
    folder = published_files(run_steps(servers.work(pipeline, day, "run_1"), servers))
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith("by_")}


def test_three_days_through_two_workers_are_published_once_and_as_without_them(
    workers: Workers, servers: Servers, pipeline: Pipeline
) -> None:
    done = workers.backfill(DAYS[0], DAYS[-1])
    assert "flights: all is well, 3 of 3 runs ended in success" in done.stdout + done.stderr
    for day in DAYS:
        made = workers.summaries(day)
        assert len(made) == 6
        assert made == summaries(servers, pipeline, day)
    assert workers.published() == dict.fromkeys(DAYS, 1)
    # Both took part, and neither has a file of a day.
    tasks = workers.stack.api.task_instances("flights")
    assert {task["hostname"] for task in tasks} == {f"{worker}-logs" for worker in WORKERS}
    assert not (workers.stack.folder / "data" / "days").exists()
    the_ui_shows_the_log_of_each(workers, tasks)
    workers_know_what_tasks_need(workers)
    their_commands_of_the_page_run(workers)


def the_ui_shows_the_log_of_each(workers: Workers, tasks: list[dict[str, str]]) -> None:
    """Check that the API server reads a log from each worker's log server."""
    for task in {task["hostname"]: task for task in tasks}.values():
        path = f"/dags/flights/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}/logs/1"
        lines = [line["event"] for line in workers.stack.api._ask("GET", path)["content"]]
        assert [line for line in lines if line.startswith(f"http://{task['hostname']}:8793/log/")]
        assert [line for line in lines if line.startswith(f"{task['task_id']} ")]


def workers_know_what_tasks_need(workers: Workers) -> None:
    """Check which secrets containers hold, and that no one reaches Redis from outside."""
    containers = workers.stack.containers()
    secrets = {name: known(workers.stack, one["Config"]["Env"]) for name, one in containers.items()}
    of_tasks = {"REDIS", "SOURCE_READER", "WAREHOUSE_OWNER", "FTP"}
    assert {name: secrets[name] for name in (*WORKERS, "scheduler", "redis", "worker-1-logs")} == {
        "worker-1": of_tasks,
        "worker-2": of_tasks,
        "scheduler": {"AIRFLOW", "FERNET_KEY", "JWT_SECRET", "API_SECRET_KEY", "REDIS"},
        "redis": {"REDIS"},
        "worker-1-logs": {"API_SECRET_KEY"},
    }
    assert [name for name, one in containers.items() if one["HostConfig"]["PortBindings"]] == ["api-server"]
    without_password = workers.stack.compose("exec", "-T", "redis", "redis-cli", "ping")
    assert "NOAUTH" in without_password.stdout
    # Its password is in no list of processes.
    assert "redis-server" in workers.stack.compose("exec", "-T", "redis", "cat", "/proc/1/cmdline").stdout
    assert workers.stack.env["DAYBOOK_SECRET_REDIS"] not in run("docker", "top", containers["redis"]["Id"]).stdout


def their_commands_of_the_page_run(workers: Workers) -> None:
    """Run the commands of docs/compose.md that need workers."""
    commands = re.findall(r"`(docker-compose exec worker-1 [^`]*)`", PAGE.read_text())
    assert len(commands) == 2
    for command in commands:
        typed = command.replace("docker-compose", " ".join(compose_command())).replace("exec ", "exec -T ")
        done = run("sh", "-c", typed, cwd=workers.stack.folder, env=workers.stack.environment, timeout=240)
        # `status` answers 1, since days are missing.
        is_well = done.returncode == 0 or "published    3 " in done.stdout
        assert is_well, f"{command}\n{done.stdout}\n{done.stderr}"
