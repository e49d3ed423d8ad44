"""Days without Airflow: the steps publish them on real servers, and the package's commands are asked about them."""

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from commands.__main__ import main
from daybook.pipelines import load_pipelines
from daybook.run.day_run import DayRun
from daybook.spec import Pipeline
from deployment.environment import connections
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers, run_steps
from tests.support.warehouse import drop_pipeline

FIRST, LAST = date(2013, 1, 1), date(2013, 1, 4)


@dataclass
class Days:
    """Four days of flights: their files, which a test may change, their runs, and what the commands say of them."""

    servers: Servers
    pipeline: Pipeline
    files: Path
    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    runs: int = field(default=0)

    def run(self, day: str, until: str = "deploy", *, is_forced: bool = False) -> DayRun:
        """Run the steps on a day, under the next name: run_1, run_2, …"""
        self.runs += 1
        work = self.servers.work(self.pipeline, day, f"run_{self.runs}")
        return run_steps(replace(work, is_forced=is_forced, started_by="manual by ann"), self.servers, until)

    def change(self, **words: Any) -> None:
        """Change the pipeline's spec."""
        self.pipeline = self.pipeline.model_copy(update=words)
        load_pipelines().good[self.pipeline.name] = self.pipeline

    def rename(self, name: str) -> None:
        """Give the pipeline another name, as a person does in its module: there is none of the old name any more."""
        self.monkeypatch.delitem(load_pipelines().good, self.pipeline.name)
        self.pipeline = self.pipeline.model_copy(update={"name": name})
        self.monkeypatch.setitem(load_pipelines().good, name, self.pipeline)

    @contextmanager
    def own_table(self, name: str, rows: str) -> Iterator[Callable[[str], None]]:
        """Let the pipeline read a table of the test's own, made of these rows; yield a way to change it.

        name: of the source. rows: a query. A statement names the table by {}.
        """
        relation = f"public.{name}_{self.pipeline.name}"
        with psycopg.connect(self.servers.postgres.dsn("source", "source_owner"), autocommit=True) as connection:

            def change(statement: str) -> None:
                connection.execute(statement.replace("{}", relation).encode())

            change(f"create table {{}} as {rows}")
            change("grant select on {} to source_reader")
            own = {name: {"relation": relation}}
            self.change(tables=tuple(t.model_copy(update=own.get(t.name, {})) for t in self.pipeline.tables))
            yield change
            change("drop table {}")

    def file(self, day: str) -> Path:
        """Return the file of a day, as it lies on the FTP server."""
        return self.files / f"flights_{day}.csv"

    def command(self, name: str, *words: str) -> tuple[int, str]:
        """Run `./daybook name words --pipeline PIPELINE`; give its exit code and what it printed."""
        return self.command_alone(name, *words, "--pipeline", self.pipeline.name)

    def command_alone(self, *words: str) -> tuple[int, str]:
        """Run `./daybook words`; give its exit code and what it printed."""
        self.capture.readouterr()
        code = main([*words])
        printed = self.capture.readouterr()
        return code, printed.out + printed.err

    def json(self, name: str, *words: str) -> Any:
        """Return what a command answers in JSON."""
        return json.loads(self.command(name, *words, "--json")[1])

    def planned(self, *words: str) -> dict[str, str]:
        """Return what the plan says of each day: the action and the reason."""
        return {day["day"]: f"{day['action']}: {day['reason']}" for day in self.json("plan", *words)["planned"]}


@pytest.fixture
def days(
    request: pytest.FixtureRequest,
    servers: Servers,
    postgres: LocalPostgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Days]:
    """A pipeline of the test's own over four days of flights, and the environment that the commands read."""
    name = f"d{zlib.crc32(request.node.nodeid.encode())}"
    pipeline = own_pipeline(name)
    folder = servers.ftp.root / name
    folder.mkdir()
    for day in range(FIRST.day, LAST.day + 1):
        whole = servers.ftp.root / "flights" / f"flights_2013-01-0{day}.csv"
        (folder / whole.name).write_bytes(whole.read_bytes())
    for variable, value in connections(postgres, servers.ftp).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("DAYBOOK_DATA", servers.data.as_uri())
    monkeypatch.setitem(load_pipelines().good, name, pipeline)
    days = Days(servers, pipeline, folder, capsys, monkeypatch)
    yield days
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        # A test may have renamed it.
        for left in {name, days.pipeline.name}:
            drop_pipeline(connection, left)


def own_pipeline(name: str) -> Pipeline:
    """Return the flights pipeline under a name, a schema and a folder of files of its own, with four days."""
    flights = load_pipelines().good["flights"]
    file = flights.files[0].model_copy(update={"path": name + "/flights_{day:%Y-%m-%d}.csv"})
    target = flights.target.model_copy(update={"schema_": name})
    schedule = flights.schedule.model_copy(update={"start": FIRST, "end": LAST})
    return flights.model_copy(update={"name": name, "target": target, "files": (file,), "schedule": schedule})
