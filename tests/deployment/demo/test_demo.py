"""The two commands of the README's first screen and those below it, typed by a newcomer in a fresh clone."""

import os
import re
import signal
import time

import pytest

from deployment.home import REPOSITORY
from tests.unit.deployment.test_upgrading import OF_MAKE

from . import tutorial
from .conftest import Clone

# Known totals of the first seven days: flights, of these cancelled, and the mean delay at departure in minutes.
WEEK = {
    "2013-01-01": ("842", "4", "11.55"),
    "2013-01-02": ("943", "8", "13.86"),
    "2013-01-03": ("914", "10", "10.99"),
    "2013-01-04": ("915", "6", "8.95"),
    "2013-01-05": ("720", "3", "5.73"),
    "2013-01-06": ("832", "1", "7.15"),
    "2013-01-07": ("933", "3", "5.42"),
}


def week(printed: str) -> dict[str, tuple[str, ...]]:
    """Return flights, cancelled and mean delay by day, as the demo's table has them; no row is refused."""
    lines = re.findall(r"│ (2013-\d\d-\d\d) │ +(\S+) │ +(\S+) │ +(\S+) min │ +0 │", printed)
    return {day: tuple(figures) for day, *figures in lines}


def test_ctrl_c_in_the_first_demo_leaves_no_process(clone: Clone) -> None:
    with clone.typing("make demo") as process:
        assert process.stdout
        for line in process.stdout:
            if "days to run" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode != 0
    assert clone.processes() == []


def test_the_demo_publishes_the_week_and_leaves_no_process(clone: Clone) -> None:
    done = clone.type("make demo")
    assert done.returncode == 0, done.stdout[-3000:]
    assert week(done.stdout) == WEEK
    assert "Making" not in done.stdout
    assert (clone.folder / "data/published/flights/2013-01-07/report.html").exists()
    assert clone.processes() == []


def test_the_commands_of_the_readme_and_the_documents_work(clone: Clone) -> None:
    commands = console_commands("README.md")
    # `make test` is what runs this; `make demo` has its own test above; `up` runs until `down`.
    others = ("make test", "make demo", "./daybook up", "./daybook down")
    typed = [command for command in commands if command not in others]
    assert commands != typed
    with clone.typing("./daybook up --ui-port 0") as up:
        wait_for_line(up.stdout, "http://127.0.0.1:")
        shell = " && ".join(["set -e", *typed])
        done = clone.type(shell)
        assert done.returncode == 0, done.stdout[-3000:]
        assert "(3 rows)" in done.stdout
        for command in console_commands("docs/days.md"):
            # Most of the year is missing here, and `status` says so with its exit code.
            told = clone.type(command)
            assert told.returncode == (1 if command == "./daybook status" else 0), told.stdout[-3000:]
        replayed = clone.type(" && ".join(["set -e", *console_commands("docs/reliability.md")]))
        assert replayed.returncode == 0, replayed.stdout[-3000:]
        assert "load  flights  dep_time  not_an_integer  1     2" in replayed.stdout
        assert "mends kept: flights 1; of these new: flights 1;" in replayed.stdout
        assert "the airline told us the time (flights 1)" in replayed.stdout
        # Those of the compose stack are run by tests/airflow/access.
        for command in (one for one in console_commands("docs/security.md") if not one.startswith("docker-compose")):
            told = clone.type(command)
            assert told.returncode == 0, told.stdout[-3000:]
        tutorial.follow(clone.type, clone.folder)
        # It ends with `down`; what follows goes on without it, in a home that is made from the copy.
        said = ""
        for command in upgrading():
            # The tutorial has left a second pipeline, so a plan has to be asked of one.
            told = clone.type(f"{command} --pipeline flights" if command == "./daybook plan" else command)
            # Here nothing is up that the doctor could look at, and it says so with its exit code.
            assert told.returncode == (1 if command == "./daybook doctor" else 0), (command, told.stdout[-3000:])
            said += told.stdout
        assert "Restored from ../before-postgres" in said
        up.communicate(timeout=60)
    assert clone.processes() == []


def upgrading() -> list[str]:
    """Return the commands of docs/upgrading.md but those of tests/unit/deployment/test_upgrading.py."""
    commands = console_commands("docs/upgrading.md")
    elsewhere = [command for command in commands if command.startswith("git ") or command in OF_MAKE]
    return [command for command in commands if command not in (*elsewhere, "./daybook up")]


def wait_for_line(lines: object, words: str, seconds: int = 300) -> None:
    """Read lines until one has the words."""
    until = time.monotonic() + seconds
    seen = []
    for line in lines:  # type: ignore[attr-defined]
        seen.append(line)
        if words in line and "login" not in line:
            return
        assert time.monotonic() < until, seen
    pytest.fail(f"{words!r} was not printed: {seen}")


def console_commands(document: str) -> list[str]:
    """Return the commands of a document's console blocks, without their remarks, in order, each once."""
    text = (REPOSITORY / document).read_text()
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [line[2:].split("  #")[0].strip() for block in blocks for line in block.splitlines() if line[:2] == "$ "]
    assert lines, f"no command in {document}"
    return list(dict.fromkeys(lines))
