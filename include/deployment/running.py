"""The servers of a home for one command: those that run, or others that are started for it and stopped after it.

`database` is for commands that need only PostgreSQL, `servers` adds FTP, `running` is for those that need Airflow too.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from psycopg.conninfo import conninfo_to_dict

from daybook_airflow.api import AirflowApi
from daybook_airflow.waiting import nothing, wait_until
from deployment.environment import connections, data_url, metadata_database
from deployment.errors import DeploymentError, with_log
from deployment.home import HOST, Home, Lock
from deployment.processes.components import Component, stop_all
from deployment.servers.databases import make_databases
from deployment.servers.flights import fill_source
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from deployment.supervisor import FTP_SECONDS, Deployment


class Running(NamedTuple):
    """A deployment whose Airflow answers: started by this command, or by another one. keep_up: restarts parts that
    ended, if this command started them."""

    api: AirflowApi
    home: Home
    postgres: LocalPostgres
    keep_up: Callable[[], None] = nothing


@contextmanager
def servers(home: Home, command: str) -> Iterator[None]:
    """Have PostgreSQL with the source and the warehouse, and the FTP server; this process's variables name them."""
    home.make()
    postgres, lock = LocalPostgres(home), Lock(home)
    if not lock.try_to_take(command):
        name_servers(postgres)
        yield
        return
    try:
        stop_all(home)
        _start(home, postgres)
        name_servers(postgres)
        yield
    finally:
        stop_all(home)
        postgres.stop()
        lock.release()


@contextmanager
def database(home: Home, command: str) -> Iterator[LocalPostgres]:
    """Have PostgreSQL with the deployment's databases: the one that runs, or one for this command."""
    postgres, lock = LocalPostgres(home), Lock(home)
    if not lock.try_to_take(command):
        yield postgres
        return
    try:
        postgres.start()
        make_databases(postgres)
        yield postgres
    finally:
        postgres.stop()
        lock.release()


def libpq_variables(dsn: str) -> dict[str, str]:
    """Return this process's variables, and those by which PostgreSQL's programs connect to a database.

    Unlike a program's arguments, other users of the machine cannot read them.
    """
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    names["connect_timeout"] = "PGCONNECT_TIMEOUT"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {names[part]: str(value) for part, value in conninfo_to_dict(dsn).items()}


@contextmanager
def running(home: Home, command: str, say: Callable[[str], None]) -> Iterator[Running]:
    """Have a whole deployment, the one that is up or one for this command; this process's variables name its servers.

    Raises DeploymentError if one is up and its Airflow does not answer.
    """
    if not Lock(home).is_taken():
        with Deployment(home=home.path, command=command, say=say) as deployment:
            name_servers(deployment.postgres)
            yield Running(deployment.api, home, deployment.postgres, deployment.keep_up)
        return
    yield attached(home)


def attached(home: Home) -> Running:
    """Return the deployment that is up. Raises DeploymentError if none is, or its Airflow does not answer."""
    postgres = LocalPostgres(home)
    api = AirflowApi(f"http://{HOST}:{home.kept_port('ui')}", "admin", postgres.secrets.admin)
    if not Lock(home).is_taken():
        raise DeploymentError(f"Nothing runs in {home.path}; nothing was done. `./daybook up` starts it.")
    if not api.health():
        raise DeploymentError(
            f"{Lock(home).holder()['command']} is running in {home.path}, and its Airflow does not answer;"
            " try again when it is up, or when it has ended."
        )
    name_servers(postgres)
    return Running(api, home, postgres)


def name_servers(postgres: LocalPostgres) -> None:
    """Let this process's variables name the servers of a home, and the home, as Airflow's name them for its tasks; and
    the database in which Airflow keeps connections that were added to it."""
    named = {
        "AIRFLOW_HOME": str(postgres.home.airflow),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_database(postgres),
        "AIRFLOW__CORE__FERNET_KEY": postgres.secrets.fernet_key,
        "DAYBOOK_DATA": data_url(),
    }
    os.environ.update(connections(postgres, LocalFtp.kept(postgres.home)), **named)


def _start(home: Home, postgres: LocalPostgres) -> None:
    postgres.start()
    make_databases(postgres)
    ftp = LocalFtp.of(home)
    component = Component(home, "ftp", ftp.command, ftp.environment)
    if not wait_until(ftp.answers, FTP_SECONDS, check=component.check, every=0.05):
        raise with_log(f"The FTP server does not answer after {FTP_SECONDS} s.", component.log)
    fill_source(postgres, ftp.root)
