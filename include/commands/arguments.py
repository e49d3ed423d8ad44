"""Arguments shared by the verbs: the pipeline, a day, a range of days, who and why, and the form of the answer."""

import getpass
import re
import socket
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from commands.output import Json as Json
from commands.output import Quiet as Quiet
from commands.wrong_words import WrongWords, as_typed
from daybook.days import as_day as written_day
from daybook.days import check_day, last_finished_day, scheduled_days, why_outside
from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline
from daybook.text import one_line

HOW_TO_GET_A_PIPELINE = "`./daybook init NAME --file SAMPLE` writes one from a sample file"
USER = f"{getpass.getuser()}@{socket.gethostname()}"


def as_day(typed: str) -> date:
    """Return a day from its word. Raises WrongWords if it is not one."""
    try:
        return written_day(typed)
    except ValueError as error:
        raise WrongWords(f"{one_line(typed)} is {error}; nothing was done") from None


def as_count(typed: str | int) -> int:
    """Return a whole number over 0 from its word, or from a default. Raises WrongWords if it is not one."""
    if not re.fullmatch(r"0*[1-9][0-9]*", str(typed)):
        raise WrongWords(f"{typed}: expected a whole number over 0; nothing was done")
    return int(typed)


def pipeline_names() -> list[str]:
    """Return the pipelines' names, for the shell's completion."""
    return list(load_pipelines().good)


PipelineName = Annotated[
    str | None,
    typer.Option(
        *("--pipeline", "-p"),
        metavar="NAME",
        help="The pipeline; not needed if there is just one.",
        autocompletion=pipeline_names,
    ),
]
Day = Annotated[date, typer.Argument(parser=as_day, metavar="DAY", help="A local day, such as 2013-01-05.")]
First = Annotated[
    date | None, typer.Option("--from", parser=as_day, metavar="DAY", help="First day; else the schedule's.")
]
Last = Annotated[
    date | None, typer.Option("--to", parser=as_day, metavar="DAY", help="Last day; else the last that is over.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", parser=as_count, metavar="N", help="Run no more than N days, the newest.")
]
Force = Annotated[bool, typer.Option("--force", help="Also run what has not changed, or is held.")]
Why = Annotated[str, typer.Option("--why", metavar="REASON", help="The reason; the ledger keeps it.")]
Who = Annotated[
    str, typer.Option("--who", metavar="NAME", help="Who decides; the ledger keeps it.", show_default=False)
]


def pipeline_named(name: str | None) -> Pipeline:
    """Return the pipeline of a name, or the only one there is.

    Raises WrongWords if the name is wrong, or is missing and there are several; BadSpec if there is no pipeline.
    """
    pipelines = load_pipelines()
    if not pipelines.good:
        raise BadSpec(f"there is no pipeline in include/pipelines{pipelines.warning}; {HOW_TO_GET_A_PIPELINE}")
    if name is not None:
        with as_typed():
            return pipelines.named(name)
    if len(pipelines.good) > 1:
        names = ", ".join(pipelines.good)
        raise WrongWords(f"which pipeline? add --pipeline with one of {names}; nothing was done{pipelines.warning}")
    return next(iter(pipelines.good.values()))


def asked_days(pipeline: Pipeline, first: date | None, last: date | None, now: datetime) -> list[date]:
    """Return the days of the schedule from first to last, both included.

    Without a first day, the schedule's start; without a last one, the last day that is over. now: an instant. Raises
    WrongWords if the two are in the wrong order, or one may not be worked on, or there is no day of the schedule.
    """
    schedule = pipeline.schedule
    finished = last_finished_day(schedule.time_zone, now)
    begin, end = first or schedule.start, last or min(finished, schedule.end or finished)
    if last and first and last < first:
        raise WrongWords(
            f"{pipeline.name}: the last day, {end}, is before the first, {begin}; nothing was done; exchange them"
        )
    for bound in filter(None, (last, first)):
        # A range may begin and end on a day that the cron leaves out.
        if why := why_outside(schedule, bound, now):
            raise WrongWords(f"{pipeline.name}: {why}; nothing was done; give days of the schedule that are over")
    days = scheduled_days(schedule, begin, end)
    if not days:
        raise WrongWords(
            f"{pipeline.name}: no day of the schedule from {begin} to {end}; it begins on {schedule.start}, its cron "
            f"is {schedule.cron!r}, and the last day that is over is {finished}; nothing was done"
        )
    return days


def check_may_run(pipeline: Pipeline, day: date) -> None:
    """Raise WrongWords if a day is not over yet in the pipeline's time zone, or not in its schedule."""
    with as_typed():
        check_day(pipeline, day, datetime.now(UTC))


def check_is_over(pipeline: Pipeline, day: date) -> None:
    """Raise WrongWords if a day is not over yet. It may be out of the schedule: it was published under another one."""
    if day > last_finished_day(pipeline.schedule.time_zone, datetime.now(UTC)):
        check_may_run(pipeline, day)
