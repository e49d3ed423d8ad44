"""The commands of docs/pipeline.md put a table and a file of one's own into the local source, and its pipeline runs."""

import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daybook.spec import Pipeline
from deployment.home import REPOSITORY, Home
from deployment.running import database, servers
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers, run_steps

DOCUMENT = (REPOSITORY / "docs" / "pipeline.md").read_text()
MODULE = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)[0]
COMMANDS = [line[2:] for line in DOCUMENT.splitlines() if line.startswith("$ ")]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout with the pipeline of the document, and its input beside it."""
    for name in ("include", "config"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("daybook", "requirements.lock"):
        shutil.copy2(REPOSITORY / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to((REPOSITORY / ".venv").resolve())
    os.utime(tmp_path / "requirements.lock", (0, 0))
    (tmp_path / "include" / "pipelines" / "sales.py").write_text(MODULE)
    (tmp_path / "shops.csv").write_text("shop,city\nA1,Bilbao\nA2,Málaga\n")
    sales = "id;day;shop;amount\n1;2026-01-10;A1;2.50\n2;2026-01-10;A2;1.00\n3;2026-01-10;A1;0.50\n"
    (tmp_path / "sales_2026-01-10.csv").write_text(sales)
    return tmp_path


def pipeline() -> Pipeline:
    """Return the pipeline of the document; its file is not looked at twice, which takes a minute."""
    words: dict[str, Any] = {}
    exec(MODULE, words)  # noqa: S102 - our own document
    made: Pipeline = words["PIPELINE"]
    files = tuple(file.model_copy(update={"is_written_whole": True}) for file in made.files)
    return made.model_copy(update={"files": files})


def typed(checkout: Path, command: str) -> str:
    """Type a command in the checkout; return what it said. It must be done."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "DAYBOOK", "PG"))}
    done = subprocess.run(["bash", "-c", command], cwd=checkout, env=own, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_the_document_s_commands_fill_the_source_and_its_pipeline_publishes_the_day(checkout: Path) -> None:
    assert len(COMMANDS) == 4
    said = [typed(checkout, command) for command in COMMANDS]
    assert said[1] == "COPY 2\n"
    assert said[3].startswith("sales_2026-01-10.csv: 3 rows, 3 accepted, 0 refused")
    home = Home(checkout / ".daybook")
    with servers(home, "a test"):
        local = Servers(LocalPostgres(home), LocalFtp.kept(home), checkout / "data")
        run_steps(local.work(pipeline(), "2026-01-10", "run"), local)
        rows = local.rows("select day, city, sales from sales.by_city order by city")
    assert rows == [(date(2026, 1, 10), "Bilbao", 2), (date(2026, 1, 10), "Málaga", 1)]


def test_a_pipeline_may_read_a_table_in_any_schema_of_the_owner_s_and_change_none(checkout: Path) -> None:
    typed(checkout, "./daybook psql --source 'create schema crm'")
    typed(checkout, "./daybook psql --source 'create table crm.shops as select 1 as shop'")
    with database(home := Home(checkout / ".daybook"), "a test"):
        dsn = LocalPostgres(home).dsn("source", "source_reader")
        with psycopg.connect(dsn, autocommit=True) as reader:
            assert reader.execute("table crm.shops").fetchall() == [(1,)]
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                reader.execute("delete from crm.shops")
