"""Daybook's loader beside pyarrow, pandas, Polars and DuckDB on one generated file with typed columns.

    .venv/bin/python bench/load.py                                        1 GB, some six minutes on two processors
    .venv/bin/python bench/load.py --gigabytes 0.1 --growth 0.1 0.2       a small trial
    .venv/bin/python bench/load.py --forms --rounds 3                     forms of values beside the plain file

Prints three tables from one run: the file without a bad line; with one in a thousand, of nine kinds; and the memory of
Daybook's loader as the file grows. Each loader runs in a process of its own, in turn; seconds are the least of the
rounds. A ratio is to pyarrow's typed read of the clean file in the same round, the median of the rounds: machines have
fast moments and slow ones. A separate run checks row by row which bad lines were found and which rows were let in.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
SEARCHED = os.pathsep.join([str(REPOSITORY / "bench"), str(REPOSITORY / "include")])
# The programs of bench/loading tell by these names whether a file has bad lines.
CLEAN_FILE, BAD_FILE = "clean.csv", "bad.csv"
CLEAN = {
    "daybook": "daybook",
    "pyarrow": "pyarrow, typed",
    "polars": "Polars, typed",
    "duckdb": "DuckDB, typed, strict",
    "pandas": "pandas, typed",
}
BAD = {
    "daybook": "daybook",
    "pyarrow_noting": "pyarrow, typed, handler of rows",
    "polars": "Polars, typed",
    "polars_ignoring": "Polars, ignore_errors",
    "duckdb": "DuckDB, typed, store_rejects",
    "pandas": "pandas, typed, on_bad_lines",
    "pandas_text": "pandas, text and then coerced",
}
SLOW_S = 10  # a loader that takes longer is timed once
Told = dict[str, Any]
Pair = tuple[str, Path]


def main() -> None:
    """Write the files into a folder of their own, measure, and print the tables."""
    asked = _parser().parse_args()
    if asked.forms:
        forms(asked.forms, asked.rounds)
        return
    print(
        f"{asked.gigabytes:g} GB, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before; "
        f"{asked.rounds} rounds in turn"
    )
    with tempfile.TemporaryDirectory() as folder:
        clean, bad = Path(folder) / CLEAN_FILE, Path(folder) / BAD_FILE
        for path in (clean, bad):
            run("sales", path, asked.gigabytes)
        told = measured([*((name, clean) for name in CLEAN), *((name, bad) for name in BAD)], asked.rounds)
        table("no bad line", {words: told[name, clean] for name, words in CLEAN.items()})
        table("one bad line in a thousand", {words: told[name, bad] for name, words in BAD.items()})
        clean.unlink()
        grow(bad, asked.growth)


def measured(pairs: list[Pair], rounds: int) -> dict[Pair, Told]:
    """Return the findings of each loader in its file, or why it refuses it; its seconds, ratio and peak memory.

    Ratios are to pyarrow with the first pair's file.
    """
    told = {pair: child(*pair, "check") for pair in pairs}
    able = [pair for pair in pairs if not told[pair]["refused"]]
    timed: dict[Pair, list[Told]] = {pair: [] for pair in able}
    for number in range(rounds):
        for pair in able:
            if number == 0 or timed[pair][0]["seconds"] < SLOW_S:
                timed[pair].append(child(*pair, "time"))
    reference = [run["seconds"] for run in timed["pyarrow", pairs[0][1]]]
    for pair, runs in timed.items():
        told[pair]["ratio"] = median(run["seconds"] / own for run, own in zip(runs, reference, strict=False))
        told[pair] |= {word: min(run[word] for run in runs) for word in ("seconds", "cpu_s")}
        told[pair]["peak_mib"] = max(run["peak_mib"] for run in runs)
    return told


def child(name: str, path: Path, what: str) -> Told:
    """Return the result of a loader, in a process of its own, for a file."""
    told: Told = json.loads(run("measured", name, path, what).splitlines()[-1])
    return told


def run(program: str, *words: object) -> str:
    """Run a program of bench/loading, and return its output.

    This process itself does nothing large: a child's peak memory begins with that of its parent.
    """
    command = [sys.executable, "-W", "ignore", "-m", f"loading.{program}", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": SEARCHED}
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


def table(title: str, loaders: dict[str, Told]) -> None:
    """Print each loader's result for a file."""
    heads = ("seconds", "CPU s", "ratio", "peak MiB", "bad found", "wrong rows in", "good rows lost")
    print(f"\n{title:34}" + "".join(f"{head:>{len(head) + 6}}" for head in heads), flush=True)
    for words, one in loaders.items():
        if one["refused"]:
            print(f"  {words:32}refuses the whole file after {one['seconds']:.1f} s: {one['refused'][:60]}")
            continue
        cells = (
            f"{one['seconds']:.2f}",
            f"{one['cpu_s']:.2f}",
            f"{one['ratio']:.2f}",
            f"{one['peak_mib']:.0f}",
            f"{one['found']} of {one['bad']}",
            f"{one['wrong']}",
            f"{one['lost']}",
        )
        print(f"  {words:32}" + "".join(f"{cell:>{len(head) + 6}}" for head, cell in zip(heads, cells, strict=True)))


def grow(path: Path, sizes: list[float]) -> None:
    """Print Daybook's memory by the size of the file."""
    print("\ndaybook, as that file grows")
    for gigabytes in sizes:
        run("sales", path, gigabytes)
        one = child("daybook", path, "time")
        print(f"  {gigabytes:4g} GB{one['seconds']:8.2f} s{one['peak_mib']:8.0f} MiB", flush=True)


def forms(rows: int, rounds: int) -> None:
    """Print how much longer each form of values takes than the plain file of the same rows, in CPU seconds.

    A ratio is to the plain file of the same round, the median of the rounds.
    """
    names = run("forms", "--names").splitlines()
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        plain = json.loads(run("forms", "plain", rows))["cpu_s"]
        for name in names:
            told = json.loads(run("forms", name, rows))
            ratios[name].append(told["cpu_s"] / plain)
            if told["kept"] < rows:
                raise SystemExit(f"{name}: {told['kept']:,} of {rows:,} rows were read")
    print(f"{rows:,} rows, {rounds} rounds, load {os.getloadavg()[0]:.1f}; CPU seconds beside the plain file")
    for name, found in ratios.items():
        print(f"  {name:32}{median(found):6.2f}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Daybook's loader beside others.")
    parser.add_argument("--gigabytes", type=float, default=1, help="size of the file; a gigabyte is 10^9 bytes")
    parser.add_argument("--forms", type=int, nargs="?", const=500_000, help="measure forms of values, of so many rows")
    parser.add_argument("--rounds", type=int, default=7, help="times that each loader is timed")
    parser.add_argument("--growth", type=float, nargs="+", default=[0.1, 1, 4], help="sizes at which memory is shown")
    return parser


if __name__ == "__main__":
    main()
