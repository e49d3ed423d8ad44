"""`python -m daybook why [PIPELINE] DAY`: how the day came to be what readers see, and what a plan says of it now.

It asks the ledger and the sources, and changes nothing. The exit code is 0, or 1 where the day is not published.
"""

from datetime import date
from functools import partial
from typing import NamedTuple

from daybook import connections
from daybook.asked import parser, pipeline_named, with_pipeline
from daybook.ledger import queries, step_log
from daybook.ledger.fingerprint import READS
from daybook.ledger.queries import Confirmed, Decided, Published, is_begun
from daybook.ledger.receipt import Receipt
from daybook.plan_command import made_plan
from daybook.planning.plan import Failure, Planned
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook.telling import tell_json, tell_table
from daybook.text import one_line

SHOWN = 8  # of a hash: enough to tell two apart; --json gives all of it


class Why(NamedTuple):
    """All that is known of how a day came to be."""

    day: date
    published: Published | None
    confirmed: Confirmed | None
    decisions: list[Decided]
    failure: Failure | None
    plan: Planned


def main(words: list[str]) -> int:
    """Print how the day of the command line came to be. Returns the exit code."""
    made = parser("why", "Say how a day came to be what readers see.")
    made.add_argument("day", type=date.fromisoformat, help="the day, such as 2013-01-05")
    asked = made.parse_args(with_pipeline(words))
    why = why_of(pipeline_named(asked.pipeline), asked.day)
    if asked.json:
        tell_json({"pipeline": asked.pipeline, **why._asdict()})
    else:
        tell(asked.pipeline, why)
    return 0 if why.published else 1


def why_of(pipeline: Pipeline, day: date) -> Why:
    """Return how a day came to be; the connections are the environment's."""
    planned = made_plan(pipeline, [day]).planned[0]
    connect = partial(connections.postgres, pipeline.target.connection)
    return at_once(connect, lambda connection: _of_ledger(connection, pipeline.name, day, planned))


def tell(pipeline: str, why: Why) -> None:
    """Print how a day came to be, from the publication to the plan."""
    print(f"{pipeline} {why.day}: {_seen(why.published)}")
    if why.published:
        tell_table(("step", "how", "seconds", "inputs", "spec", "code", "libraries"), _steps(why.published))
        print(f"changed for readers: {_changes(why.published)}")
    if why.confirmed:
        print(f"found unchanged: by {why.confirmed.run}, started by {why.confirmed.started_by}")
    for decided in why.decisions:
        print(one_line(f"{decided.what}: run {decided.run_id}, by {decided.who}: {decided.why} ({decided.found})"))
    if why.failure:
        print(one_line(f"failed since: {why.failure.step}, {why.failure.kind}: {why.failure.message}"))
    print(one_line(f"the plan now: {why.plan.action}, {why.plan.reason}"))


def _of_ledger(connection: Connection, pipeline: str, day: date, planned: Planned) -> Why:
    if not is_begun(connection):
        return Why(day, None, None, [], None, planned)
    failed = step_log.failures(connection, pipeline, day, day).get(day)
    return Why(
        day,
        queries.published(connection, pipeline, day),
        queries.confirmed(connection, pipeline, day),
        queries.decisions(connection, pipeline, day),
        Failure(*failed) if failed else None,
        planned,
    )


def _seen(published: Published | None) -> str:
    if published is None:
        return "not published"
    return (
        f"readers see run {published.run_id} ({published.run}), started by {published.started_by or 'unknown'}, "
        f"published {published.published_at:%Y-%m-%d %H:%M:%S %Z}; {published.rows_read} rows read, "
        f"{published.rows_refused} refused"
    )


def _steps(published: Published) -> list[tuple[str, ...]]:
    receipts = published.receipts.values()
    return [(receipt.step, _how(receipt), f"{receipt.seconds:.2f}", *_ground(receipt)) for receipt in receipts]


def _how(receipt: Receipt) -> str:
    return f"reused from {receipt.reused_from}" if receipt.reused_from else "done"


def _ground(receipt: Receipt) -> tuple[str, ...]:
    found = receipt.fingerprint
    if found is None:
        return ("",) * 4
    # The extracts read no file of ours.
    inputs = found.inputs[:SHOWN] if READS[receipt.step] else "-"
    return inputs, found.spec[:SHOWN], found.code[:SHOWN], found.libraries


def _changes(published: Published) -> str:
    if published.before is None:
        return "everything, it was the first publication of the day"
    told = [f"{name} ({_counts(how)})" for name, how in published.changes.items()]
    return f"{'; '.join(told) or 'no row'}, against run {published.before}"


def _counts(how: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in how.items() if count)
