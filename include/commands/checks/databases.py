"""A database behind the pipelines: its tables against the contract, the rights of the role, its clock and time zones.

Called by servers.py for each connection that answers.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial

from commands import connections
from commands.checks import clocks
from commands.checks.finding import Finding
from commands.warehouses import schemas_of
from daybook.days import last_finished_day
from daybook.errors import DaybookError
from daybook.postgres.copy_tables import SETTINGS
from daybook.postgres.marks import LocalDay
from daybook.postgres.readable import why_not_readable
from daybook.postgres.session import Connection, at_once
from daybook.publish.rights import missing_rights
from daybook.spec import Pipeline
from daybook.text import counted, verb

Ask = Callable[[Connection], list[Finding]]


def of_database(connection: str, pipelines: Collection[Pipeline]) -> Iterator[Finding]:
    """Ask a database about all that the pipelines need of it."""
    yield from _asked(connection, lambda session: _clocks(session, connection, pipelines))
    reading = [one for one in pipelines if any(table.connection == connection for table in one.tables)]
    if reading:
        yield from _asked(connection, lambda session: list(_tables(session, connection, reading)))
    if schemas := _schemas(connection, pipelines):
        yield from _asked(connection, lambda session: list(_rights(session, connection, schemas)))


def _asked(connection: str, ask: Ask) -> list[Finding]:
    try:
        return at_once(partial(connections.postgres, connection), ask, settings=SETTINGS, where=connection)
    except DaybookError as error:
        return [Finding("servers", "mend", str(error), "mend what this says, and ask again")]


def _clocks(session: Connection, connection: str, pipelines: Collection[Pipeline]) -> list[Finding]:
    zones = {pipeline.schedule.time_zone for pipeline in pipelines if connection in databases_of(pipeline)}
    return [clocks.clock_of(session, connection), *clocks.zones_of(session, connection, zones)]


def databases_of(pipeline: Pipeline) -> set[str]:
    """Return the connections to all databases that a pipeline reads from or publishes to."""
    targets = {target.connection for target in (pipeline.target, *pipeline.also)}
    return targets | {table.connection for table in pipeline.tables}


def _tables(session: Connection, connection: str, pipelines: Collection[Pipeline]) -> Iterator[Finding]:
    count, found = 0, list[Finding]()
    for pipeline in pipelines:
        zone = pipeline.schedule.time_zone
        on = LocalDay(last_finished_day(zone, clocks.now()), zone)
        for table in (table for table in pipeline.tables if table.connection == connection):
            count += 1
            if why := why_not_readable(session, table, on):
                mend = f"mend the table, the rights on it, or the module of {pipeline.name}"
                found.append(Finding("contract", "mend", f"{pipeline.name}.{table.name}: {why}", mend))
    yield from found
    if not found:
        told = f"{counted(count, 'table')} {verb(count, 'has', 'have')} the columns that the pipelines read"
        yield Finding("contract", "well", f"{connection}: {told}")


def _schemas(connection: str, pipelines: Collection[Pipeline]) -> set[str]:
    further = [target for pipeline in pipelines for target in pipeline.also if target.connection == connection]
    return schemas_of(connection, pipelines) | {schema for target in further for schema in target.schemas}


def _rights(session: Connection, connection: str, schemas: Collection[str]) -> Iterator[Finding]:
    found = list(missing_rights(session, schemas))
    for one in found:
        mend = "let the connection's role own the schemas, and create them: GRANT CREATE ON DATABASE … TO …"
        yield Finding("rights", "mend", f"{connection}: {one}; no day can be published", mend)
    if not found:
        yield Finding("rights", "well", f"{connection}: its role may publish")
