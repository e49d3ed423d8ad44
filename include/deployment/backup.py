"""A copy of all data that cannot be fetched again, and a new home made from it: `./daybook backup` and `restore`.

`warehouse.dump` holds the published rows and the ledger, `airflow.dump` the runs, their forms and their users,
`data.tar` the data folder: raw bytes, the steps' outputs, and the published files. It holds no secret.
"""

import shutil
import subprocess
from pathlib import Path

import psycopg

from daybook.storage.folder import Folder
from deployment import data_file
from deployment.errors import DeploymentError
from deployment.home import Home, hide_from_git
from deployment.running import database, libpq_variables
from deployment.servers.postgres import LocalPostgres

DATABASES = ("warehouse", "airflow")


def back_up(home: Home, data: Folder, folder: Path) -> None:
    """Copy the databases of a home, and its data folder, into a new folder, whole or not at all.

    Raises DeploymentError if the folder exists, or a program of PostgreSQL fails.
    """
    new = folder.with_name(f"{folder.name}.writing")
    for one in (folder, new):
        if one.exists():
            raise DeploymentError(f"{one} is there already; nothing was copied. Name a new folder, or remove this one.")
    new.mkdir(mode=0o700, parents=True)
    hide_from_git(new)
    try:
        _copy(home, data, new)
    except BaseException:
        shutil.rmtree(new)
        raise
    new.rename(folder)


def _copy(home: Home, data: Folder, new: Path) -> None:
    with database(home, "./daybook backup") as postgres:
        # The databases first. Then a day that is published meanwhile has files that the copied ledger does not know,
        # which a restore sets aside. The other way round, the ledger would name files that are not in the copy.
        for name in DATABASES:
            _run(postgres, name, "pg_dump", "--format=custom", f"--file={new / f'{name}.dump'}")
    data_file.write(data, new / "data.tar")


def restore(home: Home, data: Folder, folder: Path) -> None:
    """Make the databases of a home that never ran, and its data folder, from a copy.

    Raises DeploymentError, and changes nothing, if they are not empty.
    """
    if data.names():
        raise DeploymentError(f"{data.path} is not empty; nothing was restored. Name a new folder in DAYBOOK_DATA.")
    missing = [name for name in (*map("{}.dump".format, DATABASES), "data.tar") if not (folder / name).exists()]
    if missing:
        raise DeploymentError(f"{folder} is no copy of Daybook: {', '.join(missing)} not there; nothing was restored.")
    with database(home, "./daybook restore") as postgres:
        for name in DATABASES:
            _check_is_empty(postgres, name)
        for name in DATABASES:
            how = ("--exit-on-error", "--single-transaction", f"--dbname={name}")
            _run(postgres, name, "pg_restore", *how, str(folder / f"{name}.dump"))
    data_file.read(folder / "data.tar", data)


def _check_is_empty(postgres: LocalPostgres, name: str) -> None:
    query = "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    with psycopg.connect(postgres.dsn(name)) as connection:
        row = connection.execute(query).fetchone()
    if row != (0,):
        raise DeploymentError(
            f"{postgres.home.path} has a database {name} with tables; nothing was restored. Name a new DAYBOOK_HOME."
        )


def _run(postgres: LocalPostgres, name: str, program: str, *arguments: str) -> None:
    variables = libpq_variables(postgres.dsn(name))
    command = [str(postgres.program(program)), *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise DeploymentError(f"PostgreSQL's {program} failed for {name}: {done.stderr.strip()}")
