"""`make psql`: PostgreSQL's own shell on the warehouse, as an analyst, who sees what is published and nothing else."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deployment.errors import DeploymentError
from deployment.home import Home
from deployment.running import database, libpq_variables

ROLE = "analyst"


def open_shell(home: Home, sql: str | None) -> int:
    """Open psql, or run one statement with it, and give its exit code; PostgreSQL is started where it is down."""
    if not home.path.exists():
        raise DeploymentError(f"There is no {home.path} yet; `make demo` publishes the first days.")
    with database(home, "make psql") as postgres:
        command = [
            str(postgres.program("psql")),
            "--no-psqlrc",
            *(["--pset=pager=off", "--command", sql] if sql else []),
        ]
        with _ctrl_c_is_for_the_shell():
            variables = libpq_variables(postgres.dsn("warehouse", ROLE))
            return subprocess.run(command, env=variables, check=False).returncode  # noqa: S603 - psql


@contextmanager
def _ctrl_c_is_for_the_shell() -> Iterator[None]:
    """Let psql alone decide what Ctrl-C means: it stops a statement, not the shell, and not the server below it."""
    before: Any = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
