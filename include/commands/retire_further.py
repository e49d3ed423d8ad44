"""What `./daybook retire` does in further targets; one that is away keeps what it holds, and is named."""

from collections.abc import Iterable
from functools import partial

from commands import connections
from daybook.errors import DaybookError
from daybook.ledger.exports import note_retired
from daybook.postgres.session import OpenPostgres, at_once
from daybook.publish.further_state import settings
from daybook.publish.further_target import retire
from daybook.spec import STATE, Pipeline


def left_targets(held: Iterable[str], pipeline: Pipeline | None) -> list[str]:
    """Return the further targets that hold days of a pipeline, and that its spec has no more.

    held: those that hold days, as "connection.schema". pipeline: None if it has no spec; then whoever retires it says
    what goes.
    """
    following = set(map(str, pipeline.also)) if pipeline else set(held)
    return [target for target in held if target not in following]


def retire_further(
    ledger: OpenPostgres, pipeline: str, summary: str | None, targets: list[str]
) -> tuple[list[str], list[str]]:
    """Remove a pipeline, or one of its summaries, from further targets; return what was done, and what is left, a line
    each. ledger: opens the first target. targets: as "connection.schema"."""
    done: list[str] = []
    left: list[str] = []
    for target in targets:
        try:
            done += _retired(ledger, pipeline, summary, target)
        except DaybookError as error:
            name = f"{pipeline}.{summary}" if summary else pipeline
            left.append(f"the target {target} keeps what it holds: {error}; give `./daybook retire {name}` once more")
    return done, left


def _retired(ledger: OpenPostgres, pipeline: str, summary: str | None, target: str) -> list[str]:
    # The name of a schema has no dot.
    connection, _, schema = target.rpartition(".")
    done = at_once(
        partial(connections.postgres, connection),
        partial(retire, pipeline=pipeline, summary=summary, state=f"{schema}{STATE}"),
        settings=settings(f"{schema}{STATE}"),
        where=f"the target {target}",
    )
    if not summary:
        at_once(ledger, partial(note_retired, pipeline=pipeline, target=target))
    return [f"{target}: {line}" for line in done]
