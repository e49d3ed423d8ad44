"""What every task needs, done once before tasks are forked: imports, hashes of the code, versions, a template, a plan.

Named in config/airflow_local_settings.py; nothing depends on it. It imports and computes nothing with Polars or Arrow:
their threads would not live on in a fork.
"""

import importlib
from contextlib import suppress
from typing import Any

import narwhals
import polars

from daybook.ledger import fingerprint
from daybook.pages.templates import template

# What the libraries import only when a frame, or a name of a host, is first used: 0.1 s in each task otherwise. Names
# that are not theirs any more cost that tenth of a second again, and nothing else.
LAZY = (
    "encodings.idna",
    "fsspec.implementations.memory",
    "narwhals._arrow.dataframe",
    "narwhals._interchange.dataframe",
    "narwhals._namespace",
    "narwhals._polars.dataframe",
    "narwhals._polars.group_by",
    "narwhals._polars.namespace",
    "narwhals.group_by",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
)

for module in LAZY:
    with suppress(ImportError):
        importlib.import_module(module)

# Not reached from the steps, but by the DAG file. The pipelines are not among them: tasks read those anew.
for module in ("batch", "day", "restatement"):
    importlib.import_module(f"daybook.{module}")

for step in fingerprint.STEPS:
    fingerprint.code_of(step)

for library in ("narwhals", "pandas", "polars", "pyarrow"):
    fingerprint.version_of(library)

template("report")


def plan() -> narwhals.LazyFrame[Any]:
    """Plan what the steps do, of all kinds, and run none of it: Python remembers which class is of which kind."""
    key, value = narwhals.col("key"), narwhals.col("value")
    frame = narwhals.from_native(polars.LazyFrame(schema={"key": polars.String, "value": polars.Int64}))
    is_out = narwhals.any_horizontal(value.is_null(), ~key.is_in(("",)), ignore_nulls=False)
    number = narwhals.coalesce(narwhals.when(is_out).then(narwhals.lit(0)), narwhals.lit(1))
    marked = frame.with_columns(rule=number, first=value.min().over("key"))
    found = marked.select("key", narwhals.lit(True).alias("is_found"))
    joined = marked.join(found, on="key", how="left").drop("is_found")
    return joined.group_by("key").agg(narwhals.len().alias("rows"), value.sum()).select("key", "rows")


plan()
