"""`./daybook rollback DAY`: readers of a day see an earlier run of it.

DAYBOOK_WAREHOUSE, a connection string of libpq, names a warehouse in place of the environment's or this checkout's.
"""

from datetime import date
from functools import partial
from typing import Annotated, Literal

import typer

from commands import connections, exit_codes
from commands.arguments import USER, Day, Json, PipelineName, Quiet, Who, Why, pipeline_named
from commands.output import say, tell_json
from commands.renamed import take_over
from commands.servers import servers_of
from commands.wrong_words import WrongWords
from daybook.ledger.exports import is_target
from daybook.postgres.session import at_once
from daybook.publish.exports import Exporter
from daybook.publish.finished_periods import follow_periods
from daybook.publish.published_folder import follow
from daybook.publish.rollback import RolledBack, take_back
from daybook.publish.rollback import rollback as rolled_back
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
        targets = _targets_follow(chosen, day, dsn)
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


def _targets_follow(pipeline: Pipeline, day: date, dsn: str) -> dict[str, str]:
    """Let the further targets follow at once; return what became of each. One that is away still owes it."""
    if not pipeline.also:
        return {}
    warehouse = partial(connections.postgres_of, dsn)
    exporter = Exporter(pipeline, connections.data(), warehouse, connections.files, connections.postgres)
    targets = [debt for debt in exporter.owed() if debt.day == day and is_target(debt.export)]
    return {debt.export: exporter.pay(debt) or exporter.why_not(debt) for debt in targets}


Target = int | Literal["nothing"] | None
"""The run to go back to: its number, none at all, or the one before."""


def _target(to: str | None) -> Target:
    if to is None:
        return None
    if to == "nothing":
        return "nothing"
    if to.isascii() and to.isdecimal() and int(to):
        return int(to)
    raise WrongWords(
        f"rollback: --to {to} is no run; nothing was changed; expected a run's number, as `why` shows it, or nothing"
    )


def roll_back(
    pipeline: Pipeline, day: date, dsn: str, data: DataFolder, who: str, why: str, to: Target = None
) -> RolledBack:
    """Roll a day back in the warehouse, and let the published folder follow. dsn: libpq's."""

    connect = partial(connections.postgres_of, dsn)
    if to == "nothing":
        done = at_once(connect, lambda connection: take_back(connection, pipeline, day, who, why))
    else:
        done = at_once(connect, lambda connection: rolled_back(connection, pipeline, day, data, who, why, to))
    at_once(connect, lambda connection: follow(connection, data, pipeline.name, day))
    at_once(connect, lambda connection: follow_periods(connection, data, pipeline))
    return done
