"""`make psql`: PostgreSQL's own shell on the warehouse, as an analyst, who sees what is published and nothing else."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from deployment.databases import make_databases
from deployment.errors import DeploymentError
from deployment.home import Home, Lock
from deployment.postgres_server import LocalPostgres

ROLE = "analyst"


def open_shell(home: Home, sql: str | None) -> int:
    """Open psql, or run one statement with it, and give its exit code; PostgreSQL is started where it is down."""
    if not home.path.exists():
        raise DeploymentError(f"There is no {home.path} yet; `make demo` publishes the first days.")
    with _running(home) as postgres:
        command = [
            str(postgres.program("psql")),
            "--no-psqlrc",
            *(["--pset=pager=off", "--command", sql] if sql else []),
        ]
        with _ctrl_c_is_for_the_shell():
            return subprocess.run(command, env=_environment(postgres), check=False).returncode  # noqa: S603 - psql


@contextmanager
def _running(home: Home) -> Iterator[LocalPostgres]:
    postgres, lock = LocalPostgres(home), Lock(home)
    if not lock.try_to_take("make psql"):
        yield postgres
        return
    try:
        postgres.start()
        make_databases(postgres)
        yield postgres
    finally:
        postgres.stop()
        lock.release()


@contextmanager
def _ctrl_c_is_for_the_shell() -> Iterator[None]:
    """Let psql alone decide what Ctrl-C means: it stops a statement, not the shell, and not the server below it."""
    before: Any = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _environment(postgres: LocalPostgres) -> dict[str, str]:
    """Give libpq's variables: unlike psql's arguments, other users cannot read them."""
    parts = conninfo_to_dict(postgres.dsn("warehouse", ROLE))
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {names[part]: str(value) for part, value in parts.items()}
