"""The state folder of one checkout, the ports that it keeps, and the lock that lets only one deployment run in it."""

import fcntl
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from daybook_airflow.waiting import wait_until
from deployment.errors import DeploymentError

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# The lock's holder that stops the processes of a killed deployment, and the most seconds that it takes.
WATCHER = "The watcher of a killed run"
WATCHER_SECONDS = 60


@dataclass(frozen=True)
class Home:
    """The state folder of a checkout, `.daybook/` or the one that DAYBOOK_HOME names; all of it can be made again."""

    path: Path

    @classmethod
    def of_checkout(cls) -> "Home":
        """Return this checkout's own folder, or the one that DAYBOOK_HOME names."""
        return cls(Path(os.environ.get("DAYBOOK_HOME") or REPOSITORY / ".daybook").absolute())

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.path / "airflow"

    @property
    def ftp_root(self) -> Path:
        """The folder that the FTP server shows as `/`."""
        return self.path / "ftp"

    @property
    def logs(self) -> Path:
        """One file for each component; Airflow's task logs are below it."""
        return self.path / "logs"

    @property
    def shell_file(self) -> Path:
        """The variables by which another terminal uses this deployment: `. .daybook/env`."""
        return self.path / "env"

    def make(self) -> None:
        """Make the folders. Only their owner may look into them, because they hold passwords."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        hide_from_git(self.path)
        for folder in (self.airflow, self.ftp_root, self.logs, self.path / "processes"):
            folder.mkdir(exist_ok=True, mode=0o700)

    def port(self, name: str) -> int:
        """Return the port that `name` had before, or a free one if that is taken, and keep it for the next start."""
        kept = self._kept_ports()
        if not is_free(kept.get(name, 0)):
            kept[name] = free_port()
            write_private(self.path / "ports.json", json.dumps(kept))
        return kept[name]

    def keep_port(self, name: str, port: int) -> None:
        """Remember the port of `name`."""
        write_private(self.path / "ports.json", json.dumps(self._kept_ports() | {name: port}))

    def kept_port(self, name: str) -> int:
        """Return the port that `name` has or had last; 0 if it never had one."""
        return self._kept_ports().get(name, 0)

    def _kept_ports(self) -> dict[str, int]:
        file = self.path / "ports.json"
        return json.loads(file.read_text()) if file.exists() else {}


class Lock:
    """The lock of the one process that runs a deployment in a home; the kernel releases it however the process ends."""

    def __init__(self, home: Home) -> None:
        """Name the lock of a home; nothing is taken yet."""
        self._file = home.path / "lock"
        self._held: IO[str] | None = None

    def take(self, command: str) -> None:
        """Take the lock, or raise DeploymentError that names its holder. Waits for a watcher that tidies up."""
        if not wait_until(lambda: self.try_to_take(command), WATCHER_SECONDS, check=self._check_it_tidies):
            self._refuse()

    def try_to_take(self, command: str) -> bool:
        """Take the lock if it is free; return whether it was."""
        handle = self._file.open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        handle.truncate(0)
        handle.write(json.dumps({"pid": os.getpid(), "command": command}))
        handle.flush()
        self._held = handle
        return True

    def _check_it_tidies(self) -> None:
        if self.holder()["command"] != WATCHER:
            self._refuse()

    def _refuse(self) -> NoReturn:
        holder = self.holder()
        raise DeploymentError(
            f"{holder['command']} is running already in {self._file.parent} (process {holder['pid']});"
            " nothing was done. Stop it with Ctrl-C in its terminal, or with `./daybook down`."
        )

    def is_taken(self) -> bool:
        """Return whether a process holds the lock now."""
        if not self._file.exists():
            return False
        with self._file.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def holder(self) -> dict[str, str]:
        """Return the holder's `pid` and `command`, as far as it has written them."""
        text = self._file.read_text() or "{}"
        return {"pid": "?", "command": "a deployment"} | {key: str(value) for key, value in json.loads(text).items()}

    def release(self) -> None:
        """Release the lock."""
        if self._held:
            self._held.close()
            self._held = None


def hide_from_git(folder: Path) -> None:
    """Let git ignore a folder that is still empty, wherever it lies; one with files of a person stays as it is."""
    if not any(folder.iterdir()):
        (folder / ".gitignore").write_text("# Passwords and rows: nothing here is for git.\n*\n")


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port of 127.0.0.1 now."""
    if not port:
        return False
    with socket.socket() as probe:
        # A connection that is still in TIME_WAIT does not stop a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def write_private(file: Path, text: str) -> None:
    """Write a file whole or not at all; from its first byte on, only its owner can read it."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    new.replace(file)
