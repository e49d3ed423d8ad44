"""A pipeline's DAG in Airflow, for a verb that needs no Airflow but asks it if it is up."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import NamedTuple

from commands.checks.place import place
from daybook.errors import BadSpec
from daybook_airflow.api import AirflowApi
from daybook_airflow.errors import ApiError, DeploymentError


class DagOf(NamedTuple):
    """A DAG as Airflow has it. api: None if it cannot be asked, and `unknown` says why. runs: None if it has none."""

    name: str
    api: AirflowApi | None
    unknown: str = ""
    runs: int | None = None


def dag_of(name: str) -> DagOf:
    """Return what Airflow has of a pipeline. The environment's Airflow is asked, or that of this checkout."""
    try:
        api = place().api()
        api.check()
        api.dag(name)
    except ApiError as error:
        is_not_there = error.status == HTTPStatus.NOT_FOUND
        return DagOf(name, api) if is_not_there else DagOf(name, None, str(error))
    except DeploymentError as error:
        return DagOf(name, None, str(error))
    return DagOf(name, api, runs=api.count_runs(name))


@contextmanager
def nothing_begins(dag: DagOf) -> Iterator[None]:
    """Let nothing of a DAG begin from here on; if the block fails, it is as it was.

    Raises BadSpec if a task is at work.
    """
    if dag.api is None or dag.runs is None:
        yield
        return
    was_paused = dag.api.is_paused(dag.name)
    dag.api.pause(dag.name)
    try:
        if count := dag.api.count_task_instances(dag.name, state="running"):
            raise BadSpec(
                f"{dag.name}: {count} of its tasks are at work in Airflow; nothing was removed; wait until they have "
                "ended, then give the command again"
            )
        yield
    except BaseException:
        if not was_paused:
            dag.api.unpause(dag.name)
        raise
