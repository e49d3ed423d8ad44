"""The days of which a step is at work, and how far it is: for `./daybook status`, once or until none is."""

import time
from datetime import date
from typing import Annotated

import typer

from commands import connections
from commands.output import progress
from daybook.ledger import turns
from daybook.postgres.session import OpenPostgres, at_once
from daybook.spec import Pipeline
from daybook.storage.progress import latest
from daybook.text import one_line

WATCH_S = 2.0
Watch = Annotated[bool, typer.Option("--watch", help="First show how far the steps at work are, until none is.")]


def at_work(connect: OpenPostgres, pipeline: Pipeline) -> list[str]:
    """Return a sentence for each day of which a step is at work; the data folder is the environment's."""
    days = at_once(connect, lambda session: turns.days_at_work(session, pipeline.name))
    return [_of_day(pipeline, day) for day in days]


def watched(connect: OpenPostgres, pipeline: Pipeline) -> list[str]:
    """Show what is at work every two seconds, until nothing is; return that nothing is."""
    while work := at_work(connect, pipeline):
        for sentence in work:
            progress(one_line(sentence))
        time.sleep(WATCH_S)
    return []


def _of_day(pipeline: Pipeline, day: date) -> str:
    folder = connections.data().day(pipeline.name, day)
    found = latest([folder / name for name in folder.names()])
    return f"{day}, {found.step}: {found.noted.sentence}" if found else f"{day}: a step is at work"
