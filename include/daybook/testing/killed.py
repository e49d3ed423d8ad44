"""A run that dies as a task does that the kernel kills: at once, with its work done and its receipt not written."""

import multiprocessing
import os
import signal
import sys
from datetime import date
from typing import Any

from daybook.errors import DaybookError
from daybook.testing.trial import Trial

# Fresh processes, whose libraries are loaded once. A fork of the tests' own would have locks that nobody gives back.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["daybook.testing.warm"])
# Audit events of a file that gets its place (Python's manual, "Audit events table"); the second argument is the path.
PLACED = ("os.rename", "os.link")


def run_until_killed(trial: Trial, day: date, run: str, step: str, why: str) -> None:
    """Run the steps of a day in a process that is killed (SIGKILL) when a step puts its receipt in place.

    Raises RuntimeError if the run was not killed: it failed before, or the step had its receipt already.
    """
    process = CONTEXT.Process(target=_run, args=(trial, day, run, step, why))
    process.start()
    process.join()
    if process.exitcode != -signal.SIGKILL:
        raise RuntimeError(f"{trial.pipeline.name} {day}: the run was not killed in {step}, it ended by itself")


def _run(trial: Trial, day: date, run: str, step: str, why: str) -> None:
    sys.addaudithook(lambda event, arguments: _kill_at(f"/{run}/{step}/receipt.json", event, arguments))
    try:
        trial.run(day, run=run, until=step, why=why)
    except DaybookError as error:
        print(error, file=sys.stderr)


def _kill_at(path: str, event: str, arguments: tuple[Any, ...]) -> None:
    if event in PLACED and os.fsdecode(arguments[1]).endswith(path):
        os.kill(os.getpid(), signal.SIGKILL)
