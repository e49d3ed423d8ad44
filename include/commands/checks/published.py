"""The published folder against the warehouse's ledger: each pipeline and day, each file, and the next run's number."""

from collections.abc import Iterator

from commands import connections
from commands.checks.finding import Finding
from commands.checks.place import Place
from commands.warehouses import Warehouse, ledger, warehouses
from daybook.errors import DaybookError
from daybook.publish.agreement import Difference, broken_links, differences

CHECK = "published"
MEND = "`./daybook restore` without a folder lets links, files and run numbers follow the warehouse"


def published(place: Place) -> Iterator[Finding]:
    """Compare folder and ledger; without a warehouse, look at the links alone."""
    if place.down:
        yield from _links_alone(place, place.down, "start it by `./daybook up`, and ask again")
        return
    for warehouse in warehouses(place.data):
        try:
            yield from _against_ledger(place, warehouse)
        except DaybookError as error:
            yield from _links_alone(place, str(error), "mend what this says, and ask again")


def _against_ledger(place: Place, warehouse: Warehouse) -> Iterator[Finding]:
    known = ledger(connections.warehouse_dsn(warehouse.connection))
    found = list(differences(known, place.data, warehouse.names))
    yield from (_finding(one) for one in found)
    if not found:
        days = sum(len(seen) for seen in known.seen.values())
        yield Finding(CHECK, "well", f"{days} days of {len(known.seen)} pipelines: links, files and run numbers agree")


def _links_alone(place: Place, why: str, what_to_do: str) -> Iterator[Finding]:
    yield Finding(CHECK, "unknown", f"the warehouse was not asked: {why}", what_to_do)
    yield from map(_finding, broken_links(place.data))


def _finding(one: Difference) -> Finding:
    return Finding(CHECK, "mend", f"{one.pipeline}{f' {one.day}' if one.day else ''}: {one.found}", MEND)
