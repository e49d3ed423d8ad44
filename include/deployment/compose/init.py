"""The `init` service of docker-compose.yaml, before Airflow makes its own tables: databases and source.

`python -m deployment.compose.init SOURCE DATA`, in the image, with the passwords in the environment. It runs at every
start of the stack; existing data is kept, and every role gets the current password of `.env`.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from deployment.compose.env import variable
from deployment.errors import DeploymentError
from deployment.secret_values import Secrets
from deployment.servers.databases import LOGINS, make_databases
from deployment.servers.flights import fill_tables, write_days
from deployment.servers.postgres import SUPERUSER


@dataclass(frozen=True)
class ComposePostgres:
    """The stack's PostgreSQL, as its services reach it."""

    secrets: Secrets

    def dsn(self, database: str = "postgres", role: str = SUPERUSER) -> str:
        """Return libpq's connection string for the superuser, or for a role of `servers/databases.py`, in a
        database."""
        return make_conninfo(host="postgres", dbname=database, user=role, password=getattr(self.secrets, role))


def prepare(source: Path, data: Path) -> None:
    """Make the databases and fill the source.

    source: a folder whose `ftp` the FTP server shows. data: the folder for published files. Raises DeploymentError if
    it cannot be written.
    """
    _check_writable(data)
    postgres = ComposePostgres(passwords())
    make_databases(postgres)
    fill_tables(postgres.dsn("source", "source_owner"))
    (source / "ftp").mkdir(exist_ok=True)
    write_days(source / "ftp" / "flights", source / "flights.complete")


def passwords() -> Secrets:
    """Return the passwords of PostgreSQL's roles; this does not need the other secrets."""
    return Secrets(**{name: os.environ[variable(name)] for name in (SUPERUSER, *LOGINS)})


def _check_writable(data: Path) -> None:
    # If the folder is missing on the host, the container engine creates it, owned by root.
    if not os.access(data, os.W_OK):
        raise DeploymentError(
            f"{data}, which is ./data beside docker-compose.yaml, is not writable for user {os.getuid()}, as whom the"
            f" stack runs (AIRFLOW_UID in .env). Give it to that user: sudo chown -R {os.getuid()}:0 data"
        )


if __name__ == "__main__":
    try:
        prepare(Path(sys.argv[1]), Path(sys.argv[2]))
    except DeploymentError as error:
        sys.exit(str(error))
