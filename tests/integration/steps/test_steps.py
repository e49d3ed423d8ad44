"""The nine steps on real servers: numbers, files, and what a re-run leaves."""

import hashlib
from pathlib import Path

import pytest

from tests.support.servers import Servers, published_files

from .conftest import Run


def test_the_first_of_january_is_published_with_its_known_totals(run: Run, servers: Servers) -> None:
    work = run("2013-01-01")
    name = work.pipeline.name
    assert servers.rows(f"select flights, cancelled, distance_mi from {name}.by_day") == [(842, 4, 907196)]
    departures = work.folder.path / "aggregate" / "aggregates.parquet"
    assert departures.exists()


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_every_engine_publishes_the_same_bytes(run: Run, servers: Servers, engine: str) -> None:
    of_polars = published_hashes(published_files(run("2013-01-02", "polars", engine="polars")))
    forced = run("2013-01-02", engine, engine=engine, is_forced=True)
    assert published_hashes(published_files(forced)) == of_polars


def published_hashes(folder: Path) -> dict[str, str]:
    """Return the hash of every published file."""
    files = sorted(folder.iterdir())
    assert len(files) == 7
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
