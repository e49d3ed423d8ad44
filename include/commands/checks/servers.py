"""The servers behind the pipelines: each connection is set and answers, Airflow's parts are well, pools are there."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from commands import connections
from commands.checks.databases import databases_of, of_database
from commands.checks.deliveries import of_deliveries
from commands.checks.finding import Finding
from commands.checks.place import Place
from commands.watched_parts import airflow_parts
from daybook.errors import DaybookError
from daybook.ftp.send import takes_files
from daybook.ftp.session import session
from daybook.pipelines import load_pipelines
from daybook.postgres.session import translated_errors
from daybook.spec import nearest
from daybook_airflow.api import AirflowApi
from daybook_airflow.environment_connections import variable_of
from daybook_airflow.errors import ApiError
from daybook_airflow.kept_connections import NoConnection
from daybook_airflow.pools import mend_of
from deployment.errors import DeploymentError

FILES_SECONDS = 10.0
MEND_OF_PARTS = "`kill -CONT` lets a stopped process go on; start one that has ended again, and look into its log"
UP = "start it by `./daybook up`, and ask again"


def servers(place: Place) -> Iterator[Finding]:
    """Ask every server once, with a short time limit."""
    if place.down:
        yield Finding("servers", "unknown", place.down, UP)
        return
    pipelines = list(load_pipelines().good.values())
    for name in sorted({database for p in pipelines for database in databases_of(p)}):
        yield from _asked(name, _postgres, of_database(name, pipelines))
    for name in sorted({file.connection for p in pipelines for file in p.files}):
        yield from _asked(name, _files, of_deliveries(name, pipelines))
    for name in sorted({export.connection for p in pipelines for export in p.exports}):
        yield from _asked(name, _takes, ())
    yield from _airflow(place)


def _asked(connection: str, ask: Callable[[str], str], further: Iterable[Finding]) -> Iterator[Finding]:
    """Ask a server whether it answers; and if it does, look at what else there is to find."""
    try:
        connections.check_known(connection)
    except NoConnection as error:
        yield Finding("connections", "mend", f"{connection}: {error}", "set it, as Airflow reads it")
        return
    try:
        yield Finding("servers", "well", f"{connection}: {ask(connection)}")
    except DaybookError as error:
        yield Finding("servers", "mend", str(error), f"start this server, or mend {variable_of(connection)}")
        return
    yield from further


def _postgres(connection: str) -> str:
    with translated_errors(connection), connections.postgres(connection) as opened:
        row = opened.execute("show server_version").fetchone()
        return f"PostgreSQL {row[0] if row else ''} answers"


def _files(connection: str) -> str:
    connections.files(connection, FILES_SECONDS).close()
    return "the server of files answers, and takes the login"


def _takes(connection: str) -> str:
    with session(partial(connections.files, connection, FILES_SECONDS), connection, FILES_SECONDS) as opened:
        takes_files(opened, connection)
    return "the server of exports answers, and takes the login"


def _airflow(place: Place) -> Iterator[Finding]:
    try:
        api = place.api()
        api.check()
        yield from _parts(api)
        yield _version(api)
        yield from _pools(api, place.home.shell_file if place.home else None)
    except ApiError as error:
        yield Finding("airflow", "mend", str(error), "start Airflow, or look into the API server's log")
    except DeploymentError as error:
        yield Finding("airflow", "unknown", str(error), "give the login, and ask again")


def _parts(api: AirflowApi) -> Iterator[Finding]:
    for part in airflow_parts(api.url):
        if part.is_well:
            yield Finding("airflow", "well", f"{part.name}: {part.found}")
        else:
            yield Finding("airflow", "mend", f"{part.name}: {part.found}", MEND_OF_PARTS)


def _version(api: AirflowApi) -> Finding:
    runs, there = api.version(), version("apache-airflow")
    if runs == there:
        return Finding("versions", "well", f"Airflow {there} runs, as it is installed here")
    found = f"Airflow {runs} runs, and {there} is installed here"
    return Finding("versions", "mend", found, "start all of Airflow again: `./daybook down`, then `./daybook up`")


def _pools(api: AirflowApi, shell_file: Path | None) -> Iterator[Finding]:
    there, is_well = api.pools(), True
    for name, pipeline in load_pipelines().good.items():
        for pool in sorted({str(pool) for pool in pipeline.pools.model_dump().values()} - there.keys()):
            is_well = False
            what = f"{name}: Airflow has no pool {pool!r}{nearest(pool, sorted(there))}; its tasks never start"
            yield Finding("pools", "mend", what, mend_of(name, pool, shell_file))
    if is_well:
        yield Finding("pools", "well", "the pools of all pipelines are there")
