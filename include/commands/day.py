"""`./daybook day DAY`: one day, through the deployment that is up, or one that is started for it."""

from typing import Annotated

import typer

from commands import exit_codes
from commands.arguments import Day, Json, PipelineName, Quiet, check_may_run, pipeline_named
from commands.overrides import Set, overrides_of
from commands.published_days import run_day, tell_day
from commands.servers import airflow_of

Force = Annotated[bool, typer.Option("--force", help="Do every step again, also what has not changed.")]


def day(
    day: Day,
    force: Force = False,
    set_: Set = None,
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Publish one day, or publish it again.

    If no deployment is up, one is started for it and stopped after it.

    Example: ./daybook day 2013-01-05
    """
    chosen = pipeline_named(pipeline)
    check_may_run(chosen, day)
    overrides = overrides_of(chosen, set_)
    with airflow_of(chosen, "day") as deployment:
        row = run_day(deployment, chosen, day, is_forced=force, overrides=overrides)
    tell_day(chosen, row, {} if json else None)
    return exit_codes.DONE
