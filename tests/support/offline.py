"""The steps from `load` to `aggregate` on given bytes, and the summaries: in a folder, without any server."""

import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from upath import UPath

from daybook import steps
from daybook.ledger.receipt import Done, Output, Receipt
from daybook.rules.summarize import summarize
from daybook.run.day_run import DayRun
from daybook.run.step_run import StepRun
from daybook.spec import CleanRows, Pipeline
from daybook.spec.work import measures_per_summary
from daybook.storage.data_folder import DataFolder
from daybook.storage.tables import csv_bytes, measures_file, rows_file, write_parquet


class OfflineDay:
    """A run of a day whose extracted files are given. receipts: of the steps that are done, by step."""

    def __init__(self, pipeline: Pipeline, day: date, folder: Path, extracted: Mapping[str, bytes | Path]) -> None:
        """Put what is extracted, by source, bytes or a file, into a new data folder."""
        nobody = lambda connection: nullcontext()  # noqa: E731 - no step here asks a server
        self.pipeline, self.day = pipeline, day
        self.day_run = DayRun(pipeline, day, "run", DataFolder(UPath(f"file://{folder}")), nobody, nobody)
        self.receipts = {
            "extract_tables": self._extracted("extract_tables", [one.name for one in pipeline.tables], extracted),
            "extract_files": self._extracted("extract_files", [one.name for one in pipeline.files], extracted),
        }

    def do(self, *names: str) -> None:
        """Do some steps."""
        for name in names:
            step = StepRun(self.day_run, name)
            step.keep(self.receipts)
            self.receipts[name] = self._receipt(name, getattr(steps, name)(step), step.outputs)

    def table(self, step: str, name: str) -> pa.Table:
        """Return a table that a step wrote."""
        reading = StepRun(self.day_run, "summarize")
        reading.keep(self.receipts)
        return reading.read_table(step, name)

    def published(self) -> dict[str, bytes]:
        """Return what readers would get, by the name of the file."""
        measures = {name: self.table("aggregate", measures_file(name)) for name in measures_per_summary(self.pipeline)}
        aggregates = self.table("aggregate", "aggregates.parquet")
        views = dict(summarize(aggregates, self.pipeline, self.day, measures))
        rows = [view.name for view in self.pipeline.views if isinstance(view, CleanRows)]
        views |= {name: self.table("aggregate", rows_file(name)) for name in rows}
        parquet = {f"{name}.parquet": _parquet(view) for name, view in views.items()}
        return parquet | {f"{name}.csv": csv_bytes(view) for name, view in views.items()}

    def _extracted(self, step: str, names: list[str], extracted: Mapping[str, bytes | Path]) -> Receipt:
        outputs: dict[str, Output] = {}
        for name in names:
            folder, content = self.day_run.folder / step, extracted[name]
            with folder.new_file(f"{name}.csv") as file, _opened(content) as given:
                shutil.copyfileobj(given, file)
            written = folder.written(f"{name}.csv")
            outputs[f"{name}.csv"] = Output(size_bytes=written.size_bytes, sha256=written.sha256)
        return self._receipt(step, Done(), outputs)

    def _receipt(self, step: str, done: Done, outputs: dict[str, Output]) -> Receipt:
        words: dict[str, Any] = dict(done) | {"pipeline": self.pipeline.name, "day": self.day, "run": "run"}
        return Receipt(**words, step=step, outputs=outputs, seconds=0, peak_memory_mib=0)


def _opened(content: bytes | Path) -> BinaryIO:
    return BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _parquet(table: pa.Table) -> bytes:
    file = BytesIO()
    write_parquet(table, file)
    return file.getvalue()
