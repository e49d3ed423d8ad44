"""Refused rows as the steps keep them, and those of the last run that loaded a day, read from its files.

`load`, `clean` and `index` each write theirs to refused.parquet in their folder of the run, with source, line, column,
reason, detail and raw bytes. The commands `refused` and `replay` ask the ledger for the run; nothing is changed.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from daybook.errors import BadSpec
from daybook.ledger import queries
from daybook.ledger.chain import broken
from daybook.ledger.queries import Tried, is_begun
from daybook.ledger.raw_files import extracted_by, raw_files
from daybook.ledger.receipt import STEPS, Mended, Receipt
from daybook.ledger.refused_limits import REFUSING
from daybook.loader.layout import REFUSED_SCHEMA
from daybook.loader.line_numbers import part_of
from daybook.postgres.session import Connection
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.storage.tables import read_parquet

SCHEMA = pa.schema([("source", pa.string()), *REFUSED_SCHEMA])
STEP_SCHEMA = pa.schema([("step", pa.string()), *SCHEMA])
FILE = "refused.parquet"
# A step that fails because too many rows are refused leaves them here, so that they can be mended too.
FILE_OF_FAILED = "refused_until_failed.parquet"


def of_sources(refused: Mapping[str, list[pa.Table]]) -> pa.Table:
    """Return the loader's refused rows of all sources as one table. refused: by source, in order."""
    return pa.concat_tables(_of(source, pa.concat_tables(tables)) for source, tables in refused.items())


def with_raw(source: str, refused: pa.Table, raw: list[bytes | None], places: list[str | None]) -> pa.Table:
    """Return refused rows of a later step with their raw bytes, and of parts with their place."""
    table = refused.append_column("detail", pa.array(places, pa.string()))
    return _of(source, table.append_column("raw", pa.array(raw, pa.binary())))


def _of(source: str, refused: pa.Table) -> pa.Table:
    names = pa.array([source] * refused.num_rows, pa.string())
    return refused.add_column(0, "source", names).cast(SCHEMA)


class Dropped(NamedTuple):
    """How many rows of a source a step dropped for a reason."""

    step: str
    source: str
    reason: str
    rows: int


class LastRun(NamedTuple):
    """The last run that loaded a day: its name and folder, its outcome (deployed, or where it failed and why), the
    receipts of the steps that still count, and the step that failed."""

    run: str
    folder: Folder
    became: str
    receipts: dict[str, Receipt]
    failed: str | None

    def file_of(self, source: str, line: int) -> str:
        """Return the name of the file that a row lies in, if its source is in parts; else ""."""
        origins, number = self.receipts["extract_files"].origins, part_of(line)
        return origins[f"{source}.{number}"].name if number else ""

    @property
    def mended(self) -> tuple[Mended, ...]:
        """Return who mended how many rows, and why."""
        return self.receipts["load"].mended if "load" in self.receipts else ()

    @property
    def dropped(self) -> list[Dropped]:
        """Return the counts of the rows that the steps dropped, in the order of the work."""
        steps = [(step, self.receipts[step].rows) for step in REFUSING if step in self.receipts]
        return [
            Dropped(step, source, reason, count)
            for step, sources in steps
            for source, rows in sources.items()
            for reason, count in rows.dropped.items()
        ]


def last_run(connection: Connection, data: DataFolder, pipeline: Pipeline, day: date) -> LastRun:
    """Find that run. Raises BadSpec if the day was never loaded, or is being loaded now."""
    found = queries.last_loaded(connection, pipeline.name, day) if is_begun(connection) else None
    if found is None:
        raise BadSpec(f"{pipeline.name} {day}: no run has loaded this day; nothing was done; run the day first")
    run, tried = found
    standing = _standing(tried)
    folder = data.run(pipeline.name, day, run)
    failed = next((step for step in STEPS if step not in standing), None)
    failed = failed if failed in tried and tried[failed].state == "failed" else None
    if not set(STEPS[:2]) <= set(standing) or not ("load" in standing or failed == "load"):
        raise BadSpec(
            f"{pipeline.name} {day}: run {run} is loading the day again, or only its extracts were cleared; nothing "
            "was done; try when it ended, or clear `load` and everything downstream of it"
        )
    if not folder.exists():
        raise BadSpec(
            f"{folder.path} is not there; expected the files of run {run}; nothing was done; run the day again if they "
            "were tidied away, or set DAYBOOK_DATA to the folder that the tasks write to"
        )
    return LastRun(run, folder, _became(tried, standing, failed), standing, failed)


def refused_rows(last: LastRun) -> pa.Table:
    """Return the rows of SCHEMA that a run refused, by step, source and line."""
    tables = [
        _of_step(step, last.folder, last.receipts[step].outputs[FILE].sha256)
        for step in REFUSING
        if step in last.receipts
    ]
    if last.failed in REFUSING and (last.folder / last.failed).has(FILE_OF_FAILED):
        tables.append(_of_step(last.failed, last.folder, None))
    rows = pa.concat_tables([STEP_SCHEMA.empty_table(), *tables])
    order = pa.array([REFUSING.index(step) for step in rows["step"].to_pylist()], pa.int8())
    sorted_by = [("order", "ascending"), ("source", "ascending"), ("line", "ascending")]
    return rows.append_column("order", order).sort_by(sorted_by).drop_columns(["order"])


def lost_files(last: LastRun, pipeline: Pipeline) -> dict[str, str]:
    """Return the raw files that the lines of refused rows count in, by path, which are "gone" or "changed" by now."""
    found = {}
    for source in pipeline.sources:
        folder, extracted = last.folder / extracted_by(source), last.receipts[extracted_by(source)]
        for raw in raw_files(extracted, source.name, source.name):
            if fault := folder.fault(raw.file, raw.sha256):
                found[str(folder.path / raw.file)] = fault
    return found


def _of_step(step: str, folder: Folder, sha256: str | None) -> pa.Table:
    files = folder / step
    # A failed step leaves no receipt with a hash to check.
    with files.open_unchanged(FILE, sha256) if sha256 else files.open(FILE_OF_FAILED) as file:
        rows = read_parquet(file)
    return rows.add_column(0, "step", pa.array([step] * rows.num_rows, pa.string())).cast(STEP_SCHEMA)


def _standing(tried: Mapping[str, Tried]) -> dict[str, Receipt]:
    """Return the receipts of the steps that rest on each other; a cleared run may have older ones after them."""
    receipts = {step: attempt.receipt for step, attempt in tried.items() if attempt.receipt}
    first_broken = broken(receipts)
    return {step: receipts[step] for step in (STEPS[: STEPS.index(first_broken.step)] if first_broken else STEPS)}


def _became(tried: Mapping[str, Tried], standing: Mapping[str, Receipt], failed: str | None) -> str:
    if "deploy" in standing:
        return f"deployed ({standing['deploy'].outcome})".replace("_", " ")
    if failed:
        return f"failed at {failed}, {tried[failed].error_kind}: {tried[failed].error}"
    return f"not at its end; its last step done is {list(standing)[-1]}"
