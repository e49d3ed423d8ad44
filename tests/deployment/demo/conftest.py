"""Fresh copies of the checkout, as a newcomer has them after `git clone`, and a way to type commands in them."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployment.home import REPOSITORY

ORDINARY_USER = "nobody"
# The machine's own Python: an ordinary user may not be able to enter the folder of the one that runs the tests.
SYSTEM_PYTHON = Path("/usr/bin/python3")


@dataclass(frozen=True)
class Clone:
    """A copy of the checkout, and the user who works in it (None: who runs the tests)."""

    folder: Path
    user: str | None

    def type(self, command: str, seconds: int = 400) -> subprocess.CompletedProcess[str]:
        """Type a command in a shell in the clone; give what it printed and its exit status."""
        with self.typing(command) as process:
            out, _ = process.communicate(timeout=seconds)
            return subprocess.CompletedProcess(command, process.returncode, out)

    @contextmanager
    def typing(self, command: str) -> Iterator[subprocess.Popen[str]]:
        """Start a command in a shell in the clone; at the end it gets Ctrl-C if it still runs."""
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **self._identity(),
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(timeout=60)

    def processes(self) -> list[str]:
        """Return the command lines of all processes that work in or below the clone's state folder."""
        mine = (str(self.folder), "daybook-")
        found = []
        for process in psutil.process_iter(["cmdline", "environ"]):
            line = " ".join(process.info["cmdline"] or [])
            if str(self.folder) in line or (process.info["environ"] or {}).get("PWD", "").startswith(mine[0]):
                found.append(line)
        return found

    def _environment(self) -> dict[str, str]:
        left_out = ("AIRFLOW", "PYTHON", "VIRTUAL_ENV", "PG", "DAYBOOK", "COVERAGE", "MAKE", "MFLAGS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        home = {"HOME": str(self.folder.parent)} if self.user else {}
        python = {"PYTHON": str(SYSTEM_PYTHON)} if self.user else {}
        return kept | home | python | {"COLUMNS": "100"}

    def _identity(self) -> dict[str, Any]:
        if not self.user:
            return {}
        user = pwd.getpwnam(self.user)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def new_clone(folder: Path, user: str | None) -> Clone:
    """Copy what git knows of the checkout, as it is now, into a folder of the user's."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (REPOSITORY / name).is_file():
            (folder / "daybook" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / "daybook" / name)
    if user:
        subprocess.run(["chown", "-R", f"{user}:", str(folder)], check=True)
    return Clone(folder / "daybook", user)


@pytest.fixture(scope="package")
def clone() -> Iterator[Clone]:
    """A fresh clone of an ordinary user, if root runs the tests; anybody else is one."""
    user = ORDINARY_USER if os.geteuid() == 0 else None
    if user and not SYSTEM_PYTHON.exists():
        pytest.skip(f"{SYSTEM_PYTHON} is not there, and another user may not run {os.sys.executable}")  # type: ignore[attr-defined]
    with _folder() as folder:
        yield new_clone(folder, user)


@contextmanager
def _folder() -> Iterator[Path]:
    # Not pytest's own folder: another user cannot enter it.
    folder = Path(tempfile.mkdtemp(prefix="daybook-clone-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        subprocess.run(["make", "clean"], cwd=folder / "daybook", capture_output=True, check=False)
        shutil.rmtree(folder)
