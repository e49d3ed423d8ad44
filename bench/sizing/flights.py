"""Writes a day of flights of any size, with its two lookups: every key comes once.

python -m sizing.flights FOLDER ROWS BAD      BAD: one line in so many has a time that is none; 0 for no such line
"""

import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

DAY = date(2013, 1, 5)
CARRIERS, ORIGINS = [f"{a}{b}" for a in "ABCDEFGH" for b in "AB"], ["EWR", "JFK", "LGA"]
PLANES = 3000
ROWS_AT_ONCE = 500_000


def write(folder: Path, rows: int, bad: int) -> None:
    """Write flights.csv, airlines.csv and planes.csv."""
    random = np.random.default_rng(15)
    pl.DataFrame({"carrier": CARRIERS, "name": [f"Airline {one}" for one in CARRIERS]}).write_csv(
        folder / "airlines.csv"
    )
    planes = [f"N{number:05}" for number in range(PLANES)]
    pl.DataFrame({"tailnum": planes, "seats": random.integers(20, 400, PLANES)}).write_csv(folder / "planes.csv")
    with (folder / "flights.csv").open("wb") as file:
        for start in range(0, rows, ROWS_AT_ONCE):
            part(random, start, min(ROWS_AT_ONCE, rows - start), bad).write_csv(
                file, include_header=start == 0, null_value="NA"
            )


def part(random: np.random.Generator, start: int, rows: int, bad: int) -> pl.DataFrame:
    """Return some rows, of which the first has the number `start`."""
    number = np.arange(start, start + rows)
    clock = random.integers(1, 2400, rows)
    is_bad = number % bad == bad - 1 if bad else np.zeros(rows, bool)
    is_cancelled = random.random(rows) < 0.02
    taken = {
        "year": pl.repeat(DAY.year, rows, eager=True),
        "month": pl.repeat(DAY.month, rows, eager=True),
        "day": pl.repeat(DAY.day, rows, eager=True),
        "dep_time": pl.Series(np.where(is_bad, "late", clock.astype(str)).astype(object), dtype=pl.String),
        "sched_dep_time": pl.Series(clock),
        "dep_delay": pl.Series(random.integers(-20, 200, rows)),
        "arr_time": pl.Series(clock),
        "sched_arr_time": pl.Series(clock),
        "arr_delay": pl.Series(random.integers(-40, 200, rows)),
        "carrier": pl.Series(CARRIERS).gather(random.integers(0, len(CARRIERS), rows)),
        "flight": pl.Series(number),
        "tailnum": pl.select(
            pl.format("N{}", pl.Series(random.integers(0, PLANES + 60, rows)).cast(pl.String).str.zfill(5))
        ).to_series(),
        "origin": pl.Series(ORIGINS).gather(random.integers(0, 3, rows)),
        "dest": pl.Series(ORIGINS).gather(random.integers(0, 3, rows)),
        "air_time": pl.Series(random.integers(20, 600, rows)),
        "distance": pl.Series(random.integers(80, 5000, rows)),
        "hour": pl.Series(clock // 100),
        "minute": pl.Series(clock % 100),
        "time_hour": pl.repeat(f"{DAY}T10:00:00Z", rows, eager=True),
    }
    table = pl.DataFrame(taken)
    gone = [
        pl.when(pl.Series(~is_cancelled | is_bad)).then(pl.col(name)).alias(name)
        for name in ("dep_time", "dep_delay", "arr_delay")
    ]
    return table.with_columns(gone)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
