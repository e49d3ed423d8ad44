"""`./daybook release DAY --why WHY`: publishes a held day, because a person says that its numbers are right."""

from datetime import date
from functools import partial

from commands import connections, exit_codes
from commands.arguments import Day, Json, PipelineName, Quiet, Why, check_may_run, pipeline_named
from commands.published_days import run_day, tell_day
from commands.servers import airflow_of, servers_of
from commands.wrong_words import WrongWords
from daybook.errors import BadSpec
from daybook.ledger import step_log
from daybook.ledger.queries import is_begun
from daybook.planning.plan import Failure
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline


def release(day: Day, why: Why = "", pipeline: PipelineName = None, json: Json = False, quiet: Quiet = False) -> int:
    """Publish a held day although its numbers are implausible, or were rolled back.

    The ledger keeps the reason with the publication.

    Example: ./daybook release 2013-01-05 --why 'a storm closed the airports'
    """
    chosen, reason = pipeline_named(pipeline), " ".join(why.split())
    check_may_run(chosen, day)
    if not reason:
        raise WrongWords("release: --why is not given; nothing was done; say why the day's numbers are right")
    # Checked first, because a whole deployment takes a while to start.
    with servers_of(chosen, "release"):
        connect = partial(connections.postgres, chosen.target.connection)
        at_once(connect, lambda session: check_is_held(session, chosen, day))
    with airflow_of(chosen, "release") as deployment:
        row = run_day(deployment, chosen, day, release=reason)
    tell_day(chosen, row, {} if json else None)
    return exit_codes.DONE


def check_is_held(connection: Connection, pipeline: Pipeline, day: date) -> None:
    """Raise BadSpec if the last run of a day was not held."""
    failures = step_log.failures(connection, pipeline.name, day, day) if is_begun(connection) else {}
    last = Failure(*failures[day]) if day in failures else None
    if last is None or last.kind != "Implausible":
        found = f"its last run failed at {last.step}: {last.message}" if last else "its last run did not fail"
        raise BadSpec(f"{pipeline.name} {day} is not held, {found}; nothing was done; `./daybook status` has the days")
