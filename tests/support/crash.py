"""A PostgreSQL that dies as by a power cut: its first process and all others at once."""

import os
import time
from pathlib import Path

from deployment.servers.postgres import LocalPostgres

SECONDS = 30


def kill_server(postgres: LocalPostgres) -> None:
    """Kill postmaster and backends with -9, and wait until they are gone."""
    postmaster = int((postgres.data / "postmaster.pid").read_text().splitlines()[0])
    children = [int(pid) for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
    for pid in (postmaster, *children):
        os.kill(pid, 9)
    until = time.monotonic() + SECONDS
    while any(Path(f"/proc/{pid}").exists() and "Z" not in state(pid) for pid in (postmaster, *children)):
        assert time.monotonic() < until
        time.sleep(0.01)


def state(pid: int) -> str:
    """Return the state of a process; Z for one that is not there any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
