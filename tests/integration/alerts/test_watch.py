"""`./daybook watch` over a real warehouse: a late day and a place that is behind, told once, and when it is over."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from daybook.spec import Pipeline
from deployment.environment import connections
from deployment.home import REPOSITORY
from tests.support.receivers import Receivers, receivers
from tests.support.sales import file_of
from tests.support.servers import Servers, run_steps

NAME = "late_sales"
SPEC = f"""
from datetime import date

from daybook.spec import File, Measure, Pipeline, Plausible, Schedule, Summary, Target, day_date, integer, text

SALES = File(
    name="sales",
    connection="ftp",
    path="{NAME}/{{day}}.csv",
    columns=(day_date("day", "sold_on"), text("shop"), integer("pieces")),
    is_written_whole=True,
)
PIPELINE = Pipeline(
    name="{NAME}",
    description="Pieces sold by day",
    files=(SALES,),
    facts="sales",
    day_columns=("sold_on",),
    measures=(Measure(name="shops", how="count"),),
    summaries=(Summary(name="by_day", columns=("shops",)),),
    plausible=Plausible(within_pct=None),
    target=Target(schema="{NAME}"),
    also=(Target(connection="source_db", schema="{NAME}_copy"),),
    schedule=Schedule(start=date.fromisoformat("{{start}}"), due="00:01"),
)
"""


@pytest.fixture
def received() -> Iterator[Receivers]:
    """A mail server."""
    found = receivers()
    with found.mail_server():
        yield found


def test_a_late_day_and_a_further_target_that_is_behind_are_told_once_and_again_when_it_is_over(
    servers: Servers, received: Receivers, tmp_path: Path
) -> None:
    # Two days that are over, whatever the time is.
    days = [datetime.now(UTC).date() - timedelta(days=number) for number in (3, 2)]
    file = tmp_path / "modules" / "pipelines" / "late.py"
    file.parent.mkdir(parents=True)
    (file.parent / "__init__.py").touch()
    file.write_text(SPEC.replace('"{start}")', f'"{days[0]}"), end=date.fromisoformat("{days[1]}")'))
    (servers.ftp.root / NAME).mkdir(exist_ok=True)
    for day in days:
        (servers.ftp.root / NAME / f"{day}.csv").write_text(file_of(day, 3))
    environment = {
        **os.environ,
        **connections(servers.postgres, servers.ftp),
        **received.connections(),
        **{"DAYBOOK_ALERTS_TO": "ops@example.com", "DAYBOOK_DATA": str(tmp_path / "data")},
        # No API server is there, which is told too.
        **{"DAYBOOK_API_URL": "http://127.0.0.1:9", "DAYBOOK_HOME": str(tmp_path / "home")},
        "PYTHONPATH": os.pathsep.join([str(file.parents[1]), str(REPOSITORY / "include")]),
    }
    command = [sys.executable, "-m", "commands", "watch", "--json"]

    def watch() -> list[str]:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1, done.stderr
        late: list[str] = json.loads(done.stdout)["late"][NAME]
        return late

    watch()
    assert watch() == [str(day) for day in days]
    late = f"[daybook] {NAME} {days[0]} to {days[1]}: late"
    told = ["[daybook] api-server: does not answer", late]
    # Those of one look come in any order.
    assert sorted(received.subjects()) == sorted(told)
    assert "due at 00:01 in UTC" in text_of(received, late)
    run_steps(servers.work(pipeline_of(file), str(days[0]), "run"), servers)
    # Its role may not write into the further target.
    assert watch() == watch() == [str(days[1])]
    behind = f"[daybook] {NAME} {days[0]}: a place that follows is behind"
    told += [f"[daybook] {NAME} {days[0]}: published after its time", behind]
    assert sorted(received.subjects()) == sorted(told)
    said = text_of(received, behind)
    assert f"target source_db.{NAME}_copy owes run " in said
    assert "tries that failed: 1, the last: " in said
    assert f"Again: ./daybook export --pipeline {NAME}" in said
    may_write, connection = conninfo_to_dict(servers.postgres.dsn("source")), environment["AIRFLOW_CONN_SOURCE_DB"]
    login = {"login": may_write["user"], "password": may_write["password"]}
    environment["AIRFLOW_CONN_SOURCE_DB"] = json.dumps({**json.loads(connection), **login})
    export = [sys.executable, "-m", "commands", "export", "--pipeline", NAME]
    done = subprocess.run(export, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    watch()
    assert received.subjects()[len(told) :] == [f"[daybook] {NAME} {days[0]}: every place has what readers see"]


def text_of(received: Receivers, subject: str) -> str:
    """Return the text of the one mail with a subject."""
    (mail,) = [mail for mail in received.mails if mail["Subject"] == subject]
    return str(next(mail.iter_parts()).get_content())


def pipeline_of(file: Path) -> Pipeline:
    """Return the pipeline of a module."""
    spec = importlib.util.spec_from_file_location("late", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Pipeline = module.PIPELINE
    return found
