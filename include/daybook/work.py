"""A day's work and one step of it: what steps.py reads from, writes to and writes down.

The folder of a run holds one folder a step; in it lie the step's files and `receipt.json`, written last.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from daybook.folder import Folder
from daybook.receipt import STEPS, Meter, Output, Receipt, Rows
from daybook.spec import Pipeline

log = logging.getLogger(__name__)


def run_folder(data: Any, pipeline: str, day: date, run: str) -> Any:
    """Give the folder of a run below the data folder: days/<pipeline>/<day>/<run>.

    run: the scheduler's name for it, of which only letters, digits, `.`, `_` and `-` stay as they are.
    """
    return data / "days" / pipeline / str(day) / re.sub(r"[^A-Za-z0-9_.-]", "_", run)


@dataclass(frozen=True)
class Work:
    """One run's work on one day: `run` names the run (it started this), `folder` is the run's, `published` the
    pipeline's published days."""

    pipeline: Pipeline
    day: date
    run: str
    folder: Folder
    published: Folder
    is_forced: bool = False

    def receipt(self, step: str) -> Receipt:
        """Give the receipt that a step left."""
        with (self.folder / step).open("receipt.json") as file:
            return Receipt.model_validate_json(file.read())

    def receipts(self, before: str) -> dict[str, Receipt]:
        """Give the receipts of the steps before that one, by step, in the order of the work."""
        return {step: self.receipt(step) for step in STEPS[: STEPS.index(before)]}

    @contextmanager
    def step(self, name: str) -> Iterator["Step"]:
        """Do a step: its receipt is written and its line logged when the block ends, and not when it raises."""
        step = Step(self, name, self.folder / name)
        yield step
        step.close()


@dataclass
class Step:
    """One step at work: files in and out, and what it counts."""

    work: Work
    name: str
    folder: Folder
    meter: Meter = field(default_factory=Meter)
    rows: dict[str, Rows] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    notes: dict[str, str | int] = field(default_factory=dict)
    receipt: Receipt | None = None

    def open(self, step: str, name: str) -> BinaryIO:
        """Open a file of an earlier step, checked against that step's receipt, and note it as an input."""
        sha256 = self.work.receipt(step).outputs[name].sha256
        self.inputs[f"{step}/{name}"] = sha256
        return (self.work.folder / step).open_unchanged(name, sha256)

    def read(self, step: str, name: str) -> pa.Table:
        """Read a table that an earlier step wrote."""
        with self.open(step, name) as file:
            return pq.read_table(file)

    def write(self, name: str, table: pa.Table) -> None:
        """Write a table as Parquet and note it as an output."""
        with self.new_file(name, rows=table.num_rows) as file:
            write_parquet(table, file)

    @contextmanager
    def new_file(self, name: str, rows: int | None = None) -> Iterator[BinaryIO]:
        """Write a file and note it as an output, with its rows where they are known."""
        with self.folder.new_file(name) as file:
            yield file
        self.note_output(name, rows)

    def note_output(self, name: str, rows: int | None) -> None:
        """Note a file that lies in the step's folder as an output."""
        written = self.folder.written(name)
        self.outputs[name] = Output(rows=rows, size_bytes=written.size_bytes, sha256=written.sha256)

    def close(self) -> None:
        """Write the receipt and log its line."""
        self.receipt = Receipt(
            pipeline=self.work.pipeline.name,
            day=self.work.day,
            run=self.work.run,
            step=self.name,
            rows=self.rows,
            unknown=self.unknown,
            inputs=self.inputs,
            outputs=self.outputs,
            notes=self.notes,
            seconds=self.meter.seconds,
            peak_memory_mib=self.meter.peak_memory_mib,
        )
        with self.folder.new_file("receipt.json") as file:
            file.write(self.receipt.model_dump_json(indent=1).encode())
        log.info("%s", self.receipt.line())

    def told(self) -> dict[str, object]:
        """Give what the task hands on: names, counts and hashes."""
        return self.receipt.counts() if self.receipt else {}


def write_parquet(table: pa.Table, file: BinaryIO) -> None:
    """Write a table as Parquet; equal tables give equal bytes."""
    pq.write_table(table, file, compression="zstd")


Connect = Callable[[str], Any]
"""Opens the connection of that id: an Airflow hook's get_conn, handed in by the DAG."""
