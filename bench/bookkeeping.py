"""Many days kept: how long the verbs, the run's tab and the cleanup take, and what a day leaves behind.

    .venv/bin/python bench/bookkeeping.py                                10 years of 100 pipelines, some 10 minutes
    .venv/bin/python bench/bookkeeping.py --pipelines 3 --years 1        a small trial

It runs one day of the shipped pipeline for real, and makes all others from it (tests/support/many_days.py). It prints
seconds for 30 days and for all days of one pipeline among the others, and the bytes, files and rows that a day leaves.
"""

import argparse
import contextlib
import io
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "include"), str(REPOSITORY / "config")]

import psycopg  # noqa: E402 - the path is set above
from psycopg import sql  # noqa: E402 - the path is set above

from deployment.environment import connections  # noqa: E402 - the path is set above
from deployment.home import Home  # noqa: E402 - the path is set above
from deployment.servers.databases import make_databases  # noqa: E402 - the path is set above
from deployment.servers.flights import fill_tables, write_days  # noqa: E402 - the path is set above
from deployment.servers.ftp import LocalFtp  # noqa: E402 - the path is set above
from deployment.servers.postgres import LocalPostgres  # noqa: E402 - the path is set above
from tests.support.many_days import Model, copies, fill_folder, fill_ledger  # noqa: E402 - the path is set above

LAST = date(2013, 12, 31)
FEW = 30
LEDGER = ("run", "published", "ledger", "step", "saved_summary")


class Place(NamedTuple):
    """The servers and the data folder of the bench."""

    postgres: LocalPostgres
    ftp_root: Path
    data: Path


def main() -> None:
    """Run the bench in a folder of its own, and print the table."""
    asked = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder, _place(Path(folder)) as place:
        Path(folder).chmod(0o755)
        _spec(Path(folder), asked.years)
        fill(place, asked.pipelines, asked.years)
        print(f"{asked.pipelines} pipelines x {asked.years} years; {os.cpu_count()} processors", flush=True)
        measure(asked.years)
        kept(place)


def fill(place: Place, pipelines: int, years: int) -> None:
    """Run the last day for real, and make all others from it."""
    from daybook.ledger.receipt import STEPS
    from daybook.pipelines import load_pipelines

    pipeline = load_pipelines().good["flights"]
    model = Model(pipeline, LAST)
    days = [LAST - timedelta(days=number) for number in range(1, _days(years))]
    work = _work(pipeline, LAST)
    for step in STEPS:
        _do(work, step)
    delivered = place.ftp_root / "flights"
    for day in days:
        file = delivered / f"flights_{day}.csv"
        file.unlink(missing_ok=True)
        os.link(delivered / f"flights_{LAST}.csv", file)
    names = ["flights", *(f"pipeline_{number:03}" for number in range(1, pipelines))]
    with psycopg.connect(place.postgres.dsn("warehouse"), autocommit=True) as session:
        session.execute("set search_path = daybook")
        (run_id,) = session.execute("select max(run_id) from run").fetchone() or (0,)
        made = copies(names, days, run_id)
        began = time.monotonic()
        for first in range(0, len(made), 10_000):
            fill_ledger(session, model, made[first : first + 10_000])
        session.execute("vacuum analyze")
        print(f"{len(made):,} days in the ledger after {time.monotonic() - began:.0f} s", flush=True)
    fill_folder(place.data, model, run_id, [one for one in made if one.pipeline == "flights"])
    print(f"{len(days):,} days in the folder", flush=True)


def measure(years: int) -> None:
    """Print the seconds of each verb and page for 30 days and for all days."""
    from commands import connections as opened
    from commands.metrics import metrics
    from commands.plan import plan
    from commands.status import status
    from commands.why import why
    from daybook.ledger.known_day import known_day
    from daybook.pages.day_page import day_page
    from daybook.pages.day_view import day_view
    from daybook.pages.run_state import days_of
    from daybook.pipelines import load_pipelines
    from daybook.postgres.session import at_once
    from daybook.publish.cleanup import Deployed, clean_up

    pipeline, data = load_pipelines().good["flights"], opened.data()
    first, few = LAST - timedelta(days=_days(years) - 1), LAST - timedelta(days=FEW - 1)
    connect = opened.postgres

    def tab(day: date) -> None:
        (found,) = days_of(data, pipeline, f"scheduled__{day}")
        page(found, f"scheduled__{day}")

    def page(day: date, run: str | None = None) -> None:
        known = at_once(lambda: connect("warehouse"), lambda session: known_day(session, "flights", day, run))
        day_page(day_view(data, pipeline, day, known, run=run))

    _tell("plan", lambda: plan(few, LAST), lambda: plan(first, LAST))
    _tell("status", None, lambda: status())
    _tell("metrics", None, lambda: metrics())
    _tell("why", lambda: why(LAST), lambda: why(first))
    _tell("run's tab", lambda: tab(LAST), lambda: tab(first))
    _tell("Day page", lambda: page(LAST), lambda: page(first))
    deployed = Deployed(pipeline, first, f"scheduled__{first}", 10**9)
    _tell("cleanup", None, lambda: clean_up(deployed, data, lambda: connect("warehouse")))


def kept(place: Place) -> None:
    """Print what one day leaves: bytes and files in the data folder, bytes and rows in the ledger."""
    folder = place.data
    for kind in ("days", "published"):
        path = folder / kind / "flights" / ("" if kind == "days" else ".runs") / str(LAST)
        files = [file for file in path.rglob("*") if file.is_file()]
        print(f"  {kind}: {len(files)} files, {sum(file.stat().st_size for file in files):,} bytes a day")
    with psycopg.connect(place.postgres.dsn("warehouse")) as session:
        (days,) = session.execute("select count(*) from daybook.published").fetchone() or (1,)
        for table in LEDGER:
            name = sql.Identifier("daybook", table)
            query = sql.SQL("select count(*), pg_total_relation_size({}) from {}")
            asked = query.format(sql.Literal(name.as_string(session)), name)
            rows, size = session.execute(asked).fetchone() or (0, 0)
            print(f"  ledger, {table}: {rows / days:.1f} rows, {size / days:,.0f} bytes a day")


def _tell(what: str, few: Callable[[], object] | None, every: Callable[[], object]) -> None:
    seconds = [_seconds(do) if do else " " * 34 for do in (few, every)]
    print(f"  {what:10}{FEW} days {seconds[0]}    all days {seconds[1]}", flush=True)


def _seconds(do: Callable[[], object]) -> str:
    """Return the seconds that work takes, and those of this process's processor, which others do not slow down."""
    began, own = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        do()
    return f"{time.monotonic() - began:6.2f} s ({time.process_time() - own:6.2f} s of its own)"


def _days(years: int) -> int:
    return round(years * 365.25)


def _work(pipeline: Any, day: date) -> Any:
    from commands import connections as opened
    from daybook.run.day_run import DayRun

    return DayRun(pipeline, day, f"scheduled__{day}", opened.data(), opened.postgres, opened.files)


def _do(work: Any, step: str) -> None:
    from daybook import steps
    from daybook.run.step_run import run_step

    run_step(getattr(steps, step), work)


def _spec(folder: Path, years: int) -> None:
    """Let the shipped pipeline be of more years, in a package of its own that is found first."""
    shutil.copytree(REPOSITORY / "include" / "pipelines", folder / "specs" / "pipelines")
    module = folder / "specs" / "pipelines" / "flights.py"
    first = LAST - timedelta(days=_days(years) - 1)
    start = f"date({first.year}, {first.month}, {first.day})"
    module.write_text(module.read_text().replace("start=date(2013, 1, 1)", f"start={start}"))
    sys.path.insert(0, str(folder / "specs"))


@contextlib.contextmanager
def _place(folder: Path) -> Iterator[Place]:
    folder.chmod(0o755)
    home = Home(folder / "home")
    postgres = LocalPostgres(home)
    postgres.start()
    ftp = LocalFtp.of(home)
    server = subprocess.Popen(  # noqa: S603 - our own program
        ftp.command, env=ftp.environment, stderr=subprocess.DEVNULL
    )
    try:
        make_databases(postgres)
        fill_tables(postgres.dsn("source", "source_owner"))
        write_days(ftp.root / "flights", folder / "mark")
        os.environ.update(connections(postgres, ftp), DAYBOOK_DATA=f"file://{folder / 'data'}")
        yield Place(postgres, ftp.root, folder / "data")
    finally:
        server.terminate()
        server.wait()
        postgres.remove()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Many days kept.")
    parser.add_argument("--pipelines", type=int, default=100, help="pipelines in the ledger")
    parser.add_argument("--years", type=float, default=10, help="years of each")
    return parser


if __name__ == "__main__":
    logging.disable(logging.INFO)
    main()
