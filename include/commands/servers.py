"""The servers that a verb asks: those that the environment names, or this checkout's own.

`. .daybook/env` names this checkout's own too: they are started if they are down.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from daybook.spec import Pipeline
from deployment.home import Home
from deployment.running import servers


def are_named(pipeline: Pipeline) -> bool:
    """Return whether the environment names a warehouse that is not this checkout's own."""
    if os.environ.get("DAYBOOK_WAREHOUSE"):
        return True
    is_own = os.environ.get("AIRFLOW_HOME") == str(Home.of_checkout().airflow)
    return not is_own and bool(os.environ.get(f"AIRFLOW_CONN_{pipeline.target.connection.upper()}"))


@contextmanager
def servers_of(pipeline: Pipeline, verb: str) -> Iterator[None]:
    """Have the servers of a pipeline, PostgreSQL and FTP; Airflow is not needed. Raises DeploymentError."""
    if are_named(pipeline):
        yield
        return
    with servers(Home.of_checkout(), f"./daybook {verb}"):
        yield
