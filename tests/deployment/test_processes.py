"""Whatever a component has started ends with it, in whichever way it is stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deployment.errors import DeploymentError
from deployment.home import REPOSITORY, Home
from deployment.processes.components import Component, living, stop_all

# A parent, and a child in a process group of its own, as Airflow's tasks are; the child says when it is there.
FAMILY = """
import os, signal, sys, time
{handling}
if os.fork() == 0:
    os.setpgid(0, 0)
    print(os.getpid(), flush=True)
time.sleep(600)
"""
OBEYS = ""
IGNORES = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
LEAVES_ITS_CHILD = "signal.signal(signal.SIGTERM, lambda *_: os._exit(0))"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def family(home: Home, handling: str) -> Component:
    component = Component(home, "family", [sys.executable, "-c", FAMILY.format(handling=handling)], os.environ)
    wait_until(lambda: component.log.read_text().strip() != "")
    return component


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("handling", [OBEYS, IGNORES, LEAVES_ITS_CHILD])
def test_parent_and_child_end(home: Home, handling: str) -> None:
    component = family(home, handling)
    child = int(component.log.read_text())
    assert stop_all(home, grace_seconds=0.5) == ["family"]
    assert not is_alive(child)
    assert not is_alive(component.process.pid)
    assert stop_all(home) == []


def test_a_child_whose_parent_was_killed_is_still_found(home: Home) -> None:
    component = family(home, OBEYS)
    component.process.kill()
    component.process.wait()
    assert living(home) == ["family"]
    stop_all(home, grace_seconds=0.5)
    assert not is_alive(int(component.log.read_text()))


def test_another_process_that_got_the_number_is_left_alone(home: Home) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    (home.path / "processes" / "old.json").write_text(f'{{"pid": {stranger.pid}, "started": 1}}')
    try:
        assert stop_all(home, grace_seconds=0.5) == []
        assert is_alive(stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_an_end_by_itself_is_told_with_the_last_words(home: Home) -> None:
    component = Component(home, "brief", ["sh", "-c", "echo my last words; exit 3"], os.environ)
    component.process.wait()
    with pytest.raises(
        DeploymentError, match=r"brief ended by itself with exit code 3(?s:.*)brief\.log(?s:.*)my last words"
    ):
        component.check()


def test_the_log_of_the_run_before_is_kept(home: Home) -> None:
    for word in ("first", "second"):
        Component(home, "speaker", ["echo", word], os.environ).finish(10)
    assert (home.logs / "speaker.log").read_text() == "second\n"
    assert (home.logs / "speaker.before.log").read_text() == "first\n"


def test_the_watcher_stops_what_a_killed_supervisor_has_left(home: Home) -> None:
    component = family(home, OBEYS)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "include")}
    watcher = subprocess.Popen(
        [sys.executable, "-m", "deployment.processes.watcher", home.path], env=environment, stdin=subprocess.PIPE
    )
    assert is_alive(component.process.pid)
    watcher.communicate(timeout=30)
    assert not is_alive(component.process.pid)
    assert not is_alive(int(component.log.read_text()))
    assert -component.process.wait() == signal.SIGTERM


# What a supervisor does, as far as the watcher is concerned.
SUPERVISOR = """
import os, subprocess, sys, time
from pathlib import Path
from deployment.home import Home, Lock
from deployment.processes.components import Component
home = Home(Path(sys.argv[1]))
lock = Lock(home)
lock.take("./daybook up")
command = [sys.executable, "-m", "deployment.processes.watcher", home.path]
watcher = subprocess.Popen(command, stdin=-1, start_new_session=True)
print(Component(home, "sleeper", ["sleep", "600"], os.environ).process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("_time", range(5))
def test_it_does_so_whichever_the_kernel_lets_go_of_first_the_pipe_or_the_lock(home: Home, _time: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "include")}
    command = [sys.executable, "-c", SUPERVISOR, str(home.path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout
        sleeper = int(supervisor.stdout.readline())
        time.sleep(0.5)
        supervisor.kill()
    wait_until(lambda: not is_alive(sleeper), seconds=20)
    assert living(home) == []
