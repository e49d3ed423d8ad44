"""The commands about days: `make plan|status|why|trace|refused` ask, `make backfill|pause|resume|cancel` do.

The first are the package's; PostgreSQL and the FTP server are started for them where nothing runs. The others need
Airflow.
"""

import argparse
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from rich.console import Console

from daybook import connections
from daybook.__main__ import main as daybook
from daybook.asked import asked_days, pipeline_named
from daybook.ledger import step_log
from daybook.postgres.session import at_once
from deployment.control import cancel
from deployment.demo import DAG_ID
from deployment.errors import DeploymentError
from deployment.home import Home
from deployment.planned_backfill import backfill, tell
from deployment.running import attached, running, servers

OF_PACKAGE = ("plan", "status", "why", "trace", "refused")

console = Console(highlight=False, soft_wrap=True)


def is_of_package(words: list[str]) -> bool:
    """Return whether the words are a command of the package that needs no Airflow."""
    return bool(words) and words[0] in OF_PACKAGE


def ask(home: Home, words: list[str]) -> int:
    """Run a command of the package on this home's servers, and give its exit code."""
    with servers(home, f"make {words[0]}"):
        return daybook([words[0], *filter(None, words[1:])])


def add_to(commands: Any) -> None:
    """Add the commands that need Airflow to a parser's."""
    backfills = commands.add_parser("backfill", help="do what the plan of some days says")
    backfills.add_argument("--from", dest="first", type=date.fromisoformat, help="first day; else the schedule's")
    backfills.add_argument("--to", dest="last", type=date.fromisoformat, help="last day; else the last that is over")
    backfills.add_argument("--limit", type=int, help="run no more than so many days, the newest")
    backfills.add_argument("--batch", type=int, default=1, help="days in one run of Airflow")
    backfills.add_argument("--force", action="store_true", help="also what has not changed, or is held")
    backfills.set_defaults(run=_backfill)
    for name, says, run in (
        ("pause", "let nothing new of the pipeline begin", _pause),
        ("resume", "let it go on", _resume),
        ("cancel", "stop its backfills; no finished day turns failed", _cancel),
    ):
        commands.add_parser(name, help=says).set_defaults(run=run)
    for name in ("backfill", "pause", "resume", "cancel"):
        commands.choices[name].add_argument("pipeline", nargs="?", default=DAG_ID)


def _backfill(asked: argparse.Namespace) -> int:
    pipeline = pipeline_named(asked.pipeline)
    days = asked_days(pipeline, asked.first, asked.last, datetime.now(UTC))
    if asked.batch < 1 or (asked.limit is not None and asked.limit < 1):
        raise DeploymentError("BATCH and LIMIT are whole numbers over 0; nothing was done.")
    how = {"batch": asked.batch, "limit": asked.limit, "is_forced": asked.force}
    with running(Home.of_checkout(), "make backfill", console.print) as deployment:
        done = backfill(deployment.api, pipeline, days, console, **how)
    tell(done)
    return 0 if all(day.is_well for day in done) else 1


def _pause(asked: argparse.Namespace) -> None:
    pipeline = pipeline_named(asked.pipeline)
    attached(Home.of_checkout()).api.pause(pipeline.name)
    console.print(f"{pipeline.name} is paused: tasks at work end, and nothing else begins, daily runs neither.")


def _resume(asked: argparse.Namespace) -> None:
    pipeline = pipeline_named(asked.pipeline)
    attached(Home.of_checkout()).api.unpause(pipeline.name)
    console.print(f"{pipeline.name} goes on.")


def _cancel(asked: argparse.Namespace) -> None:
    pipeline = pipeline_named(asked.pipeline)
    api = attached(Home.of_checkout()).api
    connect = partial(connections.postgres, pipeline.target.connection)

    def came_to_its_end(run: str) -> bool:
        return at_once(connect, lambda session: step_log.came_to_its_end(session, pipeline.name, run))

    cancel.cancel(api, pipeline.name, came_to_its_end, partial(console.print, markup=False))
    console.print(f"{pipeline.name}: no backfill is left; what is published stays.")
