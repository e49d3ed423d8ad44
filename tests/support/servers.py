"""A day's work without Airflow: the steps on a real PostgreSQL and a real FTP server."""

import ftplib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from daybook import steps
from daybook.ledger.receipt import STEPS
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.store import StorePath
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres


@dataclass(frozen=True)
class Servers:
    """Where the steps connect to, and what a test looks at. at: the data folder, if it is in an object store."""

    postgres: LocalPostgres
    ftp: LocalFtp
    data: Path
    at: StorePath | None = None

    def connect_postgres(self, connection: str) -> psycopg.Connection[Any]:
        """Open a connection by its id in Airflow, as the hook would."""
        return psycopg.connect(self.dsn_of(connection))

    def dsn_of(self, connection: str) -> str:
        """Return the connection string behind a connection's id."""
        roles = {"source_db": ("source", "source_reader"), "warehouse": ("warehouse", "warehouse_owner")}
        return self.postgres.dsn(*roles[connection])

    def connect_ftp(self, connection: str) -> ftplib.FTP:
        """Open a connection to the FTP server, as the hook would."""
        ftp = ftplib.FTP()  # noqa: S321 - loopback
        ftp.connect(self.ftp.host, self.ftp.port)
        ftp.login(self.ftp.user, self.ftp.password)
        return ftp

    def rows(self, query: str, *values: object, role: str = "analyst") -> list[tuple[Any, ...]]:
        """Return what a role sees in the warehouse."""
        with psycopg.connect(self.postgres.dsn("warehouse", role)) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def work(self, pipeline: Pipeline, day: str, run: str, *, is_forced: bool = False) -> DayRun:
        """Return the work of one run on one day."""
        data, on = DataFolder(self.at or self.data), date.fromisoformat(day)
        return DayRun(pipeline, on, run, data, self.connect_postgres, self.connect_ftp, is_forced=is_forced)


def run_steps(work: DayRun, servers: Servers, until: str = "deploy") -> DayRun:
    """Run the nine steps in order, to the named one."""
    for name in STEPS:
        run_step(getattr(steps, name), work)
        if name == until:
            break
    return work


def published_files(day_run: DayRun) -> Path:
    """Return the folder of what readers see of a day."""
    return Path(day_run.data.published(day_run.pipeline.name).path) / str(day_run.day)
