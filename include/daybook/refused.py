"""Refused rows as the steps keep them: with source, line, column, reason, detail and raw bytes.

`load`, `clean` and `index` each leave theirs in their folder of the run, in refused.parquet.
"""

from collections.abc import Mapping

import pyarrow as pa

from daybook import mends, raw_rows
from daybook.loader import load as loading
from daybook.spec import Source
from daybook.step import Step

SCHEMA = pa.schema([("source", pa.string()), *loading.REFUSED])
FILE = "refused.parquet"
# Where `load` fails it leaves here what it had refused until then: a file that has too many of them can be mended too.
FILE_OF_FAILED = "refused_until_failed.parquet"


def of_sources(refused: Mapping[str, list[pa.Table]]) -> pa.Table:
    """Give the loader's refused rows of all sources as one table. refused: by source, as they came."""
    return pa.concat_tables(_of(source, pa.concat_tables(tables)) for source, tables in refused.items())


def with_raw(step: Step, source: Source, refused: pa.Table) -> pa.Table:
    """Give refused rows of a later step with their raw bytes, mended or as they came, and of parts with their place."""
    lines = refused["line"].to_pylist()
    rows = raw_rows.rows_at(step, source, lines) if lines else []
    mended = _mended(step, source) if lines else {}
    raw = [mended.get(line, row.raw) for line, row in zip(lines, rows, strict=True)]
    table = refused.append_column("detail", pa.array([row.place for row in rows], pa.string()))
    return _of(source.name, table.append_column("raw", pa.array(raw, pa.binary())))


def _mended(step: Step, source: Source) -> dict[int, bytes]:
    if mends.FILE not in step.receipt("load").outputs:
        return {}
    rows = step.read("load", mends.FILE).to_pylist()
    return {row["line"]: row["raw"] for row in rows if row["source"] == source.name}


def _of(source: str, refused: pa.Table) -> pa.Table:
    names = pa.array([source] * refused.num_rows, pa.string())
    return refused.add_column(0, "source", names).cast(SCHEMA)
