"""A day from `load` to `aggregate` in a process of its own, which may take only so much more memory than its libraries.

python limited_day.py FOLDER MIB HOW       prints the hash of what readers would get, by file

MIB: how much more memory, "any" for no limit. HOW: "batches", or "whole" for steps that hold all rows of a table.
"""

import hashlib
import json
import re
import resource
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from daybook.loader import load as loading
from daybook.run import step_run
from daybook.spec import Limits, Measure, Pipeline, text
from daybook.storage import tables
from tests.support.offline import OfflineDay
from tests.support.shop import DAY, SALES, shop

STEPS = ("load", "clean", "index", "aggregate")
MIB = 2**20


def pipeline() -> Pipeline:
    """Return the shop, whose sales have a long note, which goes on to the last step."""
    note = Measure(name="last_note", how="max", of="note")
    sales = SALES.model_copy(update={"columns": (*SALES.columns, text("note")), "limits": Limits(at_least=10)})
    summary = shop().summaries[0]
    noted = summary.model_copy(update={"columns": (*summary.columns, "last_note")})
    return shop(files=(sales,), measures=(*shop().measures, note), summaries=(noted,))


def published(folder: Path, sales: Path) -> dict[str, str]:
    """Do a day of these sales; return the hash of each published file."""
    others = {"shops": b"shop,city\nA1,Bilbao\nB2,Vigo\n", "customers": b"customer,age\n7,41\n"}
    day = OfflineDay(pipeline(), DAY, folder, {"sales": sales, **others})
    day.do(*STEPS)
    return {name: hashlib.sha256(content).hexdigest() for name, content in day.published().items()}


def limit(more_mib: int) -> None:
    """Let this process take only so much more memory than it has: what it may write to (getrlimit(2), RLIMIT_DATA)."""
    held_kib = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert held_kib
    most = int(held_kib[1]) * 1024 + more_mib * MIB
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def at_once(file: Any, columns: list[str] | None = None, least_rows: int = 0) -> Iterator[pa.Table]:
    """Read a table as `parquet_batches` does, but all its rows at a time."""
    yield tables.read_parquet(file, columns)


def main(folder: Path, most: str, how: str) -> None:
    """Do a small day, which loads the libraries, and then the day, limited."""
    # Small batches, so that a day that is soon done is larger than many of them.
    patched = pytest.MonkeyPatch()
    patched.setattr(tables, "BATCH_BYTES", 2 * MIB)
    patched.setattr(loading, "load", partial(loading.load, block_bytes=MIB))
    small = folder / "small.csv"
    small.write_bytes(b"".join((folder / "sales.csv").open("rb").readlines(10_000)))
    published(folder / f"small_{how}_{most}", small)
    if how == "whole":
        patched.setattr(step_run, "parquet_batches", at_once)
    if most != "any":
        limit(int(most))
    print(json.dumps(published(folder / f"{how}_{most}", folder / "sales.csv")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
