"""`python -m daybook status [PIPELINE]`: which days are published, held, failed or missing, and the lag.

It asks the ledger only. The exit code is 0 where no day is held, failed or missing, else 1.
"""

from datetime import UTC, date, datetime
from functools import partial

from daybook import connections
from daybook.asked import asked_days, parser, pipeline_named, with_pipeline
from daybook.ledger import step_log
from daybook.ledger.decisions import rollbacks
from daybook.ledger.queries import is_begun
from daybook.planning.plan import Failure
from daybook.planning.status import Status, status
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook.telling import tell_json, tell_table
from daybook.text import spell

KINDS = ("expected", "published", "reused", "rolled_back", "held", "failed", "missing")


def main(words: list[str]) -> int:
    """Print the status that the words of the command line ask for. Returns the exit code."""
    asked = parser("status", "Say which days are published, and which are not.").parse_args(with_pipeline(words))
    pipeline = pipeline_named(asked.pipeline)
    days = asked_days(pipeline, None, None, datetime.now(UTC))
    connect = partial(connections.postgres, pipeline.target.connection)
    found = at_once(connect, lambda connection: status_of(connection, pipeline, days))
    if asked.json:
        tell_json({"pipeline": pipeline.name, **found._asdict()})
    else:
        tell(found)
    return 0 if found.is_well else 1


def status_of(connection: Connection, pipeline: Pipeline, days: list[date]) -> Status:
    """Return how some days of a pipeline stand by the ledger."""
    if not is_begun(connection):
        return status(days, set(), set(), (), {})
    asked = (connection, pipeline.name, days[0], days[-1])
    failures = {day: Failure(*words) for day, words in step_log.failures(*asked).items()}
    published, reused = step_log.published_days(*asked), step_log.reused_days(*asked)
    return status(days, published, reused, rollbacks(*asked), failures)


def tell(found: Status) -> None:
    """Print a line for each kind of days, and the lag."""
    rows = [(kind.replace("_", " "), str(len(getattr(found, kind))), spell(getattr(found, kind))) for kind in KINDS]
    tell_table(("", "count", "days"), rows)
    if found.lag_days is None:
        print(f"lag: nothing is published; the last expected day is {found.expected[-1]}")
    else:
        print(f"lag: {found.lag_days} days, from {found.published[-1]} to {found.expected[-1]}")
