"""The same summary written by hand: flights by airline, with lookups and no accounting. It skips a line that is bad.

python -m sizing.by_hand polars|duckdb|pandas FOLDER       prints the flights counted
"""

import sys
from collections.abc import Callable
from pathlib import Path

KEPT = ("dep_time", "dep_delay", "arr_delay", "carrier", "tailnum", "distance")


def polars(folder: Path) -> int:
    """Return the flights in the summary: one streaming pass."""
    import polars as pl

    flights = pl.scan_csv(folder / "flights.csv", null_values="NA", schema_overrides={"dep_time": pl.String}).select(
        KEPT
    )
    airlines, planes = (pl.scan_csv(folder / f"{name}.csv") for name in ("airlines", "planes"))
    good = flights.with_columns(time=pl.col("dep_time").cast(pl.Int64, strict=False))
    good = good.filter(pl.col("dep_time").is_null() | pl.col("time").is_not_null())
    joined = good.join(airlines, on="carrier").join(planes, on="tailnum", how="left")
    arrived = pl.col("arr_delay")
    found = joined.group_by("carrier", "name").agg(
        pl.len().alias("flights"),
        pl.col("time").is_null().sum().alias("cancelled"),
        pl.col("dep_delay").sum().alias("dep_delay_min"),
        arrived.sum().alias("arr_delay_min"),
        arrived.count().alias("arrivals"),
        (arrived <= 15).sum().alias("on_time"),
        pl.col("distance").sum().alias("miles"),
        pl.col("seats").sum().alias("seats_"),
    )
    return int(found.collect(engine="streaming")["flights"].sum())


def duckdb(folder: Path) -> int:
    """Return the flights in the summary."""
    import duckdb as db

    query = f"""
        select sum(flights) from (
            select carrier, name, count(*) flights, count(*) filter (dep_time is null) cancelled,
                sum(dep_delay) dep, sum(arr_delay) arr, count(arr_delay) arrivals,
                count(*) filter (arr_delay <= 15) on_time, sum(distance) miles, sum(seats) seats
            from read_csv('{folder}/flights.csv', nullstr='NA', types={{'dep_time': 'VARCHAR'}}) as flights
            join read_csv('{folder}/airlines.csv') as airlines using (carrier)
            left join read_csv('{folder}/planes.csv') as planes using (tailnum)
            where dep_time is null or try_cast(dep_time as bigint) is not null
            group by carrier, name)
    """  # noqa: S608 - the folder is the bench's own
    return int(db.execute(query).fetchall()[0][0])


def pandas(folder: Path) -> int:
    """Return the flights in the summary: plain pandas, all in memory."""
    import pandas as pd

    flights = pd.read_csv(folder / "flights.csv", na_values=["NA"], dtype={"dep_time": "string"}, low_memory=False)
    airlines, planes = (pd.read_csv(folder / f"{name}.csv") for name in ("airlines", "planes"))
    time = pd.to_numeric(flights["dep_time"], errors="coerce")
    flights = flights[flights["dep_time"].isna() | time.notna()].assign(time=time)
    joined = flights.merge(airlines, on="carrier").merge(planes, on="tailnum", how="left")
    joined["cancelled"], joined["on_time"] = joined["dep_time"].isna(), joined["arr_delay"] <= 15
    found = joined.groupby(["carrier", "name"]).agg(
        flights=("carrier", "size"),
        cancelled=("cancelled", "sum"),
        dep=("dep_delay", "sum"),
        arr=("arr_delay", "sum"),
        arrivals=("arr_delay", "count"),
        on_time=("on_time", "sum"),
        miles=("distance", "sum"),
        seats=("seats", "sum"),
    )
    return int(found["flights"].sum())


PROGRAMS: dict[str, Callable[[Path], int]] = {"polars": polars, "duckdb": duckdb, "pandas": pandas}

if __name__ == "__main__":
    print(PROGRAMS[sys.argv[1]](Path(sys.argv[2])))
