"""One step of a day at work: the files that it reads, checked, the files that it writes, and a session.

A step is a function of a `StepRun` that returns its result (`Done`); steps.py has the nine of them, and run_step.py
calls them all.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from typing import BinaryIO, Generic, NamedTuple, TypeVar

import pyarrow as pa

from daybook.ledger import fingerprint
from daybook.ledger.raw_files import content_of, extracted_by, raw_sha256
from daybook.ledger.receipt import STEPS, Fingerprint, Meter, Output, Receipt, Rows
from daybook.postgres.session import Connection
from daybook.refused import mends
from daybook.run.day_run import DayRun
from daybook.spec import Pipeline, Source
from daybook.storage.folder import Folder
from daybook.storage.tables import files_of, hand_over, parquet_batches, read_parquet

log = logging.getLogger(__name__)
T = TypeVar("T")


class SourceResult(NamedTuple, Generic[T]):
    """A day's result for one source: something for the step's own use, and the counts of the source's rows."""

    given: T
    rows: Rows


class _Shared(NamedTuple, Generic[T]):
    result: SourceResult[T]
    folder: Folder
    outputs: dict[str, Output]
    inputs: dict[str, str]


class StepRun:
    """One step at work. It notes the files read and written; the step returns everything else."""

    def __init__(self, day_run: DayRun, name: str) -> None:
        """Begin a step; nothing is read yet."""
        self.day_run, self.name = day_run, name
        self.folder = day_run.folder / name
        self.meter = Meter()
        self.inputs: dict[str, str] = {}
        self.outputs: dict[str, Output] = {}
        self.fingerprint: Fingerprint | None = None
        # What is open until the step ends.
        self.opened = ExitStack()
        self._session: Connection | None = None
        self._receipts: dict[str, Receipt] = {}
        self._checked: set[tuple[str, str]] = set()

    @property
    def pipeline(self) -> Pipeline:
        """Return the day's pipeline."""
        return self.day_run.pipeline

    @contextmanager
    def warehouse(self) -> Iterator[Connection]:
        """Lend the step's session with the warehouse; after an error it is not used again."""
        if self._session is None or self._session.closed:
            connect = self.day_run.postgres(self.pipeline.target.connection)
            self._session = self.opened.enter_context(connect)
        try:
            yield self._session
        except BaseException:
            self._session.close()
            raise

    def receipt(self, step: str) -> Receipt:
        """Return the receipt of a step of this run; it is read once."""
        if step not in self._receipts:
            self._receipts[step] = self.day_run.receipt(step)
        return self._receipts[step]

    def receipts_before(self) -> dict[str, Receipt]:
        """Return the receipts of all steps before this one, by step, in the order of the work."""
        return {step: self.receipt(step) for step in STEPS[: STEPS.index(self.name)]}

    def rows_before(self) -> dict[str, dict[str, Rows]]:
        """Return the counts of rows of all steps before this one, by step and source."""
        return {step: receipt.rows for step, receipt in self.receipts_before().items()}

    def keep(self, receipts: dict[str, Receipt]) -> None:
        """Keep receipts of this run, by step, so that they are not read again."""
        self._receipts |= receipts

    def raw(self, source: Source) -> str:
        """Return the hash of a source's raw bytes."""
        return content_of(self.receipt(extracted_by(source)), source.name).sha256

    @cached_property
    def mends(self) -> mends.DayMends:
        """Return the day's mends, read once, so the step applies those that are in its fingerprint."""
        raw = raw_sha256(self.pipeline, {step: self.receipt(step) for step in STEPS[:2]})
        return mends.of_day(self.day_run.data.mends(self.pipeline.name, self.day_run.day), raw)

    def input(self, step: str, name: str) -> str:
        """Note a file of an earlier step as an input; return the hash in that step's receipt."""
        sha256 = self.inputs[f"{step}/{name}"] = self.receipt(step).outputs[name].sha256
        return sha256

    def open(self, step: str, name: str) -> BinaryIO:
        """Open a file of an earlier step, checked against that step's receipt, and note it as an input."""
        return (self.day_run.folder / step).open_unchanged(name, self.input(step, name))

    def read_table(self, step: str, name: str) -> pa.Table:
        """Read a table that an earlier step wrote, in one file or in parts."""
        return pa.concat_tables([self._read(step, file) for file in self.files_of(step, name)])

    def _read(self, step: str, name: str) -> pa.Table:
        with self.open(step, name) as file:
            return read_parquet(file)

    def files_of(self, step: str, name: str) -> list[str]:
        """Return the files in which an earlier step wrote a table, in the order of its rows."""
        return files_of(name, self.receipt(step).outputs) or [name]

    def batches(
        self, step: str, name: str, columns: list[str] | None = None, least_rows: int = 0
    ) -> Iterator[pa.Table]:
        """Read a table that an earlier step wrote, some rows at a time: see `parquet_batches`."""
        with self._open_again(step, name) as file:
            yield from parquet_batches(file, columns, least_rows)

    def _open_again(self, step: str, name: str) -> BinaryIO:
        # The whole file is read to check it, so once is enough.
        if (step, name) in self._checked:
            return (self.day_run.folder / step).open(name)
        self._checked.add((step, name))
        return self.open(step, name)

    @contextmanager
    def new_table(self, name: str, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
        """Write a table as Parquet, a batch at a time, by the function of the block; note it as an output."""
        rows = 0

        def write(batch: pa.Table) -> None:
            nonlocal rows
            rows += batch.num_rows
            hand_on(batch)

        with self.folder.new_file(name, is_last=False) as file, hand_over(file, schema) as hand_on:
            yield write
        self.note_output(name, rows)

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a table as Parquet and note it as an output."""
        with self.new_table(name, table.schema) as write:
            write(table)

    @contextmanager
    def new_file(self, name: str, rows: int | None = None) -> Iterator[BinaryIO]:
        """Write a file and note it as an output, with its rows if they are known."""
        # is_last: the receipt follows, as the last file.
        with self.folder.new_file(name, is_last=False) as file:
            yield file
        self.note_output(name, rows)

    def note_output(self, name: str, rows: int | None) -> None:
        """Note a file that lies in the step's folder as an output."""
        written = self.folder.written(name)
        self.outputs[name] = Output(rows=rows, size_bytes=written.size_bytes, sha256=written.sha256)

    def once(self, source: str, key: object, make: Callable[[], SourceResult[T]]) -> SourceResult[T]:
        """Make this step's files of a source, or reuse them from another day of the task with the same key.

        key: all that the files depend on, except the spec. make: writes them and notes them as outputs.
        """

        def make_and_share() -> _Shared[T]:
            before, made_before = set(self.inputs), set(self.outputs)
            result = make()
            inputs = {path: sha256 for path, sha256 in self.inputs.items() if path not in before}
            outputs = {name: output for name, output in self.outputs.items() if name not in made_before}
            return _Shared(result, self.folder, outputs, inputs)

        shared = self.day_run.once((self.name, source, key), make_and_share)
        if shared.folder is not self.folder:
            for name in shared.outputs:
                self.folder.take(name, shared.folder)
            self.outputs |= shared.outputs
            self.inputs |= shared.inputs
        return shared.result

    def version(self, step: str) -> Fingerprint:
        """Return the current fingerprint of a step, without inputs; computed once for all days of a task."""
        return self.day_run.once(("version", step), partial(fingerprint.fingerprint, step, self.pipeline))
