"""The stack of docker-compose.yaml, built from this checkout and started in a folder of its own, once for its tests.

Without a container engine these tests are skipped, unless CI=true: `.ci/run` starts an engine before it.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from daybook_airflow.api import AirflowApi
from deployment.home import REPOSITORY, free_port

FILES = ("Dockerfile", "docker-compose.yaml", ".dockerignore", ".env.example", "requirements.txt", "requirements.lock")
FOLDERS = ("config", "dags", "include", "plugins")
# A user whom no file of the image names, as an ordinary user is; root's own choice, the image's user, is the easy case.
SOMEBODY = 12345
# Its tag stays behind and holds the built layers, so that the next run need not install the packages again.
LAYERS = "daybook-test-layers"
BUILD_SECONDS = 540
HEALTHY_SECONDS = 240


@dataclass(frozen=True)
class Stack:
    """A stack of its own name, in a folder of its own."""

    folder: Path
    name: str
    ui_port: int

    @property
    def environment(self) -> dict[str, str]:
        """The shell in which docker-compose, in whatever folder, means this stack."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAYBOOK", "AIRFLOW"))}
        return kept | {
            "COMPOSE_FILE": str(self.folder / "docker-compose.yaml"),
            "COMPOSE_PROJECT_NAME": self.name,
            "DAYBOOK_IMAGE": self.name,
            "UI_PORT": str(self.ui_port),
        }

    @property
    def env(self) -> dict[str, str]:
        """What `.env` says."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def api(self) -> AirflowApi:
        """Airflow's REST API, as admin."""
        return AirflowApi(f"http://127.0.0.1:{self.ui_port}", "admin", self.env["DAYBOOK_SECRET_ADMIN"])

    def compose(self, *arguments: str, seconds: float = 420) -> subprocess.CompletedProcess[str]:
        """Run docker-compose for this stack."""
        return run(*compose_command(), *arguments, cwd=self.folder, env=self.environment, timeout=seconds)

    def make_env(self) -> subprocess.CompletedProcess[str]:
        """Run what `make env` runs, with the standard library only: -S leaves installed packages out."""
        include = {**os.environ, "PYTHONPATH": str(self.folder / "include")}
        return run(sys.executable, "-S", "-m", "deployment.compose.env", cwd=self.folder, env=include)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what the engine knows of the stack's containers, by service."""
        ids = run("docker", "ps", "--all", "--quiet", "--filter", self.label).stdout.split()
        found = json.loads(run("docker", "inspect", *ids).stdout) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    @property
    def label(self) -> str:
        """The engine's filter for what belongs to this stack."""
        return f"label=com.docker.compose.project={self.name}"

    def left(self) -> list[str]:
        """Return the containers, volumes and networks of the stack that there are."""
        kinds = (["ps", "--all"], ["volume", "ls"], ["network", "ls"])
        return [line for kind in kinds for line in run("docker", *kind, "-q", "--filter", self.label).stdout.split()]


def run(*command: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and give its exit code and what it said."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **how)


def compose_command() -> list[str]:
    """Return the compose program that this machine has: the one of its own, or docker's newer plugin."""
    return ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]


@pytest.fixture(scope="package")
def engine() -> None:
    """A container engine that answers, and docker-compose; or a skip that says which is missing."""
    missing = _missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{missing}. CI=true, so this is not skipped.")
    if missing:
        pytest.skip(missing)


def _missing() -> str:
    if not shutil.which("docker"):
        return "There is no `docker` program here"
    info = run("docker", "info")
    if info.returncode:
        return f"No container engine answers: {info.stderr.strip()}"
    return "" if run(*compose_command(), "version").returncode == 0 else "There is no docker-compose here"


@pytest.fixture(scope="package")
def unstarted(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A stack that has neither `.env` nor containers yet."""
    folder = tmp_path_factory.mktemp("compose")
    for name in FILES:
        shutil.copy(REPOSITORY / name, folder)
    for name in FOLDERS:
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Stack(folder, f"daybook-test-{uuid.uuid4().hex[:8]}", free_port())


@pytest.fixture(scope="package")
def built(unstarted: Stack) -> Iterator[Stack]:
    """A stack that has its `.env` and its image, and no container yet."""
    assert unstarted.make_env().returncode == 0
    if os.getuid() == 0:
        _belong_to_somebody(unstarted)
    _build(unstarted)
    yield unstarted
    run("docker", "image", "rm", unstarted.name)


@pytest.fixture(scope="package")
def stack(built: Stack) -> Iterator[Stack]:
    """The stack, healthy. Nothing of it is left afterwards, and the engine is asked whether that is so."""
    try:
        _start(built)
        yield built
    finally:
        built.compose("down", "--volumes", "--timeout", "5")
    assert built.left() == []


def _belong_to_somebody(stack: Stack) -> None:
    file = stack.folder / ".env"
    file.write_text(file.read_text().replace("AIRFLOW_UID=50000\n", f"AIRFLOW_UID={SOMEBODY}\n"))
    os.chown(stack.folder / "data", SOMEBODY, 0)


def _build(stack: Stack) -> None:
    built = stack.compose("build", seconds=BUILD_SECONDS)
    assert built.returncode == 0, f"{built.stdout[-2000:]}\n{built.stderr[-2000:]}"
    before = run("docker", "images", "--quiet", LAYERS).stdout.split()
    run("docker", "tag", stack.name, LAYERS)
    # Refused, rightly, where nothing has changed and it is the same image.
    run("docker", "image", "rm", *before)


def _start(stack: Stack) -> None:
    started = stack.compose("up", "--detach")
    assert started.returncode == 0, f"{started.stderr[-2000:]}\n{_logs(stack)}"
    until = time.monotonic() + HEALTHY_SECONDS
    while unhealthy := [name for name, one in stack.containers().items() if not _is_well(one)]:
        assert time.monotonic() < until, f"not healthy: {unhealthy}\n{_logs(stack)}"
        time.sleep(0.5)


def _is_well(container: dict[str, Any]) -> bool:
    state = container["State"]
    has_ended_well: bool = state["Status"] == "exited" and state["ExitCode"] == 0
    is_healthy: bool = state.get("Health", {}).get("Status") == "healthy"
    return has_ended_well or is_healthy


def _logs(stack: Stack) -> str:
    return stack.compose("logs", "--no-color", "--tail", "20").stdout
