"""Faults without Airflow: the steps in processes of their own on real servers, and what must hold after each fault."""

import os
import zlib
from collections.abc import Iterator

import psycopg
import pytest

from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline
from deployment.home import REPOSITORY
from deployment.servers.postgres import LocalPostgres
from tests.support.bench import DAY, OLD, Bench
from tests.support.processes import Processes
from tests.support.servers import Servers
from tests.support.warehouse import drop_pipeline


@pytest.fixture(scope="package")
def processes() -> Iterator[Processes]:
    """Starts processes that run steps: forked from one that has imported everything, so that each takes no second."""
    paths = [str(REPOSITORY), str(REPOSITORY / "include")]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]))
        with Processes() as started:
            yield started


@pytest.fixture
def pipeline(request: pytest.FixtureRequest, postgres: LocalPostgres) -> Iterator[Pipeline]:
    """The flights pipeline under a name, a schema and a folder of files of the test's own."""
    name = f"f{zlib.crc32(request.node.nodeid.encode())}"
    flights = load_pipelines().good["flights"]
    path = name + "/flights_{day:%Y-%m-%d}.csv"
    file = flights.files[0].model_copy(update={"path": path, "is_written_whole": True})
    target = flights.target.model_copy(update={"schema_": name})
    yield flights.model_copy(update={"name": name, "target": target, "files": (file,)})
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


@pytest.fixture
def bench(servers: Servers, pipeline: Pipeline, processes: Processes) -> Bench:
    """A pipeline with its servers, its deliveries and its checks."""
    return Bench(servers, pipeline, processes)


@pytest.fixture
def published(bench: Bench) -> Bench:
    """A bench with a day published."""
    bench.publish(DAY, "before", OLD)
    return bench
