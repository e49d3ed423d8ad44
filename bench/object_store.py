"""A day whose folder is in an object store, beside the same day in a folder on the disk: seconds, requests, a ratio.

    .venv/bin/python bench/object_store.py                  moto's server, in a process of its own, on 127.0.0.1
    .venv/bin/python bench/object_store.py --delay-ms 20    and each request takes 20 ms more, as over a network

Both days are run in turn, each under a name of its own, and the best of each counts. The servers of the source and of
the files are real, and the same for both.
"""

import argparse
import logging
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "include"), str(REPOSITORY / "config")]

from daybook.storage.data_folder import DataFolder  # noqa: E402 - the path is set above
from daybook.transports.data_place import data_at  # noqa: E402 - the path is set above
from deployment.environment import connections  # noqa: E402 - the path is set above
from deployment.home import Home  # noqa: E402 - the path is set above
from deployment.servers.databases import make_databases  # noqa: E402 - the path is set above
from deployment.servers.flights import fill_tables, write_days  # noqa: E402 - the path is set above
from deployment.servers.ftp import LocalFtp  # noqa: E402 - the path is set above
from deployment.servers.postgres import LocalPostgres  # noqa: E402 - the path is set above

DAY = date(2013, 1, 5)
TIMES = 5


def main() -> None:
    """Run the days, and print a line for each kind of place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--delay-ms", type=float, default=0, help="how much longer each request takes")
    delay_s = parser.parse_args().delay_ms / 1000
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder, _servers(Path(folder)), _store(delay_s) as (words, requests):
        Path(folder).chmod(0o755)
        in_store = data_at("s3://files@daybook/data", {"files": words}.__getitem__)
        places = {"disk": DataFolder(Path(folder) / "data"), "store": in_store}
        _day("warm", places["disk"])
        taken: dict[str, list[float]] = {name: [] for name in places}
        for number in range(TIMES):
            for name, place in places.items():
                taken[name].append(_day(f"{name}_{number}", place))
        requests.send("")
        best = {name: min(seconds) for name, seconds in taken.items()}
        print(f"a folder on the disk    {best['disk']:.2f} s a day")
        print(f"an object store         {best['store']:.2f} s a day, {requests.recv() / TIMES:.0f} requests for files")
        print(f"the store takes {best['store'] / best['disk']:.1f} times as long")


def _day(name: str, data: DataFolder) -> float:
    from commands import connections as by_id
    from daybook import steps
    from daybook.ledger.receipt import STEPS
    from daybook.pipelines import load_pipelines
    from daybook.run.day_run import DayRun
    from daybook.run.run_step import run_step

    flights = load_pipelines().good["flights"]
    pipeline = flights.model_copy(update={"name": name, "target": flights.target.model_copy(update={"schema_": name})})
    begun = time.perf_counter()
    day_run = DayRun(pipeline, DAY, "bench", data, by_id.postgres, by_id.files)
    for step in STEPS:
        run_step(getattr(steps, step), day_run)
    return time.perf_counter() - begun


@contextmanager
def _servers(folder: Path) -> Iterator[None]:
    home = Home(folder / "home")
    home.make()
    postgres, ftp = LocalPostgres(home), LocalFtp.of(home)
    postgres.start()
    server = subprocess.Popen(  # noqa: S603 - our own program
        ftp.command, env=ftp.environment, stderr=subprocess.DEVNULL
    )
    try:
        make_databases(postgres)
        fill_tables(postgres.dsn("source", "source_owner"))
        write_days(ftp.root / "flights", folder / "mark")
        os.environ.update(connections(postgres, ftp))
        yield
    finally:
        server.terminate()
        server.wait()
        postgres.remove()


@contextmanager
def _store(delay_s: float) -> Iterator[tuple[dict[str, Any], Connection]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, delay_s))
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        ours.send("")
        process.join()


def _serve(told: Connection, delay_s: float) -> None:
    from tests.support.object_store import ObjectStore

    with ObjectStore("daybook") as store:
        store.empty()
        store.arrives = lambda _: time.sleep(delay_s)
        told.send(store.words)
        told.recv()
        told.send(len(store.asked))
        told.recv()


if __name__ == "__main__":
    main()
