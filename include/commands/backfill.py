"""`./daybook backfill`: Airflow carries out the plan, and the result is printed day by day."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from commands import exit_codes
from commands.arguments import (
    First,
    Force,
    Json,
    Last,
    Limit,
    PipelineName,
    Quiet,
    Why,
    as_count,
    asked_days,
    pipeline_named,
)
from commands.output import console, tell_json
from commands.overrides import Set, overrides_of
from commands.planned_backfill import Done, release_days, tell
from commands.planned_backfill import backfill as backfilled
from commands.renamed import take_over
from commands.servers import airflow_of
from commands.wrong_words import WrongWords
from daybook.spec import Pipeline
from deployment.running import Running

Batch = Annotated[int, typer.Option("--batch", parser=as_count, metavar="N", help="Days in one run of Airflow.")]
ReleaseHeld = Annotated[
    bool, typer.Option("--release-held", help="Publish the days that it holds as implausible; --why says the reason.")
]


def backfill(
    first: First = None,
    last: Last = None,
    limit: Limit = None,
    batch: Batch = 1,
    force: Force = False,
    release_held: ReleaseHeld = False,
    why: Why = "",
    set_: Set = None,
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Carry out the plan, and wait.

    With --set the plan is that of a spec with these values, and its runs have them.
    At its end it shows the days that it held as implausible; on a terminal it asks once whether to publish them.
    The exit code is 1 unless every day that you asked for was done and is published.

    Example: ./daybook backfill --from 2013-01-01 --to 2013-01-10 --batch 5
    """
    reason = " ".join(why.split())
    if release_held != bool(reason):
        raise WrongWords("backfill: --release-held and --why go together: the reason is kept; nothing was done")
    chosen = pipeline_named(pipeline)
    overrides = overrides_of(chosen, set_)
    days = asked_days(chosen, first, last, datetime.now(UTC))
    with airflow_of(chosen, "backfill") as deployment:
        take_over(chosen)
        done = backfilled(
            *(deployment.api, chosen, days, console()),
            batch=batch,
            limit=limit,
            is_forced=force,
            overrides=overrides,
            check=deployment.keep_up,
        )
        if not json:
            tell(done)
        if held := [one.day for one in done if one.is_held]:
            reason = reason or ("" if json or quiet else _asked(len(held)))
            done = _released(deployment, chosen, done, reason, overrides, is_told=not json) if reason else done
    if json:
        tell_json({"pipeline": chosen.name, "days": done})
    return exit_codes.DONE if all(one.is_well for one in done) else exit_codes.NOT_AS_ASKED


def _asked(count: int) -> str:
    """Ask once, on a terminal, whether to publish the held days; return the reason, or "" to leave them held."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return ""
    days = "the day that is held" if count == 1 else f"the {count} days that are held"
    answer: str = typer.prompt(f"Publish {days}? Say why their numbers are right, or nothing to leave them", default="")
    return " ".join(answer.split())


def _released(
    deployment: Running,
    pipeline: Pipeline,
    done: list[Done],
    why: str,
    overrides: dict[str, object],
    *,
    is_told: bool,
) -> list[Done]:
    """Publish the held days of a backfill, and return the results of all its days."""
    held = [one.day for one in done if one.is_held]
    released = release_days(deployment.api, pipeline, held, console(), why, deployment.keep_up, overrides)
    if is_told:
        tell(released)
    by_day = {one.day: one for one in released}
    return [by_day.get(one.day, one) for one in done]
