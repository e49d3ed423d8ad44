"""Processes of a deployment: each in a session of its own, recorded in the home, stopped with all that it started.

Airflow's components fork workers and tasks, and some of these change their process group, but none leaves its session.
So whole sessions are stopped, and a record of the first process is enough to find one again.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from daybook_airflow.waiting import wait_until
from deployment.errors import DeploymentError, with_log
from deployment.home import Home, write_private

# Components of a later stage use those of an earlier one, and are stopped before them.
STAGES = {"ftp": 0, "api-server": 1}
LAST_STAGE = 2
GRACE_SECONDS = 10.0
# For workers whose scheduler has died: a task that is nearly done may finish; the next scheduler repeats the others.
GRACE_SECONDS_OF_ORPHANS = 2.0


@dataclass(frozen=True)
class Record:
    """A session that was started: the pid of its first process, and its start time, as pids are used again."""

    name: str
    pid: int
    started: float


class Component:
    """A program that runs beside the supervisor."""

    def __init__(self, home: Home, name: str, command: list[str | Path], environment: Mapping[str, str]) -> None:
        """Start it. Its output goes to a file in the home's logs; the last run's file is kept beside it."""
        self.name = name
        self._home, self._command, self._environment = home, command, environment
        self._is_finished = False
        self._record = home.path / "processes" / f"{name}.json"
        self._start()

    def start_again(self) -> None:
        """Start it again, after stopping processes that it left behind."""
        if self._record.exists():
            _stop([_read_record(self._record)], GRACE_SECONDS_OF_ORPHANS)
        self._start()

    def _start(self) -> None:
        self.log = _fresh_log(self._home, self.name)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs and arguments
                self._command,
                env=self._environment,
                cwd=self._home.path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _write_record(self._record, self.process.pid)

    def ended_by_itself(self) -> DeploymentError | None:
        """Return an error with its last words if it has ended by itself."""
        if self._is_finished or self.process.poll() is None:
            return None
        return with_log(f"{self.name} ended by itself with exit code {self.process.returncode}.", self.log)

    def check(self) -> None:
        """Raise DeploymentError if it has ended by itself."""
        if error := self.ended_by_itself():
            raise error

    def finish(self, seconds: float) -> None:
        """Wait for its end. Raises DeploymentError if that takes longer, or if it ends with an error."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise with_log(f"{self.name} did not finish within {seconds:.0f} s.", self.log) from None
        self._is_finished = True
        self._record.unlink(missing_ok=True)
        if code:
            raise with_log(f"{self.name} failed with exit code {code}.", self.log)


def stop_all(home: Home, grace_seconds: float = GRACE_SECONDS) -> list[str]:
    """Stop every recorded session of a home that still lives, later stages first; return their names."""
    records = _records(home)
    stopped: list[str] = []
    for stage in range(LAST_STAGE, -1, -1):
        of_stage = [record for record in records if STAGES.get(record.name, LAST_STAGE) == stage]
        stopped += _stop(of_stage, grace_seconds)
        for record in of_stage:
            (home.path / "processes" / f"{record.name}.json").unlink(missing_ok=True)
    return stopped


def living(home: Home) -> list[str]:
    """Return the names of the recorded sessions of a home in which a process lives."""
    return [record.name for record in _records(home) if _members([record])]


def _fresh_log(home: Home, name: str) -> Path:
    log = home.logs / f"{name}.log"
    if log.exists():
        log.replace(log.with_suffix(".before.log"))
    return log


def _write_record(file: Path, pid: int) -> None:
    # A process that has ended already needs no signal.
    with contextlib.suppress(psutil.Error, OSError):
        write_private(file, json.dumps({"pid": pid, "started": _started(pid)}))


def _records(home: Home) -> list[Record]:
    return [_read_record(file) for file in sorted((home.path / "processes").glob("*.json"))]


def _read_record(file: Path) -> Record:
    return Record(name=file.stem, **json.loads(file.read_text()))


def _stop(records: list[Record], grace_seconds: float) -> list[str]:
    """Ask the first processes to end, then all that are left, then kill the rest."""
    alive = [record.name for record in records if _members([record])]
    if not alive:
        return []
    # The scheduler's first process ends its workers after their tasks; a task that gets the signal itself fails.
    _signal([one for one in _members(records) if one.pid in {record.pid for record in records}], signal.SIGTERM)
    if _wait_for_end(records, grace_seconds):
        return alive
    _signal(_members(records), signal.SIGTERM)
    if not _wait_for_end(records, 1):
        _signal(_members(records), signal.SIGKILL)
    if not _wait_for_end(records, grace_seconds):
        left = ", ".join(str(one.pid) for one in _members(records))
        raise DeploymentError(f"Processes {left} of {', '.join(alive)} did not end, even by SIGKILL.")
    return alive


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
            # One that is stopped (SIGSTOP) would not see the signal.
            process.send_signal(signal.SIGCONT)


def _wait_for_end(records: list[Record], seconds: float) -> bool:
    return wait_until(lambda: not _members(records), seconds, every=0.1)


def _members(records: list[Record]) -> list[psutil.Process]:
    """Return the living processes of the recorded sessions.

    The kernel does not reuse the number of an existing session as a pid, so a session that outlived its first process
    is still ours; one whose first process started at another time is not.
    """
    first = {record.pid: record.started for record in records}
    return [process for process in psutil.process_iter() if _belongs(process, first)]


def _belongs(process: psutil.Process, first: dict[int, float]) -> bool:
    try:
        session = os.getsid(process.pid)
        # A zombie has ended already.
        if session not in first or process.status() == psutil.STATUS_ZOMBIE:
            return False
        started = _started(process.pid)
    except (psutil.Error, OSError):
        return False
    return started == first[session] if process.pid == session else started >= first[session]


def _started(pid: int) -> float:
    """Return when a process started: on Linux in clock ticks since boot, so setting the clock does not change it."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return float(psutil.Process(pid).create_time())
    # Field 22, counted from after the command's name, which may contain anything (proc_pid_stat(5)).
    return float(stat.read_text().rpartition(")")[2].split()[19])
