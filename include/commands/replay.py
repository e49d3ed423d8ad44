"""`./daybook replay DAY FILE --why WHY`: keep the rows that a person mended in a file of `refused`, and run the day.

It checks all of them first, and keeps all or none. The day uses them as long as its files are the same. If the
environment names servers that are not this checkout's own, somebody has to run the day there.
"""

from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from commands import connections, exit_codes
from commands.arguments import USER, Day, Json, PipelineName, Quiet, Who, Why, check_may_run, pipeline_named
from commands.output import say, tell_json
from commands.published_days import run_day, tell_day
from commands.renamed import take_over
from commands.servers import airflow_of, are_named
from commands.wrong_words import WrongWords
from daybook.postgres.session import at_once
from daybook.refused.file import Filled, read_filled
from daybook.refused.replay import Person, keep
from daybook.refused.replay import withdraw as withdrawn
from daybook.spec import Pipeline

FileAsked = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The file of `refused --out`, with its column mended filled in.")
]
Withdraw = Annotated[bool, typer.Option("--withdraw", help="Take back all mends of the day instead.")]


class Asked(NamedTuple):
    """A request: the day, the mended rows of a file, and the person who mended them. Without a file, to withdraw."""

    pipeline: Pipeline
    day: date
    file: Path | None
    filled: list[Filled]
    by: Person


def replay(
    day: Day,
    file: FileAsked = None,
    why: Why = "",
    who: Who = USER,
    withdraw: Withdraw = False,
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Keep the rows that were mended, and run the day with them.

    All rows are checked first, and all or none are kept.

    Example: ./daybook replay 2013-01-05 refused.csv --why 'the airline told us the time'
    """
    asked = _asked(pipeline_named(pipeline), day, file, " ".join(why.split()), who, withdraw)
    if are_named(asked.pipeline):
        _tell_kept(asked, keep_asked(asked), json)
        return exit_codes.DONE
    with airflow_of(asked.pipeline, "replay") as deployment:
        done = keep_asked(asked)
        if not json:
            say(told(asked, done))
        row = run_day(deployment, asked.pipeline, day)
    tell_day(asked.pipeline, row, done if json else None)
    return exit_codes.DONE


def _asked(pipeline: Pipeline, day: date, file: Path | None, why: str, who: str, is_withdrawn: bool) -> Asked:
    check_may_run(pipeline, day)
    if is_withdrawn == bool(file):
        raise WrongWords("replay: expected a FILE with mended rows, or --withdraw; nothing was done")
    if file and not why:
        raise WrongWords("replay: --why is not given; nothing was kept; say why the rows are as you wrote them")
    if file and not file.is_file():
        raise WrongWords(f"{file}: No such file or directory; nothing was kept")
    # Read first, because a whole deployment takes a while to start.
    filled = read_filled(file) if file else []
    return Asked(pipeline, day, file, filled, Person(" ".join(who.split()), why))


def _tell_kept(asked: Asked, done: dict[str, Any], is_json: bool) -> None:
    if is_json:
        tell_json({"pipeline": asked.pipeline.name, "day": asked.day, **done})
        return
    say(told(asked, done))
    say(f"now run the day: trigger the DAG {asked.pipeline.name} with that day")


def keep_asked(asked: Asked) -> dict[str, Any]:
    """Keep or withdraw the mends, and return what was done; connections and data folder are the environment's."""
    take_over(asked.pipeline)
    connect, data = partial(connections.postgres, asked.pipeline.target.connection), connections.data()
    file = asked.file
    if file is None:
        return {"withdrawn": at_once(connect, lambda session: withdrawn(session, data, asked.pipeline, asked.day))}
    day = (data, asked.pipeline, asked.day)
    return at_once(connect, lambda session: keep(session, *day, file.name, asked.filled, asked.by))._asdict()


def told(asked: Asked, done: dict[str, Any]) -> str:
    """Return a line about what was done."""
    what = f"{asked.pipeline.name} {asked.day}"
    if asked.file is None:
        return f"{what}: {done['withdrawn']} mends are withdrawn"
    new, now = (", ".join(f"{name} {count}" for name, count in done[word].items()) for word in ("new", "now"))
    return f"{what}: mends kept: {now}; of these new: {new or 'none'}; they are for the files of run {done['run']}"
