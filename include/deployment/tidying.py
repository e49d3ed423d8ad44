"""`./daybook down` and `./daybook clean`: stop a checkout's deployment, and remove its files."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

from daybook_airflow.waiting import wait_until
from deployment.errors import DeploymentError
from deployment.home import REPOSITORY, Home, Lock
from deployment.processes.components import stop_all
from deployment.servers.postgres import LocalPostgres

STOP_SECONDS = 90


def down(home: Home) -> str:
    """Stop the deployment that runs in a home, or the processes that a killed one left; return a sentence about it."""
    if not home.path.exists():
        return f"Nothing runs: there is no {home.path}."
    lock = Lock(home)
    holder = lock.holder() if lock.is_taken() else None
    if holder:
        _end(home, lock, holder)
    lock.take("./daybook down")
    left = stop_all(home)
    LocalPostgres(home).stop()
    lock.release()
    if holder:
        return f"Stopped {holder['command']} (process {holder['pid']}) and all that it had started."
    return f"Stopped what a killed run had left: {', '.join(left)}." if left else "Nothing was running."


def clean(home: Home, data: str) -> str:
    """Remove a home and the published files; return a sentence about it. Refuses while a deployment runs there.

    data: the URL of the data folder. Only the checkout's own is removed: another may hold other people's files.
    """
    if home.path.exists():
        _remove_home(home)
    own = Path(data.removeprefix("file://"))
    if own != REPOSITORY / "data":
        return f"Removed {home.path}. What was published is left in {data}."
    shutil.rmtree(own, ignore_errors=True)
    return f"Removed {home.path} and {own}."


def _end(home: Home, lock: Lock, holder: dict[str, str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(holder["pid"]), signal.SIGTERM)
    if not wait_until(lambda: not lock.is_taken(), STOP_SECONDS):
        raise DeploymentError(
            f"{holder['command']} (process {holder['pid']}) has not ended {STOP_SECONDS} s after SIGTERM; its logs"
            f" are in {home.logs}. Once it is killed (kill -9 {holder['pid']}), its watcher stops the rest."
        )


def _remove_home(home: Home) -> None:
    lock = Lock(home)
    lock.take("./daybook clean")
    stop_all(home)
    LocalPostgres(home).remove()
    shutil.rmtree(home.path)
    lock.release()
