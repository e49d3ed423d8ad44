"""`./daybook rollback DAY`: readers of a day see an earlier run of it.

DAYBOOK_WAREHOUSE, a connection string of libpq, names a warehouse in place of the environment's or this checkout's.
"""

from datetime import date
from functools import partial
from typing import Annotated

import typer

from commands import connections, exit_codes
from commands.arguments import USER, Day, Json, PipelineName, Quiet, Who, Why, pipeline_named
from commands.output import say, tell_json
from commands.renamed import take_over
from commands.servers import servers_of
from commands.wrong_words import WrongWords
from daybook.publish import rollback_everywhere
from daybook.publish.rollback import RolledBack
from daybook.publish.rollback_everywhere import Target, as_target, targets_follow
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.text import one_line

EXPORTS_ARE_OWED = "Its exports are owed now: the next run sends them, and so does `./daybook export`."
EXPORTS_STAY = "What its exports sent stays at the other places: have it removed there."


def rollback(
    day: Day,
    to: Annotated[
        str | None, typer.Option("--to", metavar="RUN", help="The run's number, or nothing; else the run before.")
    ] = None,
    why: Why = "not given",
    who: Who = USER,
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Let readers of a day see an earlier run of it, or none: `--to nothing`.

    A later run with the same result as the one rolled back is held until a person releases it.

    Example: ./daybook rollback 2013-01-05 --why 'the airline sent a wrong file'
    """
    chosen, target = pipeline_named(pipeline), _target(to)
    with servers_of(chosen, "rollback"):
        take_over(chosen)
        dsn = connections.warehouse_dsn(chosen.target.connection)
        done = roll_back(chosen, day, dsn, connections.data(), who, why, target)
        warehouse = partial(connections.postgres_of, dsn)
        places = (connections.data(), connections.files, connections.postgres)
        targets = targets_follow(chosen, day, warehouse, *places)
    if json:
        tell_json({"pipeline": chosen.name, "day": day, **done._asdict(), "targets": targets})
    else:
        tell(f"{chosen.name} {day}", done)
        if chosen.exports:
            say(EXPORTS_STAY if done.now is None else EXPORTS_ARE_OWED)
        for name, what in targets.items():
            say(one_line(f"target {name}: {what}"))
    return exit_codes.DONE


def tell(where: str, done: RolledBack) -> None:
    """Say what readers see now, and what is held from now on."""
    say(f"{where}: readers see {_in_words(done.now)} now; they saw {_in_words(done.before)} before.")
    if done.before:
        say(f"A later run that comes to what run {done.before} had is held until a person releases it.")
    if done.now is None:
        say(f"Its rows and files are kept as the spec's `keep_runs` says; `--to {done.before}` shows it again.")


def _in_words(run_id: int | None) -> str:
    return f"run {run_id}" if run_id else "no run of the day"


def _target(to: str | None) -> Target:
    try:
        return None if to is None else as_target(to)
    except ValueError:
        expected = "expected a run's number, as `why` shows it, or nothing"
        raise WrongWords(f"rollback: --to {to} is no run; nothing was changed; {expected}") from None


def roll_back(
    pipeline: Pipeline, day: date, dsn: str, data: DataFolder, who: str, why: str, to: Target = None
) -> RolledBack:
    """Roll a day back in the warehouse, and let the published folder follow. dsn: libpq's."""
    return rollback_everywhere.roll_back(pipeline, day, partial(connections.postgres_of, dsn), data, who, why, to)
