"""Refused rows as the steps keep them: with source, line, column, reason, detail and raw bytes.

`load`, `clean` and `index` each leave theirs in their folder of the run, in refused.parquet.
"""

from collections.abc import Mapping
from typing import BinaryIO

import pyarrow as pa

from daybook import load as loading
from daybook import mends
from daybook.load_raw import raw_records
from daybook.spec import Source
from daybook.work import Step

SCHEMA = pa.schema([("source", pa.string()), *loading.REFUSED])
FILE = "refused.parquet"
# Where `load` fails it leaves here what it had refused until then: a file that has too many of them can be mended too.
FILE_OF_FAILED = "refused_until_failed.parquet"


def open_raw(step: Step, source: Source) -> BinaryIO:
    """Open the raw file of a source."""
    return step.open(mends.extracted_by(source), f"{source.name}.csv")


def of_sources(refused: Mapping[str, list[pa.Table]]) -> pa.Table:
    """Give the loader's refused rows of all sources as one table. refused: by source, as they came."""
    return pa.concat_tables(_of(source, pa.concat_tables(tables)) for source, tables in refused.items())


def with_raw(step: Step, source: Source, refused: pa.Table) -> pa.Table:
    """Give refused rows of a later step with their raw bytes: those that were mended, else those of the raw file."""
    lines = refused["line"].to_pylist()
    raw: dict[int, bytes] = {}
    if lines:
        with open_raw(step, source) as stream:
            raw = raw_records(stream, source, set(lines)) | _mended(step, source)
    nothing = pa.nulls(len(lines), pa.string())
    found = pa.array([raw.get(line) for line in lines], pa.binary())
    return _of(source.name, refused.append_column("detail", nothing).append_column("raw", found))


def _mended(step: Step, source: Source) -> dict[int, bytes]:
    if mends.FILE not in step.work.receipt("load").outputs:
        return {}
    rows = step.read("load", mends.FILE).to_pylist()
    return {row["line"]: row["raw"] for row in rows if row["source"] == source.name}


def _of(source: str, refused: pa.Table) -> pa.Table:
    names = pa.array([source] * refused.num_rows, pa.string())
    return refused.add_column(0, "source", names).cast(SCHEMA)
