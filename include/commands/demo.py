"""`./daybook demo`: seven days of real flights, from the raw files to the published tables."""

import time
from datetime import date

from commands import exit_codes
from commands.arguments import HOW_TO_GET_A_PIPELINE, Quiet
from commands.flights_table import tell_flights
from commands.output import console, progress, say, shown
from commands.planned_backfill import Done, backfill, tell
from daybook.days import days_between
from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline
from deployment.running import name_servers
from deployment.supervisor import Deployment

FLIGHTS = "flights"
DAYS = days_between(date(2013, 1, 1), date(2013, 1, 7))


def demo(quiet: Quiet = False) -> int:
    """Publish seven days of real flights, show them, stop everything.

    Days that were done before are done again.

    Example: ./daybook demo
    """
    flights, began = _shipped(), time.monotonic()
    with Deployment(command="./daybook demo", say=progress) as deployment:
        name_servers(deployment.postgres)
        done = backfill(deployment.api, flights, DAYS, console(), is_forced=True, check=deployment.keep_up)
        if not all(day.is_well for day in done):
            tell(done)
            return exit_codes.NOT_AS_ASKED
        _show(deployment, done)
    say(f"Everything is stopped. That took {time.monotonic() - began:.0f} s.")
    return exit_codes.DONE


def _shipped() -> Pipeline:
    pipelines = load_pipelines()
    if FLIGHTS not in pipelines.good:
        raise BadSpec(
            f"the demo needs the pipeline {FLIGHTS!r}, which is not in include/pipelines{pipelines.warning}; nothing "
            f"was started; {HOW_TO_GET_A_PIPELINE}, or start your own pipelines: `./daybook up`"
        )
    return pipelines.good[FLIGHTS]


def _show(deployment: Deployment, done: list[Done]) -> None:
    tell_flights(deployment.postgres.dsn("warehouse", "warehouse_owner"), {day.day: day.seconds for day in done})
    published = shown(f"{deployment.data.removeprefix('file://')}/published/{FLIGHTS}")
    say(f"The files of each day are in {published}/<day>/, as CSV and Parquet,")
    say(f"with the day's report: {published}/{DAYS[0]}/report.html")
    say("In SQL:        ./daybook psql 'table flights.by_airline'")
    say("Airflow's UI:  ./daybook up")
