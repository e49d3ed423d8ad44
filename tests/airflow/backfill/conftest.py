"""A private Airflow for the backfill tests: a home, a database, an API server, small DAGs, pipelines of other zones.

The pipelines are added the way that a user adds one, a module each, to a copy of include/. Their DAGs have one
empty task, which the scheduler settles by itself: no worker is needed.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from daybook_airflow.api import AirflowApi
from deployment.environment import airflow_environment, metadata_database, with_this_shell, write_passwords
from deployment.home import HOST, Home, free_port
from deployment.processes.components import Component, stop_all
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres

ROOT = Path(__file__).parents[3]

DATABASE = "airflow_of_backfill_tests"
AIRFLOW = [sys.executable, "-m", "airflow"]
START_SECONDS = 120
LOGIN = ("DAYBOOK_API_URL", "DAYBOOK_API_TOKEN", "DAYBOOK_API_USER", "DAYBOOK_API_PASSWORD")

# One DAG a test: Airflow allows a DAG one open backfill, and without a scheduler none is ever closed.
ZONES = {
    "madrid_spring": "Europe/Madrid",
    "madrid_autumn": "Europe/Madrid",
    "madrid_waited": "Europe/Madrid",
    "in_utc": "UTC",
    "in_utc_paused": "UTC",
    "in_utc_batches": "UTC",
    "in_utc_token": "UTC",
    "in_utc_restart_paused": "UTC",
}

PIPELINE = """
from pipelines.flights import PIPELINE as FLIGHTS
from daybook.spec import Schedule, Target

SCHEDULE = Schedule(time_zone="{time_zone}", start=FLIGHTS.schedule.start)
WORDS = {{"name": "{name}", "target": Target(schema="{name}"), "schedule": SCHEDULE, "max_active_runs": 3}}
PIPELINE = FLIGHTS.model_copy(update=WORDS)
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

with DAG("in_no_pool", schedule="0 0 * * *", start_date=datetime.datetime(2013, 1, 1), catchup=False):
    EmptyOperator(task_id="nothing", pool="defualt_pool")
"""


class PrivateAirflow:
    """Airflow in a folder: its command line, its API, and programs that run until the tests end."""

    def __init__(self, folder: Path, postgres: LocalPostgres) -> None:
        self.home = Home(folder / "home")
        self.home.make()
        port, secrets = free_port(), postgres.secrets
        settings = airflow_environment(postgres, LocalFtp.of(self.home), f"file://{folder}", folder / "dags", port)
        settings |= {
            "AIRFLOW_HOME": str(self.home.airflow),
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home.airflow / "passwords.json"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_database(postgres, DATABASE),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home.logs),
            "PYTHONPATH": f"{folder / 'include'}{os.pathsep}{ROOT / 'config'}",
        }
        write_passwords(self.home, secrets)
        self.env = {name: value for name, value in with_this_shell(settings).items() if name not in LOGIN}
        self.url = f"http://{HOST}:{port}"
        self.admin, self.viewer = ("admin", secrets.admin), ("viewer", secrets.viewer)
        self.api = AirflowApi(self.url, *self.admin)
        self.api_server: Component | None = None

    def start(self, *words: str) -> Component:
        """Start a program of Airflow that runs until the tests end."""
        return Component(self.home, words[0], [*AIRFLOW, *words], self.env)

    def run(self, *words: str, python: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run an `airflow` command, or a piece of Python, to its end."""
        command = [sys.executable, "-c", python] if python else [*AIRFLOW, *words]
        env = self.env | variables
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    def backfill(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `airflow dags backfill`; with an environment of its own, if variables are given."""
        return self.run("dags", "backfill", *words, **variables)

    def begin_backfill(self, *words: str) -> subprocess.Popen[str]:
        """Start `airflow dags backfill`, to be listened to, as a terminal starts it."""
        return subprocess.Popen(
            [*AIRFLOW, "dags", "backfill", *words],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell's background job hands on that Ctrl-C is ignored; a command in a terminal does not.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )

    def runs(self, dag_id: str) -> list[tuple[str, str]]:
        """Return a DAG's runs in order: the logical date as UTC to the minute, and the state."""
        found = self.api.dag_runs(dag_id, order_by="logical_date")
        return [(_minute(run["logical_date"]), run["state"]) for run in found]

    def wait_until_it_answers(self) -> None:
        """Wait for the API server."""
        until = time.monotonic() + START_SECONDS
        while not self.api.health():
            assert time.monotonic() < until, "the API server does not answer"
            time.sleep(0.2)


def _minute(logical_date: str) -> str:
    return f"{datetime.fromisoformat(logical_date).astimezone(UTC):%Y-%m-%d %H:%M}"


@pytest.fixture(scope="package")
def airflow(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAirflow]:
    """An Airflow that knows the DAGs of ZONES and whose API server answers. No scheduler is running."""
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
    try:
        private.start("db", "migrate").finish(START_SECONDS)
        private.api_server = private.start("api-server")
        private.start("dags", "reserialize").finish(START_SECONDS)
        private.wait_until_it_answers()
        yield private
    finally:
        stop_all(private.home, grace_seconds=1)


@pytest.fixture(scope="package")
def scheduler(airflow: PrivateAirflow) -> Path:
    """Have a scheduler until the tests end; its log."""
    return airflow.start("scheduler", "--skip-serve-logs").log
