"""The compose stack as a user meets it: what starts it, what it publishes, what it is allowed to do, what it leaves."""

import csv
import os
import re
import stat
import zipfile
from pathlib import Path

import pytest
from deployment.compose_env import settings
from deployment.flights_source import _data_folder
from deployment.home import REPOSITORY

from tests.compose.conftest import SOMEBODY, Stack, run

SERVICES = {"postgres", "init", "ftp", "api-server", "scheduler", "dag-processor", "triggerer"}
DAY = "2013-01-05"
PAGE = REPOSITORY / "docs" / "compose.md"


def no_env(folder: Path) -> None:
    """A fresh clone."""


def the_example_as_it_is(folder: Path) -> None:
    """`cp .env.example .env`, and nothing filled in."""
    (folder / ".env").write_text((folder / ".env.example").read_text())


@pytest.mark.parametrize("after", [no_env, the_example_as_it_is])
def test_without_secrets_nothing_starts_and_it_says_what_to_run(unstarted: Stack, after) -> None:
    after(unstarted.folder)
    refused = unstarted.compose("up", "--detach")
    (unstarted.folder / ".env").unlink(missing_ok=True)
    assert refused.returncode != 0
    assert "run make env" in refused.stderr
    assert unstarted.left() == []


def test_the_example_names_what_make_env_writes() -> None:
    text = (REPOSITORY / ".env.example").read_text()
    assert re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE) == [(name, "") for name in settings(1000)]


def test_every_secret_that_the_stack_asks_for_is_written_and_has_no_default() -> None:
    asked = re.findall(r"\$\{(DAYBOOK_SECRET_\w+)([^}]*)\}", (REPOSITORY / "docker-compose.yaml").read_text())
    assert {name for name, _ in asked} == {name for name in settings(1000) if name.startswith("DAYBOOK_SECRET_")}
    assert {otherwise for _, otherwise in asked} == {":?run make env"}


def test_secrets_are_made_once_and_for_their_owner_only(stack: Stack) -> None:
    before = stack.env
    again = stack.make_env()
    assert again.returncode == 1
    assert "was left as it is" in again.stderr
    assert stack.env == before
    assert len(set(before.values())) == len(before)
    assert stat.S_IMODE((stack.folder / ".env").stat().st_mode) == 0o600


def test_a_day_is_published_onto_the_host_with_every_flight(stack: Stack) -> None:
    stack.api.wait_for_dag("flights")
    stack.api.unpause("flights")
    run_id = stack.api.trigger("flights", {"day": DAY})
    assert stack.api.wait_for_run("flights", run_id)["state"] == "success"
    file = stack.folder / "data" / "published" / "flights" / DAY / "by_day.csv"
    [published] = csv.DictReader(file.read_text().splitlines())
    assert (published["day"], int(published["flights"])) == (DAY, flights_of(2013, 1, 5))
    assert file.stat().st_uid == (os.getuid() or SOMEBODY)


def flights_of(*day: int) -> int:
    """Count a day's lines in the package's own file."""
    archive = zipfile.ZipFile(_data_folder() / "flights.csv.zip")
    begins = "{},{},{},".format(*day).encode()
    return sum(line.startswith(begins) for line in archive.read("flights.csv").splitlines())


def test_the_api_server_shows_the_log_of_a_task_that_another_container_ran(stack: Stack) -> None:
    run_id = stack.api.trigger("flights", {"day": DAY})
    assert stack.api.wait_for_run("flights", run_id)["state"] == "success"
    log = stack.api._ask("GET", f"/dags/flights/dagRuns/{run_id}/taskInstances/clean/logs/1")
    assert "clean" in str([line for line in log["content"] if "rows" in str(line)])


def test_every_command_of_the_page_runs(stack: Stack) -> None:
    commands = re.findall(r"^\$ (docker-compose (?:exec|ps|logs).*)$", PAGE.read_text(), re.MULTILINE)
    assert commands
    for command in commands:
        # There is no terminal here, as there is for a reader.
        typed = f". ./.env; {command}".replace("exec ", "exec -T ")
        done = run("sh", "-c", typed, cwd=stack.folder, env=stack.environment, timeout=120)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_services_are_healthy_and_the_first_one_has_ended(stack: Stack) -> None:
    assert {name: one["State"].get("Health", {}).get("Status") for name, one in stack.containers().items()} == {
        **dict.fromkeys(SERVICES, "healthy"),
        "init": None,
    }


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_may_do_no_more_than_it_needs(stack: Stack, service: str) -> None:
    container = stack.containers()[service]
    host = container["HostConfig"]
    assert container["Config"]["User"] in ("postgres", f"{stack.env['AIRFLOW_UID']}:0")
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert not [mount for mount in container["Mounts"] if "docker.sock" in mount["Source"]]


def test_only_the_ui_can_be_reached_from_outside_and_only_from_this_machine(stack: Stack) -> None:
    bound = {name: one["HostConfig"]["PortBindings"] for name, one in stack.containers().items()}
    assert {name: ports for name, ports in bound.items() if ports} == {
        "api-server": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.ui_port)}]}
    }


def test_a_service_knows_the_secrets_that_it_needs_and_no_others(stack: Stack) -> None:
    airflow = {"AIRFLOW", "FERNET_KEY", "JWT_SECRET", "API_SECRET_KEY"}
    roles = {"POSTGRES", "AIRFLOW", "SOURCE_OWNER", "SOURCE_READER", "WAREHOUSE_OWNER", "ANALYST"}
    assert {name: known(stack, one["Config"]["Env"]) for name, one in stack.containers().items()} == {
        "postgres": {"POSTGRES"},
        "init": {*airflow, *roles, "ADMIN", "VIEWER"},
        "ftp": {"FTP"},
        "api-server": airflow,
        "scheduler": {*airflow, "SOURCE_READER", "WAREHOUSE_OWNER", "FTP"},
        "dag-processor": airflow,
        "triggerer": airflow,
    }


def known(stack: Stack, environment: list[str]) -> set[str]:
    """Give the secrets whose values an environment holds."""
    text = "\n".join(environment)
    secrets = {name: value for name, value in stack.env.items() if name.startswith("DAYBOOK_SECRET_")}
    return {name.removeprefix("DAYBOOK_SECRET_") for name, value in secrets.items() if value in text}


def test_the_image_holds_what_runs_and_neither_secrets_nor_test_tools(stack: Stack) -> None:
    listed = run(
        "docker", "run", "--rm", "--entrypoint", "ls", stack.name, "--almost-all", "/opt/airflow"
    ).stdout.split()
    assert sorted(listed) == sorted(
        ["config", "dags", "include", "plugins", "requirements.lock", "requirements.txt"]
        + ["data", "login", "logs", "source"]
    )
    find = (
        "import importlib.util as u; print([n for n in ('pytest','mypy','playwright','hypothesis') if u.find_spec(n)])"
    )
    found = run("docker", "run", "--rm", "--entrypoint", "python", stack.name, "-c", find).stdout
    assert found.strip() == "[]"
