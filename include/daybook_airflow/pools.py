"""The pools that pipelines name: Airflow never starts a task whose pool is not there, and says so only in a log.

So it is said before: at parse, by config/pools.json, without asking any server; and by the commands, which ask Airflow
before they start anything.
"""

import json
import logging
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from daybook.spec import Pipeline, nearest
from daybook_airflow.api import AirflowApi
from daybook_airflow.errors import DeploymentError

LIST = Path(__file__).parents[2] / "config" / "pools.json"
log = logging.getLogger(__name__)


class NoPool(DeploymentError):
    """Mend the spec's `pools`, or make the pool: tasks of a pool that is not there never start."""


def missing_pools(
    pipeline: Pipeline, there: Iterable[str], place: str = "Airflow", shell_file: Path | None = None
) -> list[str]:
    """Return a message about each pool that a pipeline names and that is not there.

    place: that which has the pools `there`. shell_file: as for mend_of.
    """
    named = {f"pools.{word}": pool for word, pool in pipeline.pools.model_dump().items()}
    return list(_missing(pipeline.name, named, there, place, shell_file))


def mend_of(name: str, pool: str, shell_file: Path | None = None) -> str:
    """Return what to do about a pool that is not there. name: of the DAG that needs it.

    shell_file: what a shell has to read before it finds `airflow`; None if it finds it anyway.
    """
    before = f". {shlex.quote(str(shell_file))} && " if shell_file else ""
    command = shlex.join(["airflow", "pools", "set", pool, "2", f"for {name}"])
    return f"mend the spec's `pools`, or make it: `{before}{command}`"


def check_pools(api: AirflowApi, pipeline: Pipeline, shell_file: Path | None = None) -> None:
    """Ask Airflow for its pools. Raises NoPool if one that the pipeline names is not there.

    shell_file: as for mend_of.
    """
    _check(missing_pools(pipeline, api.pools(), shell_file=shell_file))


def check_pools_of_dag(api: AirflowApi, dag_id: str) -> None:
    """Ask Airflow for the pools of any DAG's tasks, as it last read it. Raises NoPool if one is not there."""
    _check(list(_missing(dag_id, api.pools_of(dag_id), api.pools(), "Airflow")))


def _check(problems: list[str]) -> None:
    if problems:
        raise NoPool("\n".join(f"{one}; nothing was started, its tasks would wait for ever" for one in problems))


def warn_of_pools(pipeline: Pipeline) -> None:
    """Log a warning, at parse, if a pool is not of config/pools.json. It may have been made by hand, so it is no error.

    It asks no server. Without the list it says nothing.
    """
    listed = json.loads(LIST.read_text()) if LIST.exists() else None
    if listed is not None:
        for problem in missing_pools(pipeline, [*listed, "default_pool"], "config/pools.json"):
            log.warning("%s; until it is there, its tasks wait", problem)


def _missing(
    name: str, named: Mapping[str, str], there: Iterable[str], place: str, shell_file: Path | None = None
) -> Iterator[str]:
    known = sorted(there)
    # Several tasks may share a pool, which is told once.
    missing = dict.fromkeys(pool for pool in named.values() if pool not in known)
    for pool in missing:
        where = next(where for where, other in named.items() if other == pool)
        near, others = nearest(pool, known), ", ".join(known) or "none"
        mend = mend_of(name, pool, shell_file)
        yield f"{name}: {where}: {place} has no pool {pool!r}{near}; there are {others}; {mend}"
