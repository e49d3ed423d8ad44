"""`./daybook tidy`: removes what nobody needs any more; with --dry-run it only says what."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from commands import connections, exit_codes
from commands.arguments import Json, Quiet, as_count
from commands.output import say, say_error, tell_json
from commands.warehouses import servers_of_all
from commands.wrong_words import WrongWords
from daybook.errors import DaybookError
from daybook.pipelines import load_pipelines
from daybook.publish.tidy import Removal, untidy
from daybook.publish.tidy import tidy as tidied
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.text import counted, one_line
from deployment.airflow_history import DATABASE, LOGS, clean_history, old_logs, remove_log
from deployment.environment import metadata_database, shared_settings
from deployment.errors import DeploymentError
from deployment.home import Home
from deployment.servers.postgres import LocalPostgres

LEAST_DAYS = 7

DryRun = Annotated[bool, typer.Option("--dry-run", help="Remove nothing: say what would be removed.")]
AirflowDays = Annotated[
    int,
    typer.Option(
        "--airflow-days",
        parser=as_count,
        metavar="DAYS",
        help="Airflow's runs and the logs of its tasks go when they are older; 7 at least.",
    ),
]


class Told(NamedTuple):
    """What went, or would go; how many rows of Airflow's database, by table; and what could not be done."""

    removed: list[Removal]
    airflow: dict[str, int]
    left: list[str]


def tidy(dry_run: DryRun = False, airflow_days: AirflowDays = 90, json: Json = False, quiet: Quiet = False) -> int:
    """Remove what nobody needs any more: rows, files and logs of old runs, and what dead processes left.

    Never what readers see, the runs that a day can be rolled back to, or what the ledger needs. The exit code is 1 if
    a pipeline, or Airflow's database, could not be reached.

    Example: ./daybook tidy --dry-run
    """
    if airflow_days < LEAST_DAYS:
        raise WrongWords(f"tidy: --airflow-days {airflow_days}: expected {LEAST_DAYS} at least; nothing was removed")
    told = Told([], {}, [])
    with servers_of_all("tidy"):
        data = connections.data()
        for pipeline in load_pipelines().good.values():
            _of_pipeline(pipeline, data, told, is_dry=dry_run)
        _of_airflow(airflow_days, told, is_dry=dry_run)
    if json:
        tell_json({"is_dry_run": dry_run, "removed": told.removed, "airflow": told.airflow, "left": told.left})
    else:
        tell(told, is_dry=dry_run)
    return exit_codes.NOT_AS_ASKED if told.left else exit_codes.DONE


def tell(told: Told, *, is_dry: bool) -> None:
    """Print a line for each thing, and one that counts them."""
    verb = "would remove" if is_dry else "removed"
    for one in told.removed:
        say(one_line(f"{verb} {one.what}: {one.place}: {one.why}"))
    for table, rows in told.airflow.items():
        say(f"{verb} Airflow's rows: {counted(rows, 'row')} of {table}")
    for line in told.left:
        say_error(one_line(line))
    say(f"{verb} {counted(len(told.removed), 'thing')}")


def _of_pipeline(pipeline: Pipeline, data: DataFolder, told: Told, *, is_dry: bool) -> None:
    try:
        dsn = connections.warehouse_dsn(pipeline.target.connection)
        connect = partial(connections.postgres_of, dsn)
        found = untidy(connect, data, pipeline)
        if not is_dry:
            tidied(connect, data, found)
        told.removed.extend(found.removals)
    except DaybookError as error:
        told.left.append(f"{pipeline.name}: {error}")


def _of_airflow(days: int, told: Told, *, is_dry: bool) -> None:
    settings = _airflow_settings()
    if logs := settings.get(LOGS):
        for path in list(old_logs(Path(logs), days)):
            told.removed.append(Removal("logs", str(path), f"older than {days} days"))
            if not is_dry:
                remove_log(path, Path(logs))
    if DATABASE not in settings:
        # On a worker, say: it is for the machine of the scheduler.
        return
    try:
        told.airflow.update(clean_history(settings, days, is_dry=is_dry))
    except DeploymentError as error:
        told.left.append(str(error))


def _airflow_settings() -> Mapping[str, str]:
    """Return the settings of Airflow's processes: this environment's, or those of this checkout's deployment."""
    home = Home.of_checkout()
    if DATABASE in os.environ or os.environ.get("AIRFLOW_HOME") != str(home.airflow):
        return os.environ
    own = {LOGS: str(home.logs / "tasks"), DATABASE: metadata_database(LocalPostgres(home))}
    return {**os.environ, **shared_settings(), **own}
