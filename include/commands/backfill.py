"""`./daybook backfill`: Airflow carries out the plan, and the result is printed day by day."""

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
    as_count,
    asked_days,
    pipeline_named,
)
from commands.output import console, tell_json
from commands.planned_backfill import backfill as backfilled
from commands.planned_backfill import tell
from commands.renamed import take_over
from commands.servers import airflow_of

Batch = Annotated[int, typer.Option("--batch", parser=as_count, metavar="N", help="Days in one run of Airflow.")]


def backfill(
    first: First = None,
    last: Last = None,
    limit: Limit = None,
    batch: Batch = 1,
    force: Force = False,
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Carry out the plan, and wait.

    The exit code is 1 unless every day that you asked for was done and is published.

    Example: ./daybook backfill --from 2013-01-01 --to 2013-01-10 --batch 5
    """
    chosen = pipeline_named(pipeline)
    days = asked_days(chosen, first, last, datetime.now(UTC))
    with airflow_of(chosen, "backfill") as deployment:
        take_over(chosen)
        done = backfilled(
            *(deployment.api, chosen, days, console()),
            batch=batch,
            limit=limit,
            is_forced=force,
            check=deployment.keep_up,
        )
    if json:
        tell_json({"pipeline": chosen.name, "days": done})
    else:
        tell(done)
    return exit_codes.DONE if all(one.is_well for one in done) else exit_codes.NOT_AS_ASKED
