"""A summary of a million rows a day: the seconds of `save` and `deploy`, while a reader asks for the day at 50 Hz.

    .venv/bin/python bench/wide.py                     10^6 rows, some two minutes
    .venv/bin/python bench/wide.py --rows 10000        a small trial

The day is published, delivered again with other numbers, and published again. The reader asks for one row of the wide
summary beside the day's total, which belong together: either both are of the first publication, or both of the second.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "include"), str(REPOSITORY / "config")]

from daybook import steps  # noqa: E402 - the path is set above
from daybook.ledger.receipt import STEPS  # noqa: E402 - the path is set above
from daybook.run.run_step import run_step  # noqa: E402 - the path is set above
from daybook.testing import Trial  # noqa: E402 - the path is set above
from deployment.home import Home  # noqa: E402 - the path is set above
from deployment.servers.databases import make_databases  # noqa: E402 - the path is set above
from deployment.servers.postgres import LocalPostgres  # noqa: E402 - the path is set above
from tests.support.polled import polled  # noqa: E402 - the path is set above
from tests.support.wide import DAY, asked, file_of, wide  # noqa: E402 - the path is set above

HZ = 50


def main() -> None:
    """Run the bench in a folder of its own, and print the table."""
    rows = _parser().parse_args().rows
    with tempfile.TemporaryDirectory() as folder, _postgres(Path(folder)) as postgres:
        trial = Trial(wide("wide"), postgres, Path(folder) / "trial")
        publish(trial, rows, pieces=2, run="first")
        trial.deliver_file(f"wide/{DAY}.csv", file_of(rows, pieces=3))
        for step in STEPS[: STEPS.index("save")]:
            _do(trial, step, "second")
        with trial.warehouse() as session:
            dsn = session.info.dsn + f" password={session.info.password}"
        with polled(dsn, asked("wide", rows), HZ) as polling:
            took = {step: _do(trial, step, "second") for step in ("save", "deploy")}
        print(f"{rows:,} rows: " + ", ".join(f"{step} {seconds:.1f} s" for step, seconds in took.items()))
        print(
            f"{len(polling.seconds):,} answers, p50 {polling.percentile(50) * 1000:.1f} ms, "
            f"p99 {polling.percentile(99) * 1000:.1f} ms, seen {polling.seen}"
        )
        assert polling.seen == [(2, 2 * rows), (3, 3 * rows)], polling.seen


def publish(trial: Trial, rows: int, pieces: int, run: str) -> None:
    """Publish the day with so many rows."""
    trial.deliver_file(f"wide/{DAY}.csv", file_of(rows, pieces))
    for step in STEPS:
        _do(trial, step, run)


def _do(trial: Trial, step: str, run: str) -> float:
    began = time.monotonic()
    run_step(getattr(steps, step), trial.day_run(DAY, run))
    return time.monotonic() - began


@contextmanager
def _postgres(folder: Path) -> Iterator[LocalPostgres]:
    folder.chmod(0o755)
    postgres = LocalPostgres(Home(folder / "home"))
    postgres.start()
    try:
        make_databases(postgres)
        yield postgres
    finally:
        postgres.remove()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A summary of many rows.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the summary")
    return parser


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main()
