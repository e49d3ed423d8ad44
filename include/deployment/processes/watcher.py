"""Stops a supervisor's processes if the supervisor was killed and could not do so itself.

It waits on a pipe whose other end only the supervisor holds: the kernel closes it however the supervisor ends. If it
ended in order, it wrote so into the pipe before. `python -m deployment.processes.watcher HOME`, with the pipe as its
input.
"""

import os
import sys
from pathlib import Path

from daybook_airflow.waiting import wait_until
from deployment.home import WATCHER, Home, Lock
from deployment.processes.components import stop_all
from deployment.servers.postgres import LocalPostgres

IN_ORDER = b"in order"
# The kernel closes the pipe of an ended process, and releases its lock a moment before or after.
LOCK_SECONDS = 10


def watch(home: Home) -> None:
    """Wait for the supervisor's end, then stop what it left, unless a new one has taken the home over."""
    supervisor = str(os.getppid())
    if sys.stdin.buffer.read() == IN_ORDER or not home.path.exists():
        return
    lock = Lock(home)
    if _takes_over(lock, supervisor):
        stop_all(home)
        LocalPostgres(home).stop()
        lock.release()


def _takes_over(lock: Lock, supervisor: str) -> bool:
    taken: list[bool] = []

    def is_settled() -> bool:
        taken.append(lock.try_to_take(WATCHER))
        return taken[-1] or lock.holder()["pid"] != supervisor

    wait_until(is_settled, LOCK_SECONDS, every=0.05)
    return taken[-1]


if __name__ == "__main__":
    watch(Home(Path(sys.argv[1])))
