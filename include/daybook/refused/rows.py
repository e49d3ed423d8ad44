"""Refused rows as the steps keep them: with source, line, column, reason, detail and raw bytes.

`load`, `clean` and `index` each leave theirs in their folder of the run, in refused.parquet.

The refused rows of the last run that loaded a day, deployed or failed, read from its files.

The commands `refused` and `replay` rest on it. It asks the ledger, reads the data folder, and changes nothing.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

from daybook.errors import BadSpec
from daybook.ledger import queries
from daybook.ledger.queries import Tried, is_begun
from daybook.ledger.receipt import STEPS, Mended, Receipt
from daybook.loader import load as loading
from daybook.postgres.session import Connection
from daybook.refused import mends
from daybook.run import raw_rows
from daybook.run.day_run import run_folder
from daybook.run.step_run import Step
from daybook.spec import Pipeline, Source
from daybook.storage.folder import Folder
from daybook.storage.tables import read_parquet

SCHEMA = pa.schema([("source", pa.string()), *loading.REFUSED])
FILE = "refused.parquet"
# Where `load` fails it leaves here what it had refused until then: a file that has too many of them can be mended too.
FILE_OF_FAILED = "refused_until_failed.parquet"


def of_sources(refused: Mapping[str, list[pa.Table]]) -> pa.Table:
    """Return the loader's refused rows of all sources as one table. refused: by source, as they came."""
    return pa.concat_tables(_of(source, pa.concat_tables(tables)) for source, tables in refused.items())


def with_raw(step: Step, source: Source, refused: pa.Table) -> pa.Table:
    """Return refused rows of a later step with their raw bytes, mended or as they came, and of parts with their
    place."""
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


REFUSING = ("load", "clean", "index")
STEP_SCHEMA = pa.schema([("step", pa.string()), *SCHEMA])


class LastRun(NamedTuple):
    """The last run that loaded a day: its name and folder, what became of it (deployed, or where it failed and why),
    the receipts of the steps that stand, and whether it was `load` that failed."""

    run: str
    folder: Folder
    became: str
    receipts: dict[str, Receipt]
    is_load_failed: bool

    @property
    def mended(self) -> tuple[Mended, ...]:
        """Return who had mended how many rows, and why."""
        return mends.noted(self.receipts["load"].notes) if "load" in self.receipts else ()


def last_run(connection: Connection, data: Any, pipeline: Pipeline, day: date) -> LastRun:
    """Find that run. data: the data folder. Raises BadSpec if the day was never loaded, or is being loaded now."""
    found = queries.last_loaded(connection, pipeline.name, day) if is_begun(connection) else None
    if found is None:
        raise BadSpec(f"{pipeline.name} {day}: no run has loaded this day; nothing was done; run the day first")
    run, tried = found
    standing = _standing(tried)
    folder = Folder(run_folder(data, pipeline.name, day, run))
    failed = next((step for step in STEPS if step not in standing), None)
    failed = failed if failed in tried and tried[failed].state == "failed" else None
    if not set(STEPS[:2]) <= set(standing) or not ("load" in standing or failed == "load"):
        raise BadSpec(f"{pipeline.name} {day}: run {run} is loading the day again; nothing was done; try when it ended")
    if not folder.exists():
        raise BadSpec(
            f"{folder.path} is not there; expected the files of run {run}; nothing was done; run the day again if they "
            "were tidied away, or set DAYBOOK_DATA to the folder that the tasks write to"
        )
    return LastRun(run, folder, _became(tried, standing, failed), standing, failed == "load")


def refused_rows(last: LastRun) -> pa.Table:
    """Return the rows of SCHEMA that a run refused, by step, source and line."""
    tables = [
        _of_step(step, last.folder, last.receipts[step].outputs[FILE].sha256)
        for step in REFUSING
        if step in last.receipts
    ]
    if last.is_load_failed and (last.folder / "load").has(FILE_OF_FAILED):
        tables.append(_of_step("load", last.folder, None))
    rows = pa.concat_tables([STEP_SCHEMA.empty_table(), *tables])
    order = pa.array([REFUSING.index(step) for step in rows["step"].to_pylist()], pa.int8())
    sorted_by = [("order", "ascending"), ("source", "ascending"), ("line", "ascending")]
    return rows.append_column("order", order).sort_by(sorted_by).drop_columns(["order"])


def _of_step(step: str, folder: Folder, sha256: str | None) -> pa.Table:
    files = folder / step
    # What a failed `load` leaves has no receipt that its bytes could be held to.
    with files.open_unchanged(FILE, sha256) if sha256 else files.open(FILE_OF_FAILED) as file:
        rows = read_parquet(file)
    return rows.add_column(0, "step", pa.array([step] * rows.num_rows, pa.string())).cast(STEP_SCHEMA)


def _standing(tried: Mapping[str, Tried]) -> dict[str, Receipt]:
    """Return the receipts of the steps that were done one after the other; a cleared run keeps older ones behind
    them."""
    standing: dict[str, Receipt] = {}
    for step in STEPS:
        one = tried.get(step)
        before = [tried[other].ended_at for other in standing if (other, step) != STEPS[:2]]
        if one is None or one.receipt is None or any(one.ended_at < ended for ended in before):
            break
        standing[step] = one.receipt
    return standing


def _became(tried: Mapping[str, Tried], standing: Mapping[str, Receipt], failed: str | None) -> str:
    if "deploy" in standing:
        return f"deployed ({standing['deploy'].notes['outcome']})".replace("_", " ")
    if failed:
        return f"failed at {failed}, {tried[failed].error_kind}: {tried[failed].error}"
    return f"not at its end; its last step done is {list(standing)[-1]}"
