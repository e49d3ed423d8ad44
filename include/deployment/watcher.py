"""Stops what a supervisor started when the supervisor itself was killed and could not.

It waits at a pipe whose other end only the supervisor holds: the kernel closes it however the supervisor ends. Where
that was in order nothing is left to stop. `python -m deployment.watcher HOME`, with the pipe as its input.
"""

import sys
from pathlib import Path

from deployment.home import WATCHER, Home, Lock
from deployment.postgres_server import LocalPostgres
from deployment.processes import stop_all


def watch(home: Home) -> None:
    """Wait for the supervisor's end, then stop what is left of it, unless a new one has taken the home over."""
    sys.stdin.buffer.read()
    lock = Lock(home)
    if home.path.exists() and lock.try_to_take(WATCHER):
        stop_all(home)
        LocalPostgres(home).stop()
        lock.release()


if __name__ == "__main__":
    watch(Home(Path(sys.argv[1])))
