"""Airflow's own history: old rows of its database by `airflow db clean`, and the logs of tasks by their age.

Both are for the machine of the scheduler: Airflow lets no task touch its database.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deployment.environment import PROGRAMS
from deployment.errors import DeploymentError
from deployment.home import REPOSITORY

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
LOGS = "AIRFLOW__LOGGING__BASE_LOG_FOLDER"
CLEAN_SECONDS = 1800.0
SHOWN_LINES = 3
FOUND = re.compile(r"Checking table (\w+)\s+Found (\d+) rows")


def clean_history(settings: Mapping[str, str], days: int, *, is_dry: bool) -> dict[str, int]:
    """Remove, or only count, the rows of Airflow's database that are older than so many days; return how many by table.

    settings: the environment of Airflow's processes. Raises DeploymentError if Airflow's command fails.
    """
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
    command = [str(PROGRAMS / "airflow"), "db", "clean", "--clean-before-timestamp", before]
    done = subprocess.run(  # noqa: S603 - our own words
        [*command, "--skip-archive", "--error-on-cleanup-failure", "--dry-run" if is_dry else "--yes"],
        env={**os.environ, **settings, "COLUMNS": "200"},
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CLEAN_SECONDS,
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.strip().splitlines()[-SHOWN_LINES:])
        raise DeploymentError(f"`airflow db clean` failed: {said}; nothing is known to be removed; mend what it says.")
    counts = {table: int(rows) for table, rows in FOUND.findall(done.stdout)}
    return {table: rows for table, rows in counts.items() if rows}


def old_logs(folder: Path, days: int) -> Iterator[Path]:
    """Return the log files below a folder that nobody has written to for so many days, by their paths."""
    oldest = time.time() - days * 86_400
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_mtime < oldest:
            yield path


def remove_log(path: Path, below: Path) -> None:
    """Remove a log file, and the folders above it, up to `below`, that are empty then."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == below or any(folder.iterdir()):
            return
        folder.rmdir()
