"""The pools that pipelines name: Airflow never starts a task whose pool is not there, and says so only in a log.

So it is said before: at parse, by config/pools.json, without asking any server; and by the commands, which ask Airflow
before they start anything.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from daybook.spec import Pipeline, nearest
from daybook_airflow.api import AirflowApi
from daybook_airflow.errors import DeploymentError

LIST = Path(__file__).parents[2] / "config" / "pools.json"
log = logging.getLogger(__name__)


class NoPool(DeploymentError):
    """Mend the spec's `pools`, or make the pool: tasks of a pool that is not there never start."""


def missing_pool(pipeline: Pipeline, there: Iterable[str], place: str = "Airflow") -> str:
    """Return a message about the first pool that a pipeline names and that is not there; "" if all are.

    place: that which has the pools `there`.
    """
    named = {f"pools.{word}": pool for word, pool in pipeline.pools.model_dump().items()}
    return _missing(pipeline.name, named, there, place)


def mend_of(name: str, pool: str) -> str:
    """Return what to do about a pool that is not there. name: of the DAG that needs it."""
    return f"mend the spec's `pools`, or make it: `airflow pools set {pool} 2 'for {name}'`"


def check_pools(api: AirflowApi, pipeline: Pipeline) -> None:
    """Ask Airflow for its pools. Raises NoPool if one that the pipeline names is not there."""
    _check(missing_pool(pipeline, api.pools()))


def check_pools_of_dag(api: AirflowApi, dag_id: str) -> None:
    """Ask Airflow for the pools of any DAG's tasks, as it last read it. Raises NoPool if one is not there."""
    _check(_missing(dag_id, api.pools_of(dag_id), api.pools(), "Airflow"))


def _check(problem: str) -> None:
    if problem:
        raise NoPool(f"{problem}; nothing was started, its tasks would wait for ever")


def warn_of_pools(pipeline: Pipeline) -> None:
    """Log a warning, at parse, if a pool is not of config/pools.json. It may have been made by hand, so it is no error.

    It asks no server. Without the list it says nothing.
    """
    listed = json.loads(LIST.read_text()) if LIST.exists() else None
    if listed is not None and (problem := missing_pool(pipeline, [*listed, "default_pool"], "config/pools.json")):
        log.warning("%s; until it is there, its tasks wait", problem)


def _missing(name: str, named: Mapping[str, str], there: Iterable[str], place: str) -> str:
    known = sorted(there)
    wrong = next(((where, pool) for where, pool in named.items() if pool not in known), None)
    if wrong is None:
        return ""
    where, pool = wrong
    near, others = nearest(pool, known), ", ".join(known) or "none"
    return f"{name}: {where}: {place} has no pool {pool!r}{near}; there are {others}; {mend_of(name, pool)}"
