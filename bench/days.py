"""Many days through the scheduler: again with nothing changed, beside operators that do nothing, and in batches.

    .venv/bin/python bench/days.py                                    all three, some 20 minutes on two processors
    .venv/bin/python bench/days.py --days 6 --beside 4 --year 12      a small trial

Prints three ratios from one run on one warm deployment: a second backfill, with nothing changed, to the first; days of
nine tasks to nine empty PythonOperators a day, started in the same way; days per second in batches to those with one
run a day, each doing all the work.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "include"), str(REPOSITORY / "config")]

from day import EMPTY  # noqa: E402 - the path is set above
from rich.console import Console  # noqa: E402 - the path is set above

from commands.planned_backfill import backfill  # noqa: E402 - the path is set above
from daybook.pipelines import load_pipelines  # noqa: E402 - the path is set above
from daybook_airflow.asked_runs import in_batches  # noqa: E402 - the path is set above
from deployment.control.runs import follow, start  # noqa: E402 - the path is set above
from deployment.environment import connections  # noqa: E402 - the path is set above
from deployment.supervisor import Deployment  # noqa: E402 - the path is set above

FLIGHTS = load_pipelines().good["flights"]
FIRST = date(2013, 1, 1)
QUIET = Console(quiet=True)


def main() -> None:
    """Run the bench in a folder of its own, and print the ratios."""
    asked = _parser().parse_args()
    # Without bytecode each task would compile the DAG file, the plugins and the pipelines.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        dags = Path(folder) / "dags"
        shutil.copytree(REPOSITORY / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
        as_many = f'"empty", max_active_runs={FLIGHTS.max_active_runs}, '
        (dags / "empty.py").write_text(EMPTY.replace('"empty", ', as_many))
        with Deployment(home=Path(folder) / "home", data=Path(folder) / "data", dags_folder=dags) as deployment:
            os.environ.update(connections(deployment.postgres, deployment.ftp), DAYBOOK_DATA=deployment.data)
            warm(deployment)
            measure(deployment, asked)


def warm(deployment: Deployment) -> None:
    """Load the workers by one run of each DAG."""
    for dag in ("flights", "empty"):
        deployment.api.wait_for_dag(dag)
        deployment.api.unpause(dag)
    run(deployment, "flights", [date(2013, 12, 31)], 1)
    run(deployment, "empty", [FIRST], 1)


def measure(deployment: Deployment, asked: argparse.Namespace) -> None:
    """Measure and print, part by part: a reader sees the first while the last still runs."""
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before")
    first = seconds(lambda: publish(deployment, asked.days))
    again = seconds(lambda: publish(deployment, asked.days))
    print(f"{asked.days} days: {first:.1f} s first, {again:.2f} s again: ratio 1/{first / again:.0f}", flush=True)
    ours, empty = in_turn(deployment, asked.beside)
    print(f"{asked.beside} days: {ours:.1f} s flights, {empty:.1f} s nothing: ratio {ours / empty:.2f}", flush=True)
    year = seconds(lambda: run(deployment, "flights", days_from(FIRST, asked.year), asked.batch))
    one_by_one, in_batch = asked.beside / ours, asked.year / year
    print(
        f"{asked.year} days by {asked.batch}: {in_batch:.2f} days/s, one run a day: {one_by_one:.2f} days/s: "
        f"ratio {in_batch / one_by_one:.1f}"
    )


def in_turn(deployment: Deployment, count: int) -> tuple[float, float]:
    """Return the seconds of so many days of flights, and of as many that do nothing: a third of them at a time, in
    turn.

    If the machine gets slower meanwhile, as some do by a fifth, it slows both.
    """
    took = {"flights": 0.0, "empty": 0.0}
    days = days_from(FIRST, count)
    for part in (days[third::3] for third in range(min(3, count))):
        for dag in took:
            took[dag] += seconds(partial(run, deployment, dag, part, 1))
    return took["flights"], took["empty"]


def publish(deployment: Deployment, count: int) -> None:
    """Backfill the first days of the year as `./daybook backfill` does; all of them are published afterwards."""
    done = backfill(deployment.api, FLIGHTS, days_from(FIRST, count), QUIET)
    assert all(day.is_well for day in done), [day for day in done if not day.is_well]


def run(deployment: Deployment, dag: str, days: list[date], batch: int) -> None:
    """Run days of a DAG, doing all the work, and wait for their end."""
    batches = in_batches(days, batch)
    started = start(deployment.api, dag, batches, time_zone=FLIGHTS.schedule.time_zone, is_forced=True)
    states = follow(deployment.api, dag, started, QUIET)
    assert set(states.values()) == {"success"}, states


def seconds(do: Callable[[], None]) -> float:
    """Return the wall seconds that a function takes."""
    began = time.monotonic()
    do()
    return time.monotonic() - began


def days_from(first: date, count: int) -> list[date]:
    """Return so many days, the newest first."""
    return [first + timedelta(days=number) for number in reversed(range(count))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Many days through the scheduler.")
    parser.add_argument("--days", type=int, default=90, help="days that are backfilled twice")
    parser.add_argument("--beside", type=int, default=30, help="days beside operators that do nothing")
    parser.add_argument("--year", type=int, default=365, help="days in batches")
    parser.add_argument("--batch", type=int, default=30, help="days in a batch")
    return parser


if __name__ == "__main__":
    main()
