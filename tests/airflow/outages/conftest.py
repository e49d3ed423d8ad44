"""One whole deployment of which the tests here kill parts, over a pipeline whose files a test delivers."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.spec import Pipeline
from deployment.home import REPOSITORY
from deployment.supervisor import Deployment
from tests.support.invariants import Invariants
from tests.support.receivers import Receivers, receivers
from tests.support.servers import Servers

from .outage import SECONDS, Outage

NAME = "outages"
EVENTS = "events.jsonl"
PIPELINE = f"""
from pipelines.flights import PIPELINE as FLIGHTS

file = FLIGHTS.files[0].model_copy(
    update={{"path": "{NAME}/flights_{{day:%Y-%m-%d}}.csv", "is_written_whole": True}}
)
target = FLIGHTS.target.model_copy(update={{"schema_": "{NAME}"}})
PIPELINE = FLIGHTS.model_copy(update={{"name": "{NAME}", "target": target, "files": (file,)}})
"""
# A pipeline whose days are the last ones, west of UTC; nobody lets it run at first.
MISSED = "missed"
LATELY = f"""
from datetime import date

from daybook.spec import File, Measure, Pipeline, Plausible, Schedule, Summary, Target, day_date, integer, text

SALES = File(
    name="sales",
    connection="ftp",
    path="{MISSED}/{{day}}.csv",
    columns=(day_date("day", "sold_on"), text("shop"), integer("pieces")),
    is_written_whole=True,
)
PIPELINE = Pipeline(
    name="{MISSED}",
    description="Pieces sold by day",
    files=(SALES,),
    facts="sales",
    day_columns=("sold_on",),
    measures=(Measure(name="shops", how="count"),),
    summaries=(Summary(name="by_day", columns=("shops",)),),
    plausible=Plausible(within_pct=None),
    target=Target(schema="{MISSED}"),
    schedule=Schedule(time_zone="America/New_York", start=date(2026, 1, 1)),
)
"""
# A pipeline whose first task may take three seconds, and is tried three times.
OVERTIME, OVERTIME_S = "overtime", 3
SHORT_OF_TIME = f"""
    if pipeline.name == "{OVERTIME}":
        extract_tables.execution_timeout, extract_tables.retries = timedelta(seconds={OVERTIME_S}), 2
"""
# Handlers of every event, of all pipelines.
HANDLERS = """
import json
from pathlib import Path

from daybook.events.handlers import on_event
from daybook.events.happening import Event, Happening


def note(happening: Happening) -> None:
    words = [happening.event.name, happening.pipeline, happening.step, happening.run, happening.error]
    with Path(FILE).open("a") as file:
        file.write(json.dumps([*words, len(happening.days)]) + "\\n")


for event in Event:
    on_event(event)(note)
"""
# Airflow's own limits, shortened: after how long it looks for what has died, and for what gives no sign of life. Much
# shorter, and a busy machine's scheduler takes itself for dead, and its tasks for orphans, again and again.
QUICK = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
}
DAYS = [f"2013-01-{number:02}" for number in range(5, 18)]
OLD, NEW = 40, 50  # rows of a day as it was published before, and as it comes next


@pytest.fixture(scope="package")
def received() -> Iterator[Receivers]:
    """A mail server that the deployment's alerts come to."""
    found = receivers()
    with found.mail_server():
        yield found


@pytest.fixture(scope="package")
def deployment(tmp_path_factory: pytest.TempPathFactory, received: Receivers) -> Iterator[Deployment]:
    """A running deployment with the pipeline `outages`, whose tasks pause two seconds before they are tried again."""
    folder = tmp_path_factory.mktemp("outages")
    include = folder / "include"
    shutil.copytree(REPOSITORY / "include", include, ignore=shutil.ignore_patterns("__pycache__"))
    (include / "pipelines" / f"{NAME}.py").write_text(PIPELINE)
    (include / "pipelines" / f"{MISSED}.py").write_text(LATELY)
    (include / "pipelines" / f"{OVERTIME}.py").write_text(PIPELINE.replace(NAME, OVERTIME))
    (include / "pipelines" / "_events.py").write_text(HANDLERS.replace("FILE", repr(str(folder / EVENTS))))
    (folder / "dags").mkdir()
    shutil.copy(REPOSITORY / "dags" / "broken_pipelines.py", folder / "dags")
    dags = (REPOSITORY / "dags" / "daybook.py").read_text()
    (folder / "dags" / "daybook.py").write_text(f"from datetime import timedelta\n{dags}{SHORT_OF_TIME}")
    tasks = include / "daybook_airflow" / "schedule.py"
    tasks.write_text(with_short_pauses(tasks.read_text()))
    holding = include / "daybook_airflow" / "tasks.py"
    holding.write_text(with_short_patience(holding.read_text()))
    away = include / "daybook" / "run" / "away.py"
    away.write_text(with_short_waits(away.read_text()))
    path = os.pathsep.join([str(include), str(REPOSITORY / "config")])
    told = {"DAYBOOK_ALERTS_TO": "ops@example.com", **received.connections()}
    surroundings = {**QUICK, **told, "PYTHONPATH": path}
    with Deployment(folder / "home", folder / "data", folder / "dags", extra_environment=surroundings) as running:
        running.api.wait_for_dag(NAME)
        running.api.unpause(NAME)
        yield running


def with_short_pauses(tasks: str) -> str:
    """Return the text of schedule.py with two seconds between tries."""
    long, short = '"retry_delay": timedelta(seconds=30)', '"retry_delay": timedelta(seconds=2)'
    assert long in tasks
    return tasks.replace(long, short)


def with_short_patience(tasks: str) -> str:
    """Return the text of tasks.py with nine seconds for a person to decide on a held day."""
    long = "OPEN_FOR = timedelta(hours=22)"
    assert long in tasks
    return tasks.replace(long, "OPEN_FOR = timedelta(hours=0.0025)")


def with_short_waits(away: str) -> str:
    """Return the text of away.py with two seconds between looks at a server that is away."""
    for wait in ("FIRST_WAIT = timedelta(seconds=30)", "LONGEST_WAIT = timedelta(minutes=15)"):
        assert wait in away
        away = away.replace(wait, f"{wait.partition(' ')[0]} = timedelta(seconds=2)")
    return away


@pytest.fixture(scope="package")
def pipeline(deployment: Deployment) -> Pipeline:
    """The pipeline as the deployment has it."""
    return pipeline_of(deployment, NAME)


def pipeline_of(deployment: Deployment, name: str) -> Pipeline:
    """Return a pipeline as the deployment has it."""
    file = Path(deployment.environment["PYTHONPATH"].split(os.pathsep)[0]) / "pipelines" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Pipeline = module.PIPELINE
    return found


@pytest.fixture(scope="package")
def published(deployment: Deployment, pipeline: Pipeline) -> Invariants:
    """The pipeline with its days published, by one run."""
    data = Path(deployment.data.removeprefix("file://"))
    invariants = Invariants(Servers(deployment.postgres, deployment.ftp, data), pipeline)
    for day in DAYS:
        invariants.deliver(day, OLD)
    run = deployment.api.trigger(NAME, conf={"days": DAYS})
    assert deployment.api.wait_for_run(NAME, run, seconds=SECONDS)["state"] == "success"
    return invariants


@pytest.fixture
def outage(deployment: Deployment, published: Invariants) -> Outage:
    """The deployment with days published, and with all that a test before has killed."""
    deployment.keep_up()
    return Outage(deployment, published)
