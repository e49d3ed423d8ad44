"""One whole deployment for the tests here: servers, Airflow, the shipped pipeline and one of the test's own."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from deployment.environment import with_this_shell
from deployment.home import REPOSITORY, Home
from deployment.supervisor import Deployment

# One of two zones, twelve hours apart, whose next midnight is at least six hours away: the day that is due by itself is
# then the same while the tests run.
ZONE = "UTC" if 4 <= datetime.now(UTC).hour < 18 else "Etc/GMT-12"
YESTERDAY = datetime.now(ZoneInfo(ZONE)).date() - timedelta(days=1)

# Adding a pipeline is adding this one file.
WEATHER = f"""
from datetime import date

from daybook.spec import File, Measure, Pipeline, Ratio, Schedule, Summary, Target, day_date, decimal, text

READINGS = File(
    name="readings",
    connection="ftp",
    path="weather/{{day}}.csv",
    look_every_s=10,
    columns=(day_date("day", "read_on"), text("station"), decimal("rain", "rain_mm", digits=6, scale=1)),
    key=("station",),
)
PIPELINE = Pipeline(
    name="weather",
    description="Rain by day",
    files=(READINGS,),
    facts="readings",
    day_columns=("read_on",),
    measures=(Measure(name="stations", how="count"), Measure(name="rain_mm", how="sum", of="rain_mm")),
    ratios=(Ratio(name="mean_rain_mm", of="rain_mm", over="stations"),),
    summaries=(Summary(name="by_day", columns=("stations", "rain_mm", "mean_rain_mm")),),
    target=Target(schema="weather"),
    schedule=Schedule(start=date.fromisoformat("{YESTERDAY - timedelta(days=3)}"), time_zone="{ZONE}"),
)
"""
# The same in two parts a day.
TIDES = (
    WEATHER.replace("weather", "tides")
    .replace("{day}.csv", "{day}_{part}of{parts}.csv")
    .replace("look_every_s", "parts=2, is_written_whole=True, look_every_s")
)
# Yesterday's file is waited for until tonight; only then would the schedule itself begin the day.
LATE = (
    WEATHER.replace("weather", "late")
    .replace("from datetime import date\n", "from datetime import date, time\n")
    .replace("look_every_s", "cut_off=time(23, 59, 59), look_every_s")
    .replace("Schedule(start", 'Schedule(cron="59 23 * * *", start')
)
LATE_PARTS = LATE.replace("{day}.csv", "{day}_{part}of{parts}.csv").replace("look_every_s", "parts=2, look_every_s")
LATE_PARTS = LATE_PARTS.replace('"late', '"late_parts').replace("look_every_s", "is_written_whole=True, look_every_s")
# Its second source is a table that is waited for too.
LATE = LATE.replace("Summary, Target", "Summary, Table, TableReady, Target").replace(
    "    files=(READINGS,),",
    """    files=(READINGS,),
    tables=(Table(name="stations", connection="source_db", relation="public.late_stations", columns=(text("name"),),
        ready=TableReady(relation="public.late_loads", day="day", look_every_s=10, cut_off=time(23, 59, 59))),),""",
)
# Yesterday is no day of it, though its cron means every day.
CLOSED = WEATHER.replace('"weather', '"closed').replace(
    "Schedule(start", f'Schedule(closed=(date.fromisoformat("{YESTERDAY}"),), start'
)
# Both of its servers refuse it; the words of the refusals quote no secret.
LOCKED_OUT = WEATHER.replace('"weather', '"locked_out').replace('connection="ftp"', 'connection="ftp_wrong"')
LOCKED_OUT = LOCKED_OUT.replace(
    "    files=(READINGS,),",
    """    files=(READINGS,),
    tables=(Table(name="t", connection="source_wrong", relation="public.airlines", columns=(text("name"),)),),""",
).replace("Summary, Target", "Summary, Table, Target")
# A task that says in which variables of its process it finds which secret; and nothing of their values.
PROBE = """
import json
import os

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG


def found():
    secrets = json.loads(open(os.environ["PROBED"]).read())
    return {name: sorted(s for s in secrets if secrets[s] in value) for name, value in os.environ.items()}


with DAG("probe", schedule=None):
    PythonOperator(task_id="probe", python_callable=found)
"""
CANARY = "canary-aSecretThatNobodyMaySee"
READINGS = f"day,station,rain\n{YESTERDAY},A,1.5\n{YESTERDAY},B,2.0\n{YESTERDAY},C,\n"


@pytest.fixture(scope="package")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running deployment with the pipelines `flights`, which ships, and `weather` and `tides`, due daily."""
    folder = tmp_path_factory.mktemp("end_to_end")
    include = folder / "include"
    shutil.copytree(REPOSITORY / "include", include, ignore=shutil.ignore_patterns("__pycache__"))
    (include / "pipelines" / "weather.py").write_text(WEATHER)
    (include / "pipelines" / "tides.py").write_text(TIDES)
    (include / "pipelines" / "late.py").write_text(LATE)
    (include / "pipelines" / "late_parts.py").write_text(LATE_PARTS)
    (include / "pipelines" / "closed.py").write_text(CLOSED)
    (include / "pipelines" / "locked_out.py").write_text(LOCKED_OUT)
    # One word is wrong, so it does not load: everything here shows that it hurts no other pipeline.
    (include / "pipelines" / "snow.py").write_text(WEATHER.replace("facts=", "fact="))
    dags = folder / "dags"
    shutil.copytree(REPOSITORY / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    for number, code in enumerate(examples("docs/days.md")):
        (dags / f"follower_{number}.py").write_text(code)
    (dags / "probe.py").write_text(PROBE)
    with Deployment(folder / "home", folder / "data", dags, extra_environment=more(include, folder)) as running:
        (running.ftp.root / "weather").mkdir()
        (running.ftp.root / "weather" / f"{YESTERDAY}.csv").write_text(READINGS)
        for folder_of in ("tides", "late", "late_parts"):
            (running.ftp.root / folder_of).mkdir()
        for part in (1, 2):
            write_part(running, YESTERDAY, part)
        for dag in (
            "flights",
            "weather",
            "tides",
            "late",
            "late_parts",
            "closed",
            "after_flights",
            "each_day_of_flights",
            "each_week_of_flights",
            "locked_out",
            "probe",
        ):
            running.api.wait_for_dag(dag)
            running.api.unpause(dag)
        yield running


def write_part(deployment: Deployment, day: date, part: int, pipeline: str = "tides") -> None:
    """Deliver one of the two parts of a day: a station of its own."""
    file = deployment.ftp.root / pipeline / f"{day}_{part}of2.csv"
    file.write_text(f"day,station,rain\n{day},{part},1.5\n")


def due_run(deployment: Deployment, dag: str) -> str:
    """Wait for the only run that the scheduler makes by itself; its id."""
    until = time.monotonic() + 120
    while not (runs := [run for run in deployment.api.dag_runs(dag) if run["run_type"] == "scheduled"]):
        assert time.monotonic() < until, f"the scheduler started no run of `{dag}`"
        time.sleep(0.5)
    (run,) = runs
    return str(run["dag_run_id"])


def more(include: Path, folder: Path) -> dict[str, str]:
    """Return variables of the deployment's Airflow: our copy of the code, and connections whose passwords are wrong."""
    home = Home(folder / "home")
    home.make()
    wrong = {"login": "daybook", "password": CANARY, "host": "127.0.0.1"}
    ftp = {"conn_type": "ftp", "port": home.port("ftp"), "extra": {"insecure": True}}
    postgres = {"conn_type": "postgres", "port": home.port("postgres"), "schema": "source"}
    return {
        "PYTHONPATH": os.pathsep.join([str(include), str(REPOSITORY / "config")]),
        "AIRFLOW_CONN_FTP_WRONG": json.dumps(wrong | ftp),
        "AIRFLOW_CONN_SOURCE_WRONG": json.dumps(wrong | postgres | {"login": "source_reader"}),
        "PROBED": str(home.path / "secrets.json"),
        **lineage(home),
    }


def lineage(home: Home) -> dict[str, str]:
    """Return the variables with which two pipelines tell their lineage to a file."""
    transport = {"type": "file", "log_file_path": str(home.path / "lineage.jsonl"), "append": True}
    none = {"scope": {}, "controls": {"emit": False}}
    some = [{"scope": {"dag_id": dag}, "controls": {"emit": True}} for dag in ("weather", "tides")]
    return {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__EMISSION_POLICY": json.dumps([none, *some]),
    }


def examples(document: str) -> list[str]:
    """Return the files with DAGs in a document."""
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / document).read_text(), re.DOTALL)
    return [block for block in blocks if "with DAG(" in block]


def airflow(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Airflow's own command line in the deployment's environment."""
    command = ["airflow", *arguments]
    environment = with_this_shell(deployment.environment)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def rows(deployment: Deployment, query: str, role: str = "analyst") -> list[tuple[Any, ...]]:
    """Return what a role sees in the warehouse."""
    with psycopg.connect(deployment.postgres.dsn("warehouse", role)) as connection:
        return connection.execute(query.encode()).fetchall()


def published(deployment: Deployment, pipeline: str, day: object) -> Path:
    """Return the folder of a published day."""
    return Path(deployment.data.removeprefix("file://")) / "published" / pipeline / str(day)
