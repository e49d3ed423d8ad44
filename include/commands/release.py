"""`./daybook release`: publishes held days, because a person says that their numbers are right."""

from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated

import typer

from commands import connections, exit_codes
from commands.arguments import Json, PipelineName, Quiet, Why, as_day, asked_days, check_may_run, pipeline_named
from commands.output import console, say, tell_json
from commands.planned_backfill import Done, release_days, tell
from commands.published_days import run_day, tell_day
from commands.renamed import as_known
from commands.servers import airflow_of, servers_of
from commands.wrong_words import WrongWords
from daybook.errors import BadSpec
from daybook.ledger import step_log
from daybook.ledger.queries import is_begun
from daybook.planning.standing import Failure
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline

HeldDay = Annotated[
    date | None,
    typer.Argument(parser=as_day, metavar="[DAY]", help="A local day, such as 2013-01-05.", show_default=False),
]
FirstHeld = Annotated[date | None, typer.Option("--from", parser=as_day, metavar="DAY", help="First day of a range.")]
LastHeld = Annotated[date | None, typer.Option("--to", parser=as_day, metavar="DAY", help="Last day of a range.")]


def release(
    day: HeldDay = None,
    first: FirstHeld = None,
    last: LastHeld = None,
    why: Why = "",
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Publish a held day, or all held days of a range, although their numbers are implausible, or were rolled back.

    The ledger keeps the reason with each publication. Days of the range that are not held are left as they are.

    Example: ./daybook release 2013-01-05 --why 'a storm closed the airports'
    """
    chosen, reason = pipeline_named(pipeline), " ".join(why.split())
    if (day is None) == (first is None and last is None) or (first is None) != (last is None):
        raise WrongWords("release: give one DAY, or --from DAY and --to DAY; nothing was done")
    if day is not None:
        check_may_run(chosen, day)
    days = [day] if day else asked_days(chosen, first, last, datetime.now(UTC))
    if not reason:
        raise WrongWords("release: --why is not given; nothing was done; say why the day's numbers are right")
    return _release_one(chosen, day, reason, json) if day else _release_range(chosen, days, reason, json)


def _release_one(pipeline: Pipeline, day: date, why: str, json: bool) -> int:
    # Checked first, because a whole deployment takes a while to start.
    with servers_of(pipeline, "release"):
        connect = partial(connections.postgres, pipeline.target.connection)
        known = as_known(pipeline)
        at_once(connect, lambda session: check_is_held(session, known, day))
    with airflow_of(pipeline, "release") as deployment:
        row = run_day(deployment, pipeline, day, release=why)
    tell_day(pipeline, row, {} if json else None)
    return exit_codes.DONE


def _release_range(pipeline: Pipeline, days: list[date], why: str, json: bool) -> int:
    with servers_of(pipeline, "release"):
        connect = partial(connections.postgres, pipeline.target.connection)
        known = as_known(pipeline)
        held = at_once(connect, lambda session: held_days(session, known, days))
    done: list[Done] = []
    if held:
        with airflow_of(pipeline, "release") as deployment:
            done = release_days(deployment.api, pipeline, held, console(), why, deployment.keep_up)
    left = len(days) - len(held)
    if json:
        tell_json({"pipeline": pipeline.name, "days": done, "not_held": left})
    else:
        if done:
            tell(done)
        say(f"{len(held)} of {len(days)} days were held; {left} were not, and are as they were")
    return exit_codes.DONE if all(one.is_well for one in done) else exit_codes.NOT_AS_ASKED


def held_days(connection: Connection, pipeline: Pipeline, days: list[date]) -> list[date]:
    """Return those of some days whose last run was held."""
    if not is_begun(connection):
        return []
    failures = step_log.failures(connection, pipeline.name, min(days), max(days))
    return [day for day in days if day in failures and Failure(*failures[day]).kind == "Implausible"]


def check_is_held(connection: Connection, pipeline: Pipeline, day: date) -> None:
    """Raise BadSpec if the last run of a day was not held."""
    failures = step_log.failures(connection, pipeline.name, day, day) if is_begun(connection) else {}
    last = Failure(*failures[day]) if day in failures else None
    if last is None or last.kind != "Implausible":
        found = f"its last run failed at {last.step}: {last.message}" if last else "its last run did not fail"
        raise BadSpec(f"{pipeline.name} {day} is not held, {found}; nothing was done; `./daybook status` has the days")
