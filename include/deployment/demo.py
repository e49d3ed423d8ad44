"""`make demo`: seven days of real flights, from the raw files to what readers see."""

from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from deployment.backfill import backfill
from deployment.day_table import day_table, run_seconds
from deployment.supervisor import Deployment

DAG_ID = "flights"
FIRST = date(2013, 1, 1)
LAST = date(2013, 1, 7)
DAYS = tuple(FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))


def demo(deployment: Deployment, console: Console) -> None:
    """Publish the seven days in a running deployment, and show them. Raises DeploymentError if one is not published."""
    deployment.api.wait_for_dag(DAG_ID, check=deployment.keep_up)
    deployment.api.unpause(DAG_ID)
    runs = backfill(deployment, DAG_ID, FIRST, LAST, console)
    seconds = {day: run_seconds(deployment.api, run) for day, run in zip(DAYS, runs, strict=True)}
    console.print(day_table(deployment.postgres.dsn("warehouse", "warehouse_owner"), seconds))
    console.print(_where(deployment))


def _where(deployment: Deployment) -> str:
    published = f"{deployment.data.removeprefix('file://')}/published/{DAG_ID}"
    return (
        f"The files of each day are in {shown(published)}/<day>/, as CSV and Parquet,\n"
        f"with the day's report: {shown(published)}/{FIRST}/report.html\n"
        "In SQL:        make psql SQL='table flights.by_airline'\n"
        "Airflow's UI:  make up"
    )


def shown(path: str) -> str:
    """Return a path as a person in the current folder would type it."""
    here = f"{Path.cwd()}/"
    return path.removeprefix(here)
