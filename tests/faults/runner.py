"""What a process of processes.py does: steps of a day, one after another, as the scheduler would start them."""

import contextlib
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from daybook import fingerprint, steps
from daybook.receipt import STEPS
from daybook.spec import Pipeline
from daybook.work import Work

from ..steps.conftest import Servers
from .faults import Faults

# Cached here, before the fork: else each process reads all of the code to fingerprint it.
for name in fingerprint.READS:
    fingerprint.code_of(name)


@dataclass(frozen=True)
class Job:
    """Steps of one run on one day, from the first to the last, with a fault in them.

    fault: as Faults takes it. warehouse: the warehouse's connection string, where it is not that of the servers.
    """

    servers: Servers
    pipeline: Pipeline
    day: str
    run: str
    first: str = STEPS[0]
    last: str = STEPS[-1]
    at: int | str = 0
    how: str = "kill"
    warehouse: str | None = None


def do(job: Job, told: Connection) -> None:
    """Do a job; tell the names of the operations that passed, and the error that ended it, if one did."""
    faults = Faults(str(job.servers.data), job.at, job.how)
    faults.install()
    error = ""
    try:
        run(job, faults)
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    with contextlib.suppress(BrokenPipeError):
        told.send({"error": error, "operations": faults.done})


def run(job: Job, faults: Faults) -> None:
    """Do the steps of a job, here."""
    work = job.servers.work(job.pipeline, job.day, job.run)
    do_steps(replace(work, postgres=partial(_connect, job=job, faults=faults)), job.first, job.last)


def do_steps(work: Work, first: str = STEPS[0], last: str = STEPS[-1]) -> None:
    """Do steps of a work, from the first to the last."""
    for step in STEPS[STEPS.index(first) : STEPS.index(last) + 1]:
        getattr(steps, step)(work)


def _connect(connection: str, job: Job, faults: Faults) -> psycopg.Connection[Any]:
    roles = {"source_db": ("source", "source_reader"), "warehouse": ("warehouse", "warehouse_owner")}
    dsn = job.servers.postgres.dsn(*roles[connection])
    if connection == "warehouse" and job.warehouse:
        dsn = job.warehouse
    return faults.connection().connect(dsn)
