"""Where the secrets of a running deployment are, and where none is: each is made by chance, so it is a canary."""

import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict

from deployment.supervisor import Deployment

from .conftest import CANARY, YESTERDAY


@pytest.fixture(scope="module")
def refused(deployment: Deployment) -> Deployment:
    """The deployment after a run whose logins at both servers were refused."""
    run = deployment.api.trigger("locked_out", conf={"day": str(YESTERDAY)})
    assert deployment.api.wait_for_run("locked_out", run)["state"] == "failed"
    tries = {task["task_id"]: task["try_number"] for task in deployment.api.task_instances("locked_out", run)}
    assert (tries["extract_tables"], tries["extract_files"]) == (1, 1), "a refused login is not tried again"
    return deployment


def test_S1_G9_no_secret_is_in_any_log_database_published_file_or_command_line(refused: Deployment) -> None:
    secrets = {CANARY, *asdict(refused.postgres.secrets).values()}
    texts = dict(told(refused))
    assert any("530" in text and "locked_out" in name for name, text in texts.items()), "the refusal is told"
    assert any("password authentication failed" in text for text in texts.values())
    assert [name for name, text in texts.items() for secret in secrets if secret in text] == []


def told(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Return all that the deployment tells anybody: logs, both databases as a dump, the data folder, command lines."""
    files = [*deployment.home.logs.rglob("*"), *Path(deployment.data.removeprefix("file://")).rglob("*")]
    for file in files:
        if file.is_file():
            yield str(file), file.read_bytes().decode(errors="replace")
    # XComs, rendered fields, forms and the log of the UI are in the first, the ledger in the second.
    for database in ("airflow", "warehouse"):
        yield database, dumped(deployment, database)
    for process in psutil.process_iter(["cmdline"]):
        yield f"process {process.pid}", " ".join(process.info["cmdline"] or [])


def dumped(deployment: Deployment, database: str) -> str:
    """Return a database as SQL."""
    parts = conninfo_to_dict(deployment.postgres.dsn(database))
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    environment = {names[part]: str(value) for part, value in parts.items() if part in names}
    done = subprocess.run([deployment.postgres.program("pg_dump")], env=environment, capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


def test_G4_a_task_finds_the_secrets_of_the_scheduler_beside_which_it_runs_and_no_others(
    deployment: Deployment,
) -> None:
    # LocalExecutor's tasks are forks of the scheduler: docs/security.md says what that means.
    run = deployment.api.trigger("probe")
    assert deployment.api.wait_for_run("probe", run)["state"] == "success"
    found = {name: secrets for name, secrets in deployment.api.xcom("probe", run, "probe").items() if secrets}  # type: ignore[attr-defined]
    assert found == {
        "AIRFLOW_CONN_FTP": ["ftp"],
        "AIRFLOW_CONN_SOURCE_DB": ["source_reader"],
        "AIRFLOW_CONN_WAREHOUSE": ["warehouse_owner"],
        "AIRFLOW__API_AUTH__JWT_SECRET": ["jwt_secret"],
        "AIRFLOW__API__SECRET_KEY": ["api_secret_key"],
        "AIRFLOW__CORE__FERNET_KEY": ["fernet_key"],
    }
