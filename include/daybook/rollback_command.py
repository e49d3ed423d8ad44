"""`python -m daybook rollback PIPELINE DAY`: readers of a day see the run before the one that they see.

Where the tasks' environment is (`. .daybook/env`, or a container of docker compose), it finds the warehouse and the
data folder as they do: in AIRFLOW_CONN_… and DAYBOOK_DATA. DAYBOOK_WAREHOUSE, a connection string of libpq, goes first.
"""

import argparse
import getpass
import os
import socket
from datetime import date

import psycopg

from daybook import connections
from daybook.asked import pipeline_named
from daybook.errors import BadSpec
from daybook.postgres.session import at_once
from daybook.publish.published_folder import follow
from daybook.publish.rollback import RolledBack, rollback
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder


def main(words: list[str]) -> int:
    """Do what the words of the command line say, and tell it in a line. Returns the exit code."""
    asked = _parser().parse_args(words)
    pipeline = pipeline_named(asked.pipeline)
    dsn = warehouse_dsn(pipeline.target.connection)
    done = roll_back(pipeline, asked.day, dsn, connections.data(), asked.who, asked.why, asked.to)
    print(f"{pipeline.name} {asked.day}: readers see run {done.now} now; they saw run {done.before} before.")
    print(f"A later run that comes to what run {done.before} had is held until a person releases it.")
    return 0


def roll_back(
    pipeline: Pipeline, day: date, dsn: str, data: DataFolder, who: str, why: str, run_id: int | None = None
) -> RolledBack:
    """Roll a day back in the warehouse, and let the published folder follow. dsn: libpq's."""

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(dsn)

    done = at_once(connect, lambda connection: rollback(connection, pipeline, day, data, who, why, run_id))
    at_once(connect, lambda connection: follow(connection, data, pipeline.name, day))
    return done


def warehouse_dsn(connection_id: str) -> str:
    """Return the warehouse's connection string from the environment: DAYBOOK_WAREHOUSE, or Airflow's connection."""
    variable = f"AIRFLOW_CONN_{connection_id.upper()}"
    if not (os.environ.get("DAYBOOK_WAREHOUSE") or os.environ.get(variable)):
        raise BadSpec(
            f"{connection_id}: neither DAYBOOK_WAREHOUSE nor {variable} is set; nothing was changed; run "
            "`. .daybook/env` first, or give DAYBOOK_WAREHOUSE=postgresql://user:password@host/database"
        )
    return os.environ.get("DAYBOOK_WAREHOUSE") or connections.dsn(connection_id)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("daybook rollback", description="Let readers of a day see an earlier run of it.")
    parser.add_argument("pipeline", help="the pipeline's name, such as flights")
    parser.add_argument("day", type=date.fromisoformat, help="the day, such as 2013-01-05")
    parser.add_argument("--to", type=int, metavar="RUN", help="the number of the run; else the one before")
    parser.add_argument("--why", default="not given", help="kept in the ledger")
    user = f"{getpass.getuser()}@{socket.gethostname()}"
    parser.add_argument("--who", default=user, help=f"kept in the ledger; else {user}")
    return parser
