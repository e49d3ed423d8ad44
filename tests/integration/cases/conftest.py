"""A supplier of each test's own: a folder on the FTP server, tables in the source database, and a day's run of them."""

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from daybook.errors import DaybookError
from daybook.refused.rows import FILE
from daybook.run.day_run import DayRun
from daybook.spec import Pipeline
from daybook.storage.tables import read_parquet
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers, published_files, run_steps
from tests.support.warehouse import drop_pipeline

from .case import Case, Day, Rows

# The schema that setup.sql fills, in the source database.
SCHEMA = "supplier"


class CameOut(NamedTuple):
    """What came of a day: the outcome, the message of an error, the rows of each source, the published summaries."""

    outcome: str
    message: str = ""
    rows: dict[str, Rows] = {}
    summaries: dict[str, list[dict[str, str]]] = {}
    details: str = ""


@dataclass
class Supplier:
    """A supplier of a case, and the days that are run on what it delivers."""

    servers: Servers
    name: str

    def run(self, case: Case, day: Day, **changes: Any) -> CameOut:
        """Deliver the input of a case, and run the nine steps on a day of it."""
        try:
            pipeline = self._own(case.pipeline(day.spec), **changes)
            self._deliver(case, day, pipeline)
            done = run_steps(self.servers.work(pipeline, _date(day), "run_1"), self.servers)
        except DaybookError as error:
            return CameOut(type(error).__name__, str(error))
        rows = {source.name: _rows(done, source.name) for source in pipeline.sources}
        return CameOut(done.receipt("deploy").outcome, "", rows, _summaries(done), _details(done))

    def _own(self, pipeline: Pipeline, **changes: Any) -> Pipeline:
        """Return the pipeline under the test's own name, schema and folder on the server."""
        target = pipeline.target.model_copy(update={"schema_": self.name})
        files = tuple(file.model_copy(update={"path": f"{self.name}/{file.path}"}) for file in pipeline.files)
        return pipeline.model_copy(update={"name": self.name, "target": target, "files": files, **changes})

    def _deliver(self, case: Case, day: Day, pipeline: Pipeline) -> None:
        root = self.servers.ftp.root
        case.deliver(root / self.name)
        if day.delivered:
            path = pipeline.file(pipeline.facts).path_on(datetime.fromisoformat(_date(day)).date())
            (root / self.name / day.delivered).rename(root / path)
        if case.setup:
            self._fill_tables(case.setup)

    def _fill_tables(self, setup: str) -> None:
        schema = sql.Identifier(SCHEMA)
        with psycopg.connect(self.servers.postgres.dsn("source", "source_owner")) as connection:
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(schema))
            connection.execute(sql.SQL("create schema {}").format(schema))
            connection.execute(sql.SQL("set local search_path to {}, public").format(schema))
            connection.execute(setup.encode())
            connection.execute(sql.SQL("grant usage on schema {} to source_reader").format(schema))
            connection.execute(sql.SQL("grant select on all tables in schema {} to source_reader").format(schema))


def _date(day: Day) -> str:
    return str((datetime.now(UTC) - timedelta(days=1)).date()) if day.day == "yesterday" else day.day


def _rows(done: DayRun, source: str) -> Rows:
    """Return what became of the rows of a source, from `load` to `index`."""
    receipts = [done.receipt(step) for step in ("load", "clean", "index")]
    steps = [receipt.rows[source] for receipt in receipts if source in receipt.rows]
    return Rows(
        read=steps[0].read,
        kept=steps[-1].kept,
        refused=_added([rows.refused for rows in steps]),
        dropped=_added([rows.dropped for rows in steps]),
    )


def _added(counts: list[dict[str, int]]) -> dict[str, int]:
    return {reason: sum(one.get(reason, 0) for one in counts) for one in counts for reason in one}


def _details(done: DayRun) -> str:
    with (done.folder / "load").open(FILE) as file:
        return "; ".join(read_parquet(file, ["detail"])["detail"].to_pylist())


def _summaries(done: DayRun) -> dict[str, list[dict[str, str]]]:
    folder = published_files(done)
    return {summary.name: _csv(folder / f"{summary.name}.csv") for summary in done.pipeline.summaries}


def _csv(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def supplier(
    request: pytest.FixtureRequest, postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path
) -> Iterator[Supplier]:
    """A supplier whose pipeline, schema and folder are the test's own."""
    name = f"c{zlib.crc32(request.node.nodeid.encode())}"
    yield Supplier(Servers(postgres, ftp_server, tmp_path / "data"), name)
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)
    with psycopg.connect(postgres.dsn("source", "source_owner")) as connection:
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SCHEMA)))
