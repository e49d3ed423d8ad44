"""`./daybook psql`: PostgreSQL's own shell on the warehouse, as an analyst, who sees only published data."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from commands import exit_codes
from deployment.errors import DeploymentError
from deployment.home import Home
from deployment.running import database, libpq_variables

ROLE = "analyst"


Sql = Annotated[str | None, typer.Argument(metavar="SQL", help="One statement to run instead.", show_default=False)]


def psql(sql: Sql = None) -> int:
    """Open the warehouse as an analyst, or run one statement.

    An analyst sees only published data. The exit code is 1 if the statement fails.

    Example: ./daybook psql 'table flights.by_airline'
    """
    home = Home.of_checkout()
    if not home.path.exists():
        raise DeploymentError(f"There is no {home.path} yet; `./daybook demo` publishes the first days.")
    with database(home, "./daybook psql") as postgres:
        words = ["--pset=pager=off", "--command", sql] if sql else []
        command = [str(postgres.program("psql")), "--no-psqlrc", *words]
        with _ctrl_c_is_for_the_shell():
            variables = libpq_variables(postgres.dsn("warehouse", ROLE))
            ended = subprocess.run(command, env=variables, check=False).returncode  # noqa: S603 - psql
    return exit_codes.NOT_AS_ASKED if ended else exit_codes.DONE


@contextmanager
def _ctrl_c_is_for_the_shell() -> Iterator[None]:
    """Let psql alone decide what Ctrl-C means: it stops a statement, not the shell, and not the server below it."""
    before: Any = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
