"""`./daybook why DAY`: how the day came to be what readers see, and its plan now.

It asks the ledger and the sources, and changes nothing.
"""

from datetime import UTC, date, datetime
from functools import partial
from typing import NamedTuple

from commands import connections, exit_codes
from commands.arguments import Day, Json, PipelineName, Quiet, check_is_over, pipeline_named
from commands.output import say, tell_json, tell_table
from commands.plan import made_plan
from commands.renamed import as_known
from commands.servers import servers_of
from commands.waiting_days import waiting_of
from daybook.days import why_not
from daybook.ledger import exports, queries, step_log
from daybook.ledger.fingerprint import READS
from daybook.ledger.queries import Confirmed, Decided, Published, is_begun
from daybook.ledger.receipt import Receipt
from daybook.planning.plan import Planned
from daybook.planning.standing import Failure
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook.text import one_line

SHOWN = 8  # of a hash: enough to tell two apart; --json gives all of it


class Why(NamedTuple):
    """The known history of a day, and its plan. waiting, exports: what its steps wait for, and what was
    sent elsewhere or is owed, a sentence each.
    """

    day: date
    published: Published | None
    confirmed: Confirmed | None
    decisions: list[Decided]
    failure: Failure | None
    waiting: list[str]
    exports: list[str]
    plan: Planned


def why(day: Day, pipeline: PipelineName = None, json: Json = False, quiet: Quiet = False) -> int:
    """Say how a day came to be what readers see.

    The exit code is 1 if the day is not published.

    Example: ./daybook why 2013-01-05
    """
    chosen = pipeline_named(pipeline)
    check_is_over(chosen, day)
    with servers_of(chosen, "why"):
        found = why_of(as_known(chosen), day)
    if json:
        tell_json({"pipeline": chosen.name, **found._asdict()})
    else:
        tell(chosen.name, found)
    return exit_codes.DONE if found.published else exit_codes.NOT_AS_ASKED


def why_of(pipeline: Pipeline, day: date) -> Why:
    """Return how a day came to be; the connections are the environment's."""
    # A day that was published under another schedule has a history, and nothing to do any more.
    left_out = why_not(pipeline.schedule, day, datetime.now(UTC))
    planned = Planned(day, "blocked", left_out, (), None) if left_out else made_plan(pipeline, [day]).planned[0]
    connect = partial(connections.postgres, pipeline.target.connection)
    return at_once(connect, lambda connection: _of_ledger(connection, pipeline, day, planned))


def tell(pipeline: str, why: Why) -> None:
    """Print how a day came to be, from the publication to the plan."""
    say(f"{pipeline} {why.day}: {_seen(why.published)}")
    if why.published:
        words = ("step", "how", "refused", "dropped", "seconds", "inputs", "spec", "code", "libraries")
        tell_table(words, _steps(why.published))
        for sentence in next(iter(why.published.receipts.values())).overridden:
            say(one_line(sentence))
        for sentence in (said for receipt in why.published.receipts.values() for said in receipt.as_of):
            say(one_line(sentence))
        say(f"changed for readers: {_changes(why.published)}")
    if why.confirmed:
        say(f"found unchanged: by {why.confirmed.run}, started by {why.confirmed.started_by}")
    for decided in why.decisions:
        say(one_line(f"{decided.what}: run {decided.run_id}, by {decided.who}: {decided.why} ({decided.found})"))
    if why.failure:
        say(one_line(f"failed since: {why.failure.step}, {why.failure.kind}: {why.failure.message}"))
    for sentence in (*why.waiting, *why.exports):
        say(one_line(sentence))
    say(one_line(f"the plan now: {why.plan.action}, {why.plan.reason}"))


def _of_ledger(connection: Connection, pipeline: Pipeline, day: date, planned: Planned) -> Why:
    if not is_begun(connection):
        return Why(day, None, None, [], None, [], [], planned)
    name, failed = pipeline.name, step_log.failures(connection, pipeline.name, day, day).get(day)
    return Why(
        day,
        queries.published(connection, name, day),
        queries.confirmed(connection, name, day),
        queries.decisions(connection, name, day),
        Failure(*failed) if failed else None,
        waiting_of(connection, pipeline, day, day).get(day, []),
        exports.told(connection, pipeline, day),
        planned,
    )


def _seen(published: Published | None) -> str:
    if published is None:
        return "not published"
    return (
        f"readers see run {published.run_id} ({published.run}), started by {published.started_by or 'unknown'}, "
        f"published {published.published_at:%Y-%m-%d %H:%M:%S %Z}; {published.rows_read} rows read, "
        f"{published.rows_refused} refused, {published.rows_dropped} dropped"
    )


def _steps(published: Published) -> list[tuple[str, ...]]:
    return [
        (receipt.step, _how(receipt), *_cost(receipt), *_ground(receipt)) for receipt in published.receipts.values()
    ]


def _how(receipt: Receipt) -> str:
    return f"reused from {receipt.reused_from}" if receipt.reused_from else "done"


def _cost(receipt: Receipt) -> tuple[str, ...]:
    return f"{receipt.refused:,}", f"{receipt.dropped:,}", f"{receipt.seconds:.2f}"


def _ground(receipt: Receipt) -> tuple[str, ...]:
    found = receipt.fingerprint
    if found is None:
        return ("",) * 4
    # The extracts read no file that a step made.
    inputs = found.inputs[:SHOWN] if READS[receipt.step] else "-"
    return inputs, found.spec[:SHOWN], found.code[:SHOWN], found.libraries


def _changes(published: Published) -> str:
    if published.before is None:
        return "everything, it was the first publication of the day"
    told = [f"{name} ({_counts(how)})" for name, how in published.changes.items()]
    return f"{'; '.join(told) or 'no row'}, against run {published.before}"


def _counts(how: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in how.items() if count)
