"""Many pipelines at once on one deployment: is every day right, how long do tasks wait, and how much memory is taken?

    .venv/bin/python bench/stack.py                                20 pipelines x 30 days, a run a day, some 25 minutes
    .venv/bin/python bench/stack.py --pipelines 3 --days 3         a small trial
    .venv/bin/python bench/stack.py --batch 30                     the same days, 30 to a run

The pipelines are copies of the shipped one, each with a name and schemas of its own; all runs are asked for at once.
Prints tasks a second, how long a task waited between being queued and being begun, the time from asking to the last
published day, and the memory of all processes of the deployment. Each published day is compared with its file.
"""

import argparse
import csv
import os
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "include"), str(REPOSITORY / "config")]

import psycopg  # noqa: E402 - the path is set above
from psycopg import sql  # noqa: E402 - the path is set above

from deployment.supervisor import Deployment  # noqa: E402 - the path is set above

FIRST = date(2013, 1, 1)
LOOK_SECONDS = 2.0


class Load(NamedTuple):
    """What the deployment went through: seconds to the last day, each task's seconds in the queue, the peak memory."""

    seconds: float
    waited: list[float]
    peak_mib: float


def main() -> None:
    """Run the bench in a folder of its own, and print the table."""
    asked = _parser().parse_args()
    names = [f"flights_{number:02}" for number in range(1, asked.pipelines + 1)]
    days = [FIRST + timedelta(days=number) for number in range(asked.days)]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        searched = (_specs(Path(folder), names), REPOSITORY / "include", REPOSITORY / "config")
        path = os.pathsep.join(map(str, searched))
        with Deployment(
            home=Path(folder) / "home", data=Path(folder) / "data", extra_environment={"PYTHONPATH": path}
        ) as deployment:
            load = carried(deployment, names, days, asked.batch)
            wrong = wrong_days(deployment, names, days)
    _print(asked, load, wrong)


def carried(deployment: Deployment, names: list[str], days: list[date], batch: int) -> Load:
    """Ask for all days of all pipelines, and wait until the runs are over."""
    for name in names:
        deployment.api.wait_for_dag(name, seconds=300)
        deployment.api.unpause(name)
    memory = Memory(os.getpid())
    began = time.monotonic()
    for first in range(0, len(days), batch):
        asked = [str(day) for day in days[first : first + batch]]
        for name in names:
            deployment.api.trigger(name, conf={"day": asked[0]} if batch == 1 else {"days": asked})
    with memory:
        while any(deployment.api.dag_runs(name, state=state) for name in names for state in ("queued", "running")):
            deployment.keep_up()
            time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - began
    tasks = [task for name in names for task in deployment.api.task_instances(name)]
    return Load(seconds, [_waited(task) for task in tasks], memory.peak_mib)


def wrong_days(deployment: Deployment, names: list[str], days: list[date]) -> list[str]:
    """Return the days of which readers do not see as many flights as the delivered file has lines below its header."""
    delivered = {day: _lines(deployment.ftp.root / "flights" / f"flights_{day}.csv") for day in days}
    found = []
    with psycopg.connect(deployment.postgres.dsn("warehouse", "analyst")) as session:
        for name in names:
            query = sql.SQL("select day, flights from {}").format(sql.Identifier(name, "by_day"))
            seen: dict[date, int] = dict(session.execute(query).fetchall())
            found += [f"{name} {day}" for day in days if seen.get(day) != delivered[day]]
    return found


class Memory:
    """Looks at the memory of all processes below one, while a block runs; what they share is counted once."""

    def __init__(self, pid: int) -> None:
        self.peak_mib = 0.0
        self._pid = pid
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            self.peak_mib = max(self.peak_mib, sum(map(_shared_mib, _below(self._pid))))


def _below(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(words[1]), []).append(int(status.parent.name))
    found, new = [], [pid]
    while new:
        new = [child for parent in new for child in parents.get(parent, [])]
        found += new
    return found


def _shared_mib(pid: int) -> float:
    """Return a process's memory, with its part of what it shares with others (Pss of /proc/PID/smaps_rollup)."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    size = re.search(r"(?m)^Pss:\s+(\d+) kB", told)
    return int(size[1]) / 1024 if size else 0.0


def _waited(task: dict[str, Any]) -> float:
    begun, queued = (datetime.fromisoformat(task[word]) for word in ("start_date", "queued_when"))
    return (begun - queued).total_seconds()


def _lines(file: Path) -> int:
    with file.open(newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1


def _specs(folder: Path, names: list[str]) -> Path:
    """Write a package of pipelines that is found before the shipped one; return where it is."""
    package = folder / "specs" / "pipelines"
    shutil.copytree(REPOSITORY / "include" / "pipelines", package, ignore=shutil.ignore_patterns("__pycache__"))
    shipped = (package / "flights.py").read_text()
    for name in names:
        own = shipped.replace('Pipeline(\n    name="flights"', f'Pipeline(\n    name="{name}"')
        (package / f"{name}.py").write_text(own.replace('schema="flights"', f'schema="{name}"'))
    (package / "flights.py").unlink()
    return folder / "specs"


def _print(asked: argparse.Namespace, load: Load, wrong: list[str]) -> None:
    count = asked.pipelines * asked.days
    tasks = len(load.waited)
    cut = statistics.quantiles(load.waited, n=100)
    print(f"{asked.pipelines} pipelines x {asked.days} days, {asked.batch} to a run; {os.cpu_count()} processors")
    print(f"  days whose rows are not those of their file   {len(wrong)} of {count}  {', '.join(wrong[:5])}")
    print(f"  from asking to the last day                   {load.seconds:,.0f} s")
    print(f"  days a second, tasks a second                 {count / load.seconds:.2f}, {tasks / load.seconds:.2f}")
    print(f"  a task waits in the queue: half, 99 of 100    {cut[49]:.1f} s, {cut[98]:.1f} s")
    print(f"  peak memory of all processes                  {load.peak_mib:,.0f} MiB")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipelines", type=int, default=20)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--batch", type=int, default=1, help="days to a run")
    return parser


if __name__ == "__main__":
    main()
