"""What a process that is going to be killed needs, loaded once: libraries, the steps, and the hashes of their code.

It computes nothing with Polars or Arrow: their threads do not survive a fork.
"""

import importlib

from daybook import steps
from daybook.ledger import fingerprint

LIBRARIES = ("pandas", "polars", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "narwhals", "jinja2")
for _library in (*LIBRARIES, "upath.implementations.local"):
    importlib.import_module(_library)
for _step in fingerprint.READS:
    fingerprint.code_of(_step)

__all__ = ["steps"]
