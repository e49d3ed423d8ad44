"""What every task needs, done once before tasks are forked: importing this imports the steps, hashes their code and
looks up the libraries' versions.

Named in config/airflow_local_settings.py; nothing depends on it. It imports and computes nothing with Polars or Arrow:
their threads would not live on in a fork.
"""

import importlib
from contextlib import suppress

from daybook import fingerprint

# What the libraries import only when a frame is first used: 0.1 s in each task otherwise. Names that are not theirs
# any more cost that tenth of a second again, and nothing else.
LAZY = (
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

for step in fingerprint.STEPS:
    fingerprint.code_of(step)

for library in ("narwhals", "pandas", "polars", "pyarrow"):
    fingerprint.version_of(library)
