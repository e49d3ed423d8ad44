"""A cluster of two workers, to which every test of this folder gives its jobs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.cluster.session import VARIABLE
from daybook.loader.load import load
from daybook.stream import spread
from tests.support.spark_cluster import LIGHT, SparkCluster

BLOCK_BYTES = 600


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A running cluster; what a step begins on it ends with this process."""
    cluster = SparkCluster(tmp_path_factory.mktemp("cluster"), workers=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, cluster.address)
        patch.setenv("JAVA_TOOL_OPTIONS", " ".join(LIGHT[:2]))
        try:
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture
def many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are loaded in several row groups, and each of them is a part of its own."""
    assert load.__kwdefaults__
    monkeypatch.setitem(load.__kwdefaults__, "block_bytes", BLOCK_BYTES)
    monkeypatch.setattr(spread, "PART_BYTES", 1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for the files of days, which all workers reach."""
    os.chmod(tmp_path, 0o700)
    return tmp_path
