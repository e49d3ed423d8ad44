"""`python -m daybook replay [PIPELINE] DAY FILE --why WHY`: keep the rows that a person mended in a file of `refused`.

It checks all of them first, and keeps all or none. The day has to be run then; it takes them as long as its files are
the same. --withdraw takes back what was kept. The exit code is 0.
"""

import argparse
import getpass
import socket
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from daybook import connections
from daybook.asked import parser, pipeline_named, with_pipeline
from daybook.errors import BadSpec
from daybook.postgres.session import at_once
from daybook.refused.file import Filled, read_filled
from daybook.refused.replay import Person, keep, withdraw
from daybook.spec import Pipeline
from daybook.telling import tell_json


class Asked(NamedTuple):
    """What is to be kept of which day: the rows that are filled in a file, and by whom; no file withdraws."""

    pipeline: Pipeline
    day: date
    file: Path | None
    filled: list[Filled]
    by: Person
    is_json: bool


def main(words: list[str]) -> int:
    """Keep what the command line names, and say how the day is run. Returns the exit code."""
    asked = asked_of(words)
    done = do(asked)
    if asked.is_json:
        tell_json({"pipeline": asked.pipeline.name, "day": asked.day, **done})
        return 0
    print(told(asked, done))
    print(f"now run the day: make day DAY={asked.day}, or trigger the DAG {asked.pipeline.name} with that day")
    return 0


def asked_of(words: list[str]) -> Asked:
    """Return what the words ask for, the file read. Raises BadSpec or BadData if that is nothing."""
    asked = _parser().parse_args(with_pipeline(words))
    pipeline, why = pipeline_named(asked.pipeline), " ".join(asked.why.split())
    if asked.withdraw == bool(asked.file):
        raise BadSpec("replay: expected a FILE with mended rows, or --withdraw; nothing was done")
    if asked.file and not why:
        raise BadSpec("replay: --why is not given; nothing was kept; say why the rows are as you wrote them")
    filled = read_filled(asked.file) if asked.file else []
    return Asked(pipeline, asked.day, asked.file, filled, Person(" ".join(asked.who.split()), why), asked.json)


def do(asked: Asked) -> dict[str, Any]:
    """Keep or withdraw what is asked, and give what was done; connections and data folder are the environment's."""
    connect, data = partial(connections.postgres, asked.pipeline.target.connection), connections.data()
    file = asked.file
    if file is None:
        return {"withdrawn": at_once(connect, lambda session: withdraw(session, data, asked.pipeline, asked.day))}
    day = (data, asked.pipeline, asked.day)
    return at_once(connect, lambda session: keep(session, *day, file.name, asked.filled, asked.by))._asdict()


def told(asked: Asked, done: dict[str, Any]) -> str:
    """Return a line about what was done."""
    what = f"{asked.pipeline.name} {asked.day}"
    if asked.file is None:
        return f"{what}: {done['withdrawn']} mends are withdrawn"
    new, now = (", ".join(f"{name} {count}" for name, count in done[word].items()) for word in ("new", "now"))
    return f"{what}: mends kept: {now}; of these new: {new or 'none'}; they are for the files of run {done['run']}"


def _parser() -> argparse.ArgumentParser:
    made = parser("replay", "Keep the rows that were mended in a file of `daybook refused --out`.")
    made.add_argument("day", type=date.fromisoformat, help="the day, such as 2013-01-05")
    made.add_argument("file", type=Path, nargs="?", help="the file, with the column `mended` filled where wanted")
    made.add_argument("--why", default="", help="kept in the ledger with the publication")
    user = f"{getpass.getuser()}@{socket.gethostname()}"
    made.add_argument("--who", default=user, help=f"kept in the ledger; else {user}")
    made.add_argument("--withdraw", action="store_true", help="take back all mends of the day instead")
    return made
