"""A whole deployment leaves no process behind, in whichever way and at whichever moment it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from deployment.home import HOST, REPOSITORY, Home, free_port
from deployment.processes.restarts import MOST
from deployment.servers.programs import folder_of

UP_SECONDS = 180
STOP_SECONDS = 60


@dataclass
class Place:
    """Where a deployment of a test lies, and the environment that says so."""

    home: Home
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = [sys.executable, "-m", "commands", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=UP_SECONDS)

    def processes(self) -> list[str]:
        """Return the command lines of all processes that have to do with it, found by their folder or their words."""
        folders = (str(self.home.path), str(folder_of(self.home)))
        return [line for process in psutil.process_iter() if (line := _line(process, folders))]


def _line(process: psutil.Process, folders: tuple[str, str]) -> str:
    try:
        if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
            return ""
        line = " ".join(process.cmdline())
        return f"{process.pid} {line}" if f"{process.cwd()} {line}".count(folders[0]) or folders[1] in line else ""
    except psutil.Error:
        return ""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("supervisor")
    own = {"DAYBOOK_HOME": str(folder / "home"), "DAYBOOK_DATA": str(folder / "data"), "PYTHONUNBUFFERED": "1"}
    path = f"{REPOSITORY / 'include'}:{REPOSITORY / 'config'}"
    return Place(Home(folder / "home"), {**os.environ, **own, "PYTHONPATH": path})


class Up:
    """`./daybook up` in a process of its own, as a terminal would have it."""

    def __init__(self, place: Place, port: int | None = None) -> None:
        self.port = port or free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "commands", "up", "--ui-port", str(self.port)],
            env=place.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""

    def wait_for(self, words: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return
        pytest.fail(f"{words!r} was never said, but:\n{self.said}")

    def end(self) -> int:
        rest, _ = self.process.communicate(timeout=STOP_SECONDS)
        self.said += rest
        return self.process.returncode


@pytest.fixture
def up(place: Place) -> Iterator[Up]:
    up = Up(place)
    yield up
    up.process.kill()
    up.process.wait()


@pytest.mark.parametrize(
    "moment", ["Starting PostgreSQL", "Starting the FTP server", "Filling the source", "Making Airflow's tables"]
)
def test_ctrl_c_during_the_start_leaves_nothing(place: Place, up: Up, moment: str) -> None:
    up.wait_for(moment)
    up.process.send_signal(signal.SIGINT)
    assert up.end() == 128 + signal.SIGINT
    assert place.processes() == []


def test_ctrl_c_twice_while_airflow_starts_leaves_nothing(place: Place, up: Up) -> None:
    up.wait_for("Starting Airflow")
    time.sleep(3)
    up.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    up.process.send_signal(signal.SIGINT)
    assert up.end() == 128 + signal.SIGINT
    assert "Stopping already" in up.said
    assert place.processes() == []


def test_what_is_up_is_seen_refuses_a_second_and_ends_by_sigterm(place: Place, up: Up) -> None:
    up.wait_for("Ctrl-C stops everything")
    health = httpx.get(f"http://{HOST}:{up.port}/api/v2/monitor/health", trust_env=False).json()
    assert {part["status"] for part in health.values()} == {"healthy"}
    assert _listening_elsewhere(place) == []
    second = place.run("demo")
    assert second.returncode == 40
    assert f"./daybook up is running already in {place.home.path} (process {up.process.pid})" in second.stderr
    up.process.send_signal(signal.SIGTERM)
    assert up.end() == 128 + signal.SIGTERM
    assert place.processes() == []


def kill(place: Place, name: str) -> None:
    """Kill the first process of a component, and nothing of what it has started."""
    os.kill(first_pid(place, name), signal.SIGKILL)


def first_pid(place: Place, name: str) -> int:
    """Return the pid of a component's first process."""
    return int(json.loads((place.home.path / "processes" / f"{name}.json").read_text())["pid"])


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + STOP_SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_component_that_dies_is_started_again_and_what_it_had_started_is_gone(place: Place, up: Up) -> None:
    up.wait_for("Ctrl-C stops everything")
    workers = {line.split()[0] for line in place.processes() if "LocalExecutor" in line}
    assert workers
    kill(place, "scheduler")
    up.wait_for("scheduler ended by itself with exit code -9. It is started again.")
    wait_until(lambda: not workers & {line.split()[0] for line in place.processes()})
    up.process.send_signal(signal.SIGINT)
    up.end()
    assert place.processes() == []


def test_a_component_that_dies_again_and_again_is_named_and_all_is_stopped(place: Place, up: Up) -> None:
    up.wait_for("Ctrl-C stops everything")
    for _ in range(MOST):
        killed = first_pid(place, "dag-processor")
        kill(place, "dag-processor")
        up.wait_for("dag-processor ended by itself with exit code -9. It is started again.")
        wait_until(lambda: first_pid(place, "dag-processor") != killed)  # noqa: B023 - done within this round
    kill(place, "dag-processor")
    assert up.end() == 40
    assert f"dag-processor was started again {MOST} times in 10 min" in up.said
    assert str(place.home.logs / "dag-processor.log") in up.said
    assert place.processes() == []


def test_what_a_killed_supervisor_has_left_is_stopped_for_it(place: Place, up: Up) -> None:
    up.wait_for("Starting Airflow")
    time.sleep(3)
    up.process.kill()
    until = time.monotonic() + STOP_SECONDS
    while place.processes() and time.monotonic() < until:
        time.sleep(0.2)
    assert place.processes() == []


def test_down_stops_what_is_up(place: Place, up: Up) -> None:
    up.wait_for("Starting Airflow")
    done = place.run("down")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Stopped ./daybook up (process {up.process.pid}) and all that it had started.\n"
    assert up.end() == 128 + signal.SIGTERM
    assert place.processes() == []
    assert place.run("down").stdout == "Nothing was running.\n"


def test_a_taken_port_is_named_with_the_way_round_it(place: Place) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        up = Up(place, port)
        assert up.end() == 40
    assert f"Port {port} of 127.0.0.1 is taken by another program" in up.said
    assert f"./daybook up --ui-port {port + 1}" in up.said
    assert place.processes() == []


def test_psql_shows_an_analyst_the_warehouse_while_all_else_is_down(place: Place) -> None:
    done = place.run("psql", "SELECT current_user, current_database()")
    assert "analyst      | warehouse" in done.stdout
    assert place.processes() == []


def test_clean_removes_all_but_another_folder_s_data(place: Place) -> None:
    published = Path(place.environment["DAYBOOK_DATA"]) / "kept"
    published.mkdir(parents=True)
    assert place.run("clean").returncode == 0
    assert not place.home.path.exists()
    assert not folder_of(place.home).exists()
    assert published.exists()


def _listening_elsewhere(place: Place) -> list[str]:
    """Return the addresses other than loopback's on which a process of the deployment listens."""
    ours = {int(line.split()[0]) for line in place.processes()}
    sockets = [one for one in psutil.net_connections("inet") if one.pid in ours and one.status == psutil.CONN_LISTEN]
    assert len(sockets) >= 3
    return [str(one.laddr) for one in sockets if one.laddr.ip != HOST]
