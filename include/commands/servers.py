"""The servers that a verb asks: those that the environment names, or this checkout's own.

`. .daybook/env` names this checkout's own. They are started if they are down.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from commands.output import progress
from daybook.errors import BadSpec
from daybook.spec import Pipeline
from daybook_airflow.environment_connections import variable_of
from daybook_airflow.kept_connections import names_an_airflow
from daybook_airflow.pools import check_pools
from deployment.home import Home
from deployment.running import Running, running, servers


def are_named(pipeline: Pipeline) -> bool:
    """Return whether the environment names a warehouse that is not this checkout's own."""
    return is_named(pipeline.target.connection)


def is_named(connection: str) -> bool:
    """Return whether the environment names a warehouse of this connection's id that is not this checkout's own: by a
    variable, or by an Airflow that keeps connections elsewhere."""
    if os.environ.get("DAYBOOK_WAREHOUSE"):
        return True
    is_own = os.environ.get("AIRFLOW_HOME") == str(Home.of_checkout().airflow)
    return not is_own and (bool(os.environ.get(variable_of(connection))) or names_an_airflow())


@contextmanager
def servers_of(pipeline: Pipeline, verb: str) -> Iterator[None]:
    """Have the servers of a pipeline, PostgreSQL and FTP, without Airflow. Raises DeploymentError."""
    with servers_with(pipeline.target.connection, verb):
        yield


@contextmanager
def servers_with(connection: str, verb: str) -> Iterator[None]:
    """Have the servers that a connection's id means: the environment's, or this checkout's. Raises DeploymentError."""
    if is_named(connection):
        yield
        return
    with servers(Home.of_checkout(), f"./daybook {verb}"):
        yield


@contextmanager
def airflow_of(pipeline: Pipeline, verb: str) -> Iterator[Running]:
    """Have this checkout's whole deployment: the one that is up, or one for the verb.

    Raises BadSpec if the environment names another warehouse, whose Airflow is not ours to ask; NoPool if Airflow has
    not all pools of the pipeline, so that its runs would wait for ever.
    """
    if are_named(pipeline):
        raise BadSpec(
            f"{verb}: the environment names another warehouse than this checkout's own; nothing was done; trigger the "
            f"DAG {pipeline.name} there, or unset AIRFLOW_CONN_{pipeline.target.connection.upper()} and "
            "DAYBOOK_WAREHOUSE"
        )
    with running(Home.of_checkout(), f"./daybook {verb}", progress) as deployment:
        check_pools(deployment.api, pipeline, deployment.home.shell_file)
        yield deployment
