"""The warehouses that the pipelines publish into, and which pipelines of the published folder belong to each."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from commands import connections
from commands.servers import is_named
from daybook.environment import ledger_schema
from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.postgres.session import at_once
from daybook.publish.agreement import Ledger, ledger_of
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from deployment.home import Home
from deployment.running import servers

OF_THE_DEPLOYMENT = "warehouse"


class Warehouse(NamedTuple):
    """A warehouse: its connection's id, the pipelines that load, and the names in the folder that belong to it."""

    connection: str
    specs: dict[str, Pipeline]
    names: list[str]


def warehouses(data: DataFolder) -> list[Warehouse]:
    """Return the warehouses of all pipelines that load; the deployment's own if none does."""
    good = load_pipelines().good
    by_connection: dict[str, dict[str, Pipeline]] = {} if good else {OF_THE_DEPLOYMENT: {}}
    for name, pipeline in good.items():
        by_connection.setdefault(pipeline.target.connection, {})[name] = pipeline
    # Only a single warehouse can own the folders of pipelines whose modules are gone or broken.
    is_only = len(by_connection) == 1
    folders = data.published_pipelines()
    return [
        Warehouse(connection, specs, folders if is_only else [name for name in folders if name in specs])
        for connection, specs in by_connection.items()
    ]


def schemas_of(warehouse: str, pipelines: Iterable[Pipeline]) -> set[str]:
    """Return the schemas of some pipelines in a warehouse: of views, of the rows behind them, and of the ledger; none
    if no one of them publishes there. warehouse: its connection's id."""
    targets = [pipeline.target for pipeline in pipelines if pipeline.target.connection == warehouse]
    own = {schema for target in targets for schema in (target.schema_, target.store)}
    return own | {ledger_schema()} if own else own


@contextmanager
def servers_of_all(verb: str) -> Iterator[None]:
    """Have the servers of all pipelines: those that the environment names, or this checkout's own."""
    connections_used = [pipeline.target.connection for pipeline in load_pipelines().good.values()]
    # Without any pipeline, there may still be what one has left.
    if is_named(next(iter(connections_used), OF_THE_DEPLOYMENT)):
        yield
        return
    with servers(Home.of_checkout(), f"./daybook {verb}"):
        yield


def ledger(dsn: str) -> Ledger:
    """Return what a warehouse's ledger knows. Raises BadSpec or SourceUnavailable if it cannot be asked."""
    return at_once(partial(connections.postgres_of, dsn), ledger_of)


def check_is_right(warehouse: Warehouse, dsn: str, data: DataFolder) -> None:
    """Raise BadSpec if a warehouse knows no published day at all, and the folder shows some: it may be another's."""
    shown = sum(len(data.shown(name)) for name in warehouse.names)
    if shown and not ledger(dsn).seen:
        raise BadSpec(
            f"{warehouse.connection}: this warehouse knows no published day, {data.root.path} shows {shown}; "
            "nothing was changed; name the right warehouse, or move the folder `published` away"
        )
