"""A pipeline of each test's own, and a way to run its steps."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from daybook.pipelines import load_pipelines
from daybook.run.day_run import DayRun
from daybook.spec import Pipeline
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers, run_steps
from tests.support.warehouse import drop_pipeline

Run = Callable[..., DayRun]


@pytest.fixture
def pipeline(request: pytest.FixtureRequest, postgres: LocalPostgres) -> Iterator[Pipeline]:
    """The flights pipeline under a name and a schema of the test's own."""
    name = f"p{zlib.crc32(request.node.nodeid.encode())}"
    flights = load_pipelines().good["flights"]
    yield flights.model_copy(update={"name": name, "target": flights.target.model_copy(update={"schema_": name})})
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


@pytest.fixture
def run(servers: Servers, pipeline: Pipeline) -> Run:
    """Run the steps on a day: run(day, run name, until=step, engine=…)."""

    def do(day: str, run: str = "run_1", until: str = "deploy", is_forced: bool = False, **changes: Any) -> DayRun:
        changed = pipeline.model_copy(update=changes)
        return run_steps(replace(servers.work(changed, day, run), is_forced=is_forced), servers, until)

    return do
