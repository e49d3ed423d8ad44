"""What nobody will ask for any more: files that the ledger does not know, and processes that a killed run left."""

from collections.abc import Iterator
from functools import partial

from commands import connections
from commands.checks.finding import Finding
from commands.checks.place import Place
from commands.retire_further import left_targets
from commands.warehouses import Warehouse, warehouses
from daybook.errors import DaybookError
from daybook.ledger.exports import targets_with_days
from daybook.pipelines import load_pipelines
from daybook.postgres.session import OpenPostgres, at_once
from daybook.publish.orphans import known_pipelines, orphans, unknown_pipelines
from deployment.home import Lock
from deployment.processes.components import living

CHECK = "orphans"


def orphaned(place: Place) -> Iterator[Finding]:
    """Look for files and processes that belong to nothing."""
    found = [*_processes(place), *([] if place.down else _files(place))]
    yield from found
    if not found and not place.down:
        yield Finding(CHECK, "well", "every file and process belongs to a run that is known")


def _processes(place: Place) -> Iterator[Finding]:
    if place.home and place.home.path.exists() and not Lock(place.home).is_taken():
        for name in living(place.home):
            found = f"{name} of {place.home.path} still runs, and the command that started it does not"
            yield Finding(CHECK, "mend", found, "`./daybook down` stops it")


def _files(place: Place) -> Iterator[Finding]:
    names: set[str] = set(load_pipelines().good)
    try:
        for warehouse in warehouses(place.data):
            connect = partial(connections.postgres_of, connections.warehouse_dsn(warehouse.connection))
            names |= at_once(connect, known_pipelines)
            yield from _of_warehouse(place, warehouse, connect)
    except DaybookError:
        # The check of the published folder has said so.
        return
    # A module that does not load may be the one of such a folder.
    for one in unknown_pipelines(place.data, names) if not load_pipelines().broken else ():
        yield Finding(CHECK, "mend", f"{one.place}: {one.why}", "remove it, or bring its module back")


def _of_warehouse(place: Place, warehouse: Warehouse, connect: OpenPostgres) -> Iterator[Finding]:
    for name in warehouse.specs:
        held = at_once(connect, partial(targets_with_days, pipeline=name))
        for target in left_targets(held, load_pipelines().good.get(name)):
            found = f"the target {target} holds days of {name} and follows no more: it is not in the spec"
            yield Finding(CHECK, "mend", found, f"`./daybook retire {name} --target {target}` removes them")
        for one in orphans(connect, place.data, name):
            yield Finding(CHECK, "mend", f"{one.place}: {one.why}", "`./daybook tidy` removes it")
