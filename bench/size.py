"""A day of any size: Daybook's steps beside programs written by hand with Polars, DuckDB and pandas on the same file.

    .venv/bin/python bench/size.py                                  10^4 to 10^7 rows, with and without bad lines
    .venv/bin/python bench/size.py --rows 10000 100000              a small trial
    .venv/bin/python bench/size.py --rows 100000000 --alone         10^8 rows, Daybook alone: 10 GB, and as much again
    .venv/bin/python bench/size.py --picture docs/images/scale.svg  and draw seconds and memory

Each program is a process of its own; Daybook's steps are five, which is what the peak memory is of. Daybook reads every
value by its contract, refuses what breaks it, checks keys and equal rows, and leaves hashed files and receipts; the
others read what there is. Not in it: copying the file from its server, and saving the summaries, which take as long for
any of them. CPU seconds tell more than wall seconds if the machine has other work.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from sizing.picture import picture

REPOSITORY = Path(__file__).resolve().parents[1]
SEARCHED = os.pathsep.join(str(REPOSITORY / name) for name in ("bench", "include", "."))
BY_HAND = ("polars", "duckdb", "pandas")
BAD = 1000  # with bad lines: one in so many


class Took(NamedTuple):
    """What a program took, and the flights that it counted."""

    seconds: float
    cpu_s: float
    peak_mib: float
    flights: int


def main() -> None:
    """Measure, print a table for each size, and draw."""
    asked = _parser().parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before")
    drawn: dict[str, list[tuple[int, Took]]] = {}
    for rows in asked.rows:
        for bad in (0, BAD):
            for name, took in measured(rows, bad, asked.engine, alone=asked.alone).items():
                if not bad:
                    drawn.setdefault(name, []).append((rows, took))
    if asked.picture:
        asked.picture.write_text(picture(drawn))


def measured(rows: int, bad: int, engine: str, *, alone: bool) -> dict[str, Took]:
    """Write a file, measure every program on it, and print a table."""
    with tempfile.TemporaryDirectory(prefix="size-") as folder:
        run("flights", folder, rows, bad)
        size = Path(folder, "flights.csv").stat().st_size / 10**6
        print(f"\n{rows:,} rows, {size:,.0f} MB, " + (f"a bad line in {bad:,}" if bad else "no bad line"))
        print(f"  {'':22}{'seconds':>9}{'CPU s':>9}{'peak MiB':>10}{'flights':>13}", flush=True)
        found = {} if alone else {name: by_hand(name, folder) for name in BY_HAND}
        found["daybook"] = ours(engine, folder)
    if not alone:
        for name in BY_HAND:
            of, it = found["daybook"], found[name]
            print(f"  daybook / {name:11} {of.seconds / it.seconds:9.2f}{of.cpu_s / it.cpu_s:9.2f}", flush=True)
    return found


def by_hand(name: str, folder: str) -> Took:
    """Measure a program of sizing/by_hand.py, its imports included."""
    began, process = time.monotonic(), started("by_hand", name, folder)
    assert process.stdout
    flights = int(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{name} ended with {status}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return told(name, Took(time.monotonic() - began, cpu_s, usage.ru_maxrss / 1024, flights))


def ours(engine: str, folder: str) -> Took:
    """Measure the steps, and print each; return the sum of their seconds and the largest memory of them."""
    steps = [json.loads(line) for line in run("ours", engine, folder).splitlines() if line.startswith("{")]
    for one in steps:
        told(one["step"], Took(one["seconds"], one["cpu_s"], one["peak_mib"], one.get("flights", 0)))
    seconds, cpu_s = (sum(one[word] for one in steps) for word in ("seconds", "cpu_s"))
    return told("daybook", Took(seconds, cpu_s, max(one["peak_mib"] for one in steps), steps[-1]["flights"]))


def told(name: str, took: Took) -> Took:
    """Print a line of the table."""
    flights = f"{took.flights:,}" if took.flights else ""
    print(f"  {name:22}{took.seconds:9.2f}{took.cpu_s:9.2f}{took.peak_mib:10.0f}{flights:>13}", flush=True)
    return took


def run(program: str, *words: object) -> str:
    """Run a program of bench/sizing to its end, and return its output."""
    process = started(program, *words)
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{program} ended with {process.returncode}")
    return output


def started(program: str, *words: object) -> subprocess.Popen[str]:
    """Start a program of bench/sizing."""
    command = [sys.executable, "-W", "ignore", "-m", f"sizing.{program}", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": SEARCHED}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A day of any size, beside programs written by hand.")
    parser.add_argument("--rows", type=int, nargs="+", default=[10**n for n in range(4, 8)], help="sizes of the day")
    parser.add_argument("--engine", default="polars", choices=(*BY_HAND, "pyspark"), help="Daybook's engine")
    parser.add_argument("--alone", action="store_true", help="measure Daybook alone")
    parser.add_argument("--picture", type=Path, help="an SVG file to draw into")
    return parser


if __name__ == "__main__":
    main()
