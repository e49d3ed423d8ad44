"""What a process of processes/components.py does: steps of a day, one after another, as the scheduler would start
them."""

import contextlib
import os
import re
import resource
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg

from daybook import steps
from daybook.ledger import fingerprint
from daybook.ledger.receipt import STEPS
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step
from daybook.run.several_days import over_days
from daybook.spec import Pipeline

from .faults import Faults
from .servers import Servers

# Cached here, before the fork: else each process reads all of the code to fingerprint it.
for name in fingerprint.READS:
    fingerprint.code_of(name)


@dataclass(frozen=True)
class Job:
    """Steps of one run on one day, from the first to the last, with a fault in them.

    others: further days of the run; each step then goes over all of them, as a task of a batch does. at, how: the
    fault, as Faults takes it. within: the folder of the data folder whose files count for it. warehouse: the
    warehouse's connection string, where it is not that of the servers. more_memory_bytes, more_files: how much more
    than at its start the process may take of each.
    """

    servers: Servers
    pipeline: Pipeline
    day: str
    run: str
    first: str = STEPS[0]
    last: str = STEPS[-1]
    others: tuple[str, ...] = ()
    at: int | str = 0
    how: str = "kill"
    within: str = ""
    warehouse: str | None = None
    more_memory_bytes: int | None = None
    more_files: int | None = None


def do(job: Job, told: Connection) -> None:
    """Do a job; tell the names of the operations that passed, and the error that ended it, if one did."""
    faults = Faults(str(job.servers.data / job.within), job.at, job.how)
    faults.install()
    error = ""
    try:
        run(job, faults)
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    with contextlib.suppress(BrokenPipeError):
        told.send({"error": error, "operations": faults.done})


def limit(job: Job) -> None:
    """Limit this process as the job says."""
    if job.more_memory_bytes is not None:
        # What it has written to or may write to; what is only reserved does not count (getrlimit(2)).
        held_kib = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
        assert held_kib
        most = int(held_kib[1]) * 1024 + job.more_memory_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    if job.more_files is not None:
        # The next one gets the lowest number that is free.
        lowest = os.open("/dev/null", os.O_RDONLY)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + job.more_files, lowest + job.more_files))


def run(job: Job, faults: Faults) -> None:
    """Do the steps of a job, here."""
    connect = partial(_connect, job=job, faults=faults)
    works = [job.servers.work(job.pipeline, day, job.run) for day in (job.day, *job.others)]
    works = [replace(work, postgres=connect) for work in works]
    limit(job)
    if job.others:
        do_tasks(works, job.first, job.last)
    else:
        do_steps(works[0], job.first, job.last)


def do_tasks(works: list[DayRun], first: str = STEPS[0], last: str = STEPS[-1]) -> None:
    """Do steps of several days' work, from the first to the last, each of all days before the next step."""
    for step in STEPS[STEPS.index(first) : STEPS.index(last) + 1]:
        over_days(getattr(steps, step), works, is_last_try=False)


def do_steps(work: DayRun, first: str = STEPS[0], last: str = STEPS[-1]) -> None:
    """Do steps of a work, from the first to the last."""
    for step in STEPS[STEPS.index(first) : STEPS.index(last) + 1]:
        run_step(getattr(steps, step), work)


def _connect(connection: str, job: Job, faults: Faults) -> psycopg.Connection[Any]:
    dsn = job.servers.dsn_of(connection)
    if connection == "warehouse" and job.warehouse:
        dsn = job.warehouse
    return faults.connection().connect(dsn)
