"""A pipeline on trial: its nine steps on a real PostgreSQL and a folder of files, without Airflow."""

import csv
import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import psycopg
from psycopg import sql

from daybook import steps
from daybook.ledger.decisions import Release
from daybook.ledger.receipt import STEPS
from daybook.refused.rows import FILE
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step
from daybook.spec import Pipeline, Table
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.storage.tables import read_parquet
from daybook.testing.sample_tables import fill_table
from daybook.transports.local_folder import LocalFolder, LocalLine

FILES_TIME_LIMIT_S = 30.0
REFUSING = ("load", "clean", "index")
DATABASES = {"source": "source_owner", "warehouse": "warehouse_owner"}
_numbers = count(1)


class Server(Protocol):
    """A running PostgreSQL server with the deployment's roles."""

    def dsn(self, database: str = ..., role: str = ...) -> str:
        """Return libpq's connection string for a role in a database; for the superuser unless one is named."""


@dataclass(frozen=True)
class Sample:
    """What a pipeline gets for a day.

    files: the content of each file, by its path on the server of files. tables: the rows of each table as CSV with a
    header, by the source's name in the spec; a column that the spec does not name is text. sql: statements that make
    anything else in the source database, run first.
    """

    day: date
    files: Mapping[str, bytes] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    sql: str = ""


class Refused(NamedTuple):
    """A refused row: the step and source, its line, the column (None: the whole row), the reason, and its raw text."""

    step: str
    source: str
    line: int
    column: str | None
    reason: str
    raw: str | None


@dataclass(frozen=True)
class Published:
    """What came of a day that ran to its end.

    outcome: of deploying: "published", or "unchanged". files: what readers find in the day's folder, by name.
    refused: the refused rows, in the order of the steps.
    """

    outcome: str
    files: Mapping[str, bytes]
    refused: tuple[Refused, ...]

    def rows(self, summary: str) -> list[dict[str, str]]:
        """Return the published rows of a summary, as its CSV has them: every value is text, and '' is nothing."""
        return list(csv.DictReader(io.StringIO(self.files[f"{summary}.csv"].decode(), newline="")))


class Trial:
    """A pipeline with databases and folders of its own. Nothing of it outlives `close`."""

    def __init__(self, pipeline: Pipeline, server: Server, folder: Path) -> None:
        """Make the databases. folder: an empty one, for the supplier's files and the run's."""
        self.pipeline, self._dsn, self._number = _without_pauses(pipeline), server.dsn(), next(_numbers)
        self._dsns = {name: server.dsn(self._database(name), owner) for name, owner in DATABASES.items()}
        self.supplier, self._data = folder / "supplier", DataFolder(folder / "data")
        self.supplier.mkdir(parents=True)
        self._runs = 0
        for name, owner in DATABASES.items():
            self._as_superuser("create database {} owner {}", self._database(name), owner)

    def close(self) -> None:
        """Remove the databases."""
        for name in DATABASES:
            self._as_superuser("drop database if exists {} with (force)", self._database(name))

    def deliver(self, sample: Sample) -> None:
        """Let the supplier have what a sample holds, in place of what there was under the same names."""
        if sample.sql:
            with self.source() as connection:
                connection.execute(sample.sql.encode())
        for name, rows in sample.tables.items():
            with self.source() as connection:
                fill_table(connection, self._table(name), rows)
        for path, content in sample.files.items():
            self.deliver_file(path, content)

    def deliver_file(self, path: str, content: bytes) -> None:
        """Let the supplier have a file. path: as the spec writes it for a day."""
        (self.supplier / path).parent.mkdir(parents=True, exist_ok=True)
        (self.supplier / path).write_bytes(content)

    def run(self, day: date, *, run: str | None = None, until: str = "deploy", why: str | None = None) -> Published:
        """Run the nine steps on a day. Raises the DaybookError with which a task would fail.

        run: the run's name, to go on with one; a new run unless it is given. until: the last step. why: the reason with
        which a person releases a held day.
        """
        self._runs += 1
        day_run = self.day_run(day, run or f"run_{self._runs}", why)
        for step in STEPS[: STEPS.index(until) + 1]:
            run_step(getattr(steps, step), day_run)
        outcome = day_run.receipt("deploy").outcome if until == "deploy" else until
        return Published(outcome, self.published(day), tuple(_refused(day_run)))

    def day_run(self, day: date, run: str, why: str | None = None) -> DayRun:
        """Return a run's work on a day, as the steps take it."""
        release = Release("a test", why) if why else None
        return DayRun(self.pipeline, day, run, self._data, self._postgres, self._files, release=release)

    def published(self, day: date) -> dict[str, bytes]:
        """Return the files that readers find in a day's folder, by name; none if the day is not published."""
        run_id = self._data.published_run_id(self.pipeline.name, day)
        if run_id is None:
            return {}
        folder = self._data.published_files(self.pipeline.name, day, run_id)
        return {name: folder.content(name) or b"" for name in sorted(folder.names())}

    def summaries(self, day: date) -> dict[str, bytes]:
        """Return the published files of the summaries, by name: those whose bytes depend on the input alone."""
        names = tuple(f"{summary.name}." for summary in self.pipeline.summaries)
        return {name: content for name, content in self.published(day).items() if name.startswith(names)}

    def source(self) -> psycopg.Connection[Any]:
        """Connect to the database of the tables, as their owner."""
        return psycopg.connect(self._dsns["source"])

    def warehouse(self) -> psycopg.Connection[Any]:
        """Connect to the database of what is published, as its owner."""
        return psycopg.connect(self._dsns["warehouse"])

    def _table(self, name: str) -> Table:
        (table,) = [table for table in self.pipeline.tables if table.name == name]
        return table

    def _database(self, name: str) -> str:
        return f"trial_{self._number}_{name}"

    def _postgres(self, connection: str) -> AbstractContextManager[Any]:
        return self.warehouse() if connection == self.pipeline.target.connection else self.source()

    def _files(self, connection: str) -> LocalLine:
        return LocalFolder(path=str(self.supplier)).open(FILES_TIME_LIMIT_S)

    def _as_superuser(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _without_pauses(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with files that need not stand still before they are taken: a test does not wait for that."""
    files = tuple(file.model_copy(update={"is_written_whole": True}) for file in pipeline.files)
    return pipeline.model_copy(update={"files": files})


def _refused(day_run: DayRun) -> list[Refused]:
    done = [step for step in REFUSING if day_run.receipt_if_done(step)]
    return [row for step in done for row in _refused_by(step, day_run.folder / step)]


def _refused_by(step: str, folder: Folder) -> list[Refused]:
    with folder.open(FILE) as file:
        rows = read_parquet(file).to_pylist()
    return [
        Refused(
            step,
            row["source"],
            row["line"],
            row["column"],
            row["reason"],
            None if row["raw"] is None else row["raw"].decode("utf-8", "backslashreplace"),
        )
        for row in rows
    ]
