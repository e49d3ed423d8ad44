"""A private Airflow for the backfill tests: a home, a database, small DAGs, and pipelines of other time zones.

The pipelines are added the way that a user adds one, a module each, to a copy of include/. Their DAGs have one
empty task, which the scheduler settles by itself: no API server and no worker is needed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deployment.environment import metadata_database
from deployment.servers.postgres import LocalPostgres

ROOT = Path(__file__).parents[2]

DATABASE = "airflow_of_backfill_tests"

# One DAG a test: Airflow allows a DAG one open backfill, and without a scheduler none is ever closed.
ZONES = {
    "madrid_spring": "Europe/Madrid",
    "madrid_autumn": "Europe/Madrid",
    "madrid_waited": "Europe/Madrid",
    "in_utc": "UTC",
    "in_utc_paused": "UTC",
    "in_utc_batches": "UTC",
}

PIPELINE = """
from pipelines.flights import PIPELINE as FLIGHTS
from daybook.spec import Schedule

SCHEDULE = Schedule(time_zone="{time_zone}", start=FLIGHTS.schedule.start)
PIPELINE = FLIGHTS.model_copy(update={{"name": "{name}", "schedule": SCHEDULE, "max_active_runs": 3}})
"""

DAGS = """
import datetime
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

for name, time_zone in {zones}.items():
    with DAG(
        name,
        schedule=CronDataIntervalTimetable("0 0 * * *", timezone=time_zone),
        start_date=datetime.datetime(2013, 1, 1),
        # In the past, so that the scheduler makes no run of its own.
        end_date=datetime.datetime(2013, 12, 31),
        catchup=False,
        is_paused_upon_creation=name.endswith("_paused"),
    ):
        EmptyOperator(task_id="nothing")

with DAG("unscheduled", schedule=None):
    EmptyOperator(task_id="nothing")
"""


class PrivateAirflow:
    """Airflow in a folder: its command line, its database for looking into, and a scheduler on demand."""

    def __init__(self, folder: Path, postgres: LocalPostgres) -> None:
        self.database = postgres.dsn(DATABASE, "airflow")
        self.env = os.environ | {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_database(postgres, DATABASE),
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "PYTHONPATH": f"{folder / 'include'}:{ROOT / 'config'}",
        }

    def run(self, *words: str, python: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run an `airflow` command, or a piece of Python, and give what it printed and its exit code."""
        command = [sys.executable, "-c", python] if python else [sys.executable, "-m", "airflow", *words]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=120, check=False)

    def backfill(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `airflow dags backfill`."""
        return self.run("dags", "backfill", *words)

    def sql(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Run one statement on the metadata database and give its rows."""
        with psycopg.connect(self.database) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def logical_dates(self, dag_id: str) -> list[str]:
        """Return the logical dates of a DAG's runs, in order, as UTC to the minute."""
        found = self.sql("select logical_date from dag_run where dag_id = %s order by 1", dag_id)
        return [f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" for (moment,) in found]


@pytest.fixture(scope="package")
def airflow(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> PrivateAirflow:
    """Return a migrated Airflow that knows the DAGs of ZONES. No scheduler is running."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} owner airflow").format(sql.Identifier(DATABASE)))
    folder = tmp_path_factory.mktemp("airflow")
    shutil.copytree(ROOT / "include", folder / "include", ignore=shutil.ignore_patterns("__pycache__"))
    for name, time_zone in ZONES.items():
        module = folder / f"include/pipelines/{name}.py"
        module.write_text(PIPELINE.format(name=name, time_zone=time_zone))
    (folder / "dags").mkdir()
    (folder / "dags/small.py").write_text(DAGS.format(zones=ZONES | {"no_pipeline": "UTC"}))
    private = PrivateAirflow(folder, postgres)
    for words in (("db", "migrate"), ("dags", "reserialize")):
        done = private.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    return private


@pytest.fixture(scope="package")
def scheduler(airflow: PrivateAirflow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run a scheduler until the tests end; give its log."""
    log = tmp_path_factory.mktemp("scheduler") / "log"
    command = [sys.executable, "-m", "airflow", "scheduler", "--skip-serve-logs"]
    with log.open("w") as out:
        process = subprocess.Popen(command, env=airflow.env, stdout=out, stderr=subprocess.STDOUT)
    yield log
    process.terminate()
    process.wait(timeout=60)
