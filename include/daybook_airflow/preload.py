"""Work that every task needs, done once before tasks are forked: imports, code hashes, versions, a template, a plan.

Every task is a fork that imports its modules. Those that the scheduler (LocalExecutor) or the Celery worker imported
before the fork cost the task nothing: the pages are shared, copy-on-write. Measured: a nine-task day whose DAG file
imports pandas takes 16.5 s without this and 2.65 s with it. A library that is broken is found here, before any day
begins. It computes nothing with Polars or Arrow: their threads do not survive a fork.
"""

import importlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from daybook.libraries import load

log = logging.getLogger(__name__)

MODULES = (
    "pandas",
    "polars",
    "pyarrow",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.parquet",
    "narwhals",
    "jinja2",
    "psycopg",
    "airflow.providers.standard.operators.python",
    "airflow.providers.postgres.hooks.postgres",
    "asyncssh",
    "airflow.dag_processing.bundles.local",
    "airflow.dag_processing.dagbag",
    "airflow.sdk.definitions.asset.metadata",
    "airflow.sdk.definitions.retry_policy",
    "airflow.sdk.execution_time.cache",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.execution_time.timeout",
    "airflow.sdk.lineage",
    "airflow.providers.common.io.assets.file",
    "airflow.providers.ftp.assets.ftp",
    "airflow.providers.postgres.assets.postgres",
    "airflow.version",
    # Not the pipelines: each task reads those anew.
    "daybook.steps",
    "daybook.pages.run_note",
    "daybook_airflow.form",
    "daybook_airflow.pools",
    "daybook_airflow.schedule",
    "daybook_airflow.tasks",
)
# The libraries import these when a frame or a host name is first used, which would take 0.1 s in each task. A name that
# no longer exists does no harm, except that its time is lost again.
LAZY_MODULES = (
    "encodings.idna",
    "jinja2.ext",
    "narwhals._arrow.dataframe",
    "narwhals._interchange.dataframe",
    "narwhals._namespace",
    "narwhals._polars.dataframe",
    "narwhals._polars.group_by",
    "narwhals._polars.namespace",
    "narwhals.group_by",
    "pyarrow.acero",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
)
LIBRARIES = ("narwhals", "pandas", "polars", "pyarrow")


def preload() -> None:
    """Import and compute what tasks share; tasks start slower if something cannot be computed before.

    Raises BrokenLibrary if a module cannot be imported: no task could do its work.
    """
    import_modules()
    for compute in (hash_code, find_versions, read_templates, plan_a_frame):
        _try(compute.__name__, compute)


def import_modules() -> None:
    """Import what tasks need: it is also most of what a parse of the DAG file costs.

    Raises BrokenLibrary if a module cannot be imported.
    """
    for name in MODULES:
        load(name)
    for name in LAZY_MODULES:
        _try(name, partial(importlib.import_module, name), level=logging.DEBUG)


def hash_code() -> None:
    """Hash the code of every step: it is the same in every task."""
    from daybook.ledger import fingerprint

    for step in fingerprint.FINGERPRINTED_STEPS:
        fingerprint.code_of(step)


def find_versions() -> None:
    """Find the versions of the libraries that fingerprints hold."""
    from daybook.ledger import fingerprint

    for library in LIBRARIES:
        fingerprint.version_of(library)


def read_templates() -> None:
    """Read and compile the template of the report."""
    from daybook.pages.templates import template

    template("report")


def plan_a_frame() -> Any:
    """Plan every kind of operation of the steps, but run none: Python then caches its checks of types."""
    import narwhals
    import polars

    key, value = narwhals.col("key"), narwhals.col("value")
    frame = narwhals.from_native(polars.LazyFrame(schema={"key": polars.String, "value": polars.Int64}))
    is_out = narwhals.any_horizontal(value.is_null(), ~key.is_in(("",)), ignore_nulls=False)
    number = narwhals.coalesce(narwhals.when(is_out).then(narwhals.lit(0)), narwhals.lit(1))
    marked = frame.with_columns(rule=number, first=value.min().over("key"))
    found = marked.select("key", narwhals.lit(True).alias("is_found"))
    joined = marked.join(found, on="key", how="left").drop("is_found")
    return joined.group_by("key").agg(narwhals.len().alias("rows"), value.sum()).select("key", "rows")


def _try(name: str, do: Callable[[], object], level: int = logging.WARNING) -> None:
    try:
        do()
    except Exception as error:
        log.log(level, "%s is not preloaded, tasks will start slower: %r", name, error)
