"""`./daybook restore [FOLDER]`: make a deployment from a copy; then, or only, let the published folder follow."""

from functools import partial
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from commands import connections, exit_codes
from commands.arguments import Json, Quiet
from commands.output import say, say_error, tell_json
from commands.warehouses import OF_THE_DEPLOYMENT, Warehouse, check_is_right, servers_of_all, warehouses
from daybook.ledger.queries import Published
from daybook.pages.report import report
from daybook.publish.realign import Realigned, realign
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from deployment.backup import restore as restored
from deployment.environment import data_url
from deployment.home import Home
from deployment.running import database

From = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FOLDER]", help="The folder of a backup; without it nothing is copied.", show_default=False
    ),
]


def restore(folder: From = None, json: Json = False, quiet: Quiet = False) -> int:
    """Make databases and data from a backup; they must not be there yet. Then let the published folder follow.

    Without a folder only the second: every link shows the run that the warehouse's ledger says, lost files are written
    again, what the ledger does not know is set aside, and run numbers go on above all others.

    The exit code is 1 if a day could not be brought into line.

    Example: ./daybook restore copy
    """
    told = _from_copy(folder) if folder else _of_servers()
    if json:
        tell_json({"done": told.done, "left": told.left})
    else:
        tell(told, folder)
    return exit_codes.NOT_AS_ASKED if told.left else exit_codes.DONE


def tell(told: Realigned, folder: Path | None) -> None:
    """Print what was brought into line, and what was not."""
    for line in told.done:
        say(line)
    for line in told.left:
        say_error(line)
    if folder:
        say(f"Restored from {folder}; `./daybook up` goes on from there.")
    elif not told.left:
        say("The published folder shows what the warehouse shows.")


def _from_copy(folder: Path) -> Realigned:
    home = Home.of_checkout()
    restored(home, data_url(), folder)
    data = connections.data_of(data_url())
    known = [one for one in warehouses(data) if one.connection == OF_THE_DEPLOYMENT]
    (own,) = known or [Warehouse(OF_THE_DEPLOYMENT, {}, [])]
    with database(home, "./daybook restore") as postgres:
        return _realigned(own, postgres.dsn("warehouse", "warehouse_owner"), data)


def _of_servers() -> Realigned:
    told = Realigned()
    with servers_of_all("restore"):
        data = connections.data()
        for warehouse in warehouses(data):
            dsn = connections.warehouse_dsn(warehouse.connection)
            check_is_right(warehouse, dsn, data)
            one = _realigned(warehouse, dsn, data)
            told.done += one.done
            told.left += one.left
    return told


def _realigned(warehouse: Warehouse, dsn: str, data: DataFolder) -> Realigned:
    connect = partial(connections.postgres_of, dsn)
    return realign(connect, data, warehouse.names, warehouse.specs, _report)


def _report(pipeline: Pipeline, rows: dict[str, pa.Table], published: Published) -> bytes:
    return report(pipeline, rows, published.receipts, published.changes)
