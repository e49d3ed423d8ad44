"""Steps in processes of their own, that a test may kill, stop and continue by their pid."""

import multiprocessing
import os
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from types import TracebackType
from typing import Any, Self

from .runner import Job, do

PRELOADED = ["pandas", "polars", "pyarrow.csv", "pyarrow.parquet", "psycopg", "upath", "tests.support.runner"]
SECONDS = 60


@dataclass
class Started:
    """A process that runs steps: `end()` gives what it told last."""

    process: ForkServerProcess
    told: Connection
    heard: list[dict[str, Any]] = field(default_factory=list)

    def end(self, seconds: float = SECONDS) -> dict[str, Any]:
        """Wait for its end; give {"error": …, "operations": […]} as far as it came to tell, and its exit code."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"process {self.process.pid} has not ended within {seconds} s"
        while self.told.poll():
            try:
                self.heard.append(self.told.recv())
            except EOFError:
                break
        return (self.heard[-1] if self.heard else {}) | {"exit": self.process.exitcode}

    def wait_until_stopped(self) -> None:
        """Wait until the process has stopped itself."""
        until = time.monotonic() + SECONDS
        while self._state() != "T":
            assert time.monotonic() < until, f"process {self.process.pid} has not stopped but is {self._state()}"
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process.pid
        os.kill(self.process.pid, number)

    def _state(self) -> str:
        with open(f"/proc/{self.process.pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]


class Processes:
    """Starts them, by forking a process that has imported everything; ends those that are left."""

    def __enter__(self) -> Self:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._started: list[Started] = []
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        for started in self._started:
            if started.process.is_alive():
                started.process.kill()

    def start(self, job: Job) -> Started:
        """Start a process on a job."""
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=do, args=(job, theirs), daemon=True)
        process.start()
        theirs.close()
        self._started.append(Started(process, ours))
        return self._started[-1]
