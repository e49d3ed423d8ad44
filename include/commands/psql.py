"""`./daybook psql`: PostgreSQL's own shell on the warehouse, as an analyst, who sees only published data.

With --source it is on the local source database, as its owner, who makes and fills the tables that pipelines read.
"""

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

# The database and the role, without --source and with it.
PUBLISHED, SOURCE = ("warehouse", "analyst"), ("source", "source_owner")

Sql = Annotated[str | None, typer.Argument(metavar="SQL", help="One statement to run instead.", show_default=False)]


IsSource = Annotated[
    bool, typer.Option("--source", help="Open the local source database as its owner, to fill tables of your own.")
]


def psql(sql: Sql = None, source: IsSource = False) -> int:
    r"""Open the warehouse as an analyst, or run one statement.

    An analyst sees only published data. With --source you make and fill tables in the source that `./daybook up`
    brings, by `\copy public.shops from shops.csv csv header` for instance. The exit code is 1 if the statement fails.

    Example: ./daybook psql 'table flights.by_airline'
    """
    home = Home.of_checkout()
    if source:
        home.make()
    if not home.path.exists():
        raise DeploymentError(f"There is no {home.path} yet; `./daybook demo` publishes the first days.")
    with database(home, "./daybook psql") as postgres:
        words = ["--pset=pager=off", "--command", sql] if sql else []
        command = [str(postgres.program("psql")), "--no-psqlrc", *words]
        with _ctrl_c_is_for_the_shell():
            variables = libpq_variables(postgres.dsn(*(SOURCE if source else PUBLISHED)))
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
