"""One step of a day at work: the files that it reads, checked, the files that it writes, and a session.

A step is a function of a `StepRun` that returns its result (`Done`); steps.py has the nine of them. `run_step` calls
them all: it holds the day's lock, reuses an earlier result if there is one (run/reuse.py), writes the receipt beside
the step's files, and writes the outcome to log and ledger.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from typing import Any, BinaryIO, Generic, NamedTuple, TypeVar

import pyarrow as pa

from daybook.ledger import fingerprint
from daybook.ledger.chain import check_chain, files_read
from daybook.ledger.fingerprint import check_one_version
from daybook.ledger.raw_files import content_of, extracted_by, raw_sha256
from daybook.ledger.receipt import STEPS, Done, Fingerprint, Meter, Output, Receipt, Rows
from daybook.ledger.step_log import Trying, done, failed, one_writer
from daybook.postgres.session import Connection
from daybook.refused import mends
from daybook.run import reuse
from daybook.run.away import waiting_for_servers
from daybook.run.day_run import DayRun
from daybook.spec import Pipeline, Source
from daybook.storage.folder import Folder
from daybook.storage.progress import forget as forget_progress
from daybook.storage.shortage import shortage_errors
from daybook.storage.tables import hand_over_writer, parquet_batches, read_parquet

log = logging.getLogger(__name__)
T = TypeVar("T")


class SourceResult(NamedTuple, Generic[T]):
    """A day's result for one source: something for the step's own use, and the counts of the source's rows."""

    given: T
    rows: Rows


class _Shared(NamedTuple, Generic[T]):
    result: SourceResult[T]
    folder: Folder
    output: Output
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
        """Read a table that an earlier step wrote."""
        with self.open(step, name) as file:
            return read_parquet(file)

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
            parquet.write_table(batch)

        with self.folder.new_file(name, is_last=False) as file, hand_over_writer(file, schema) as parquet:
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
        """Make this step's file of a source, or reuse it from another day of the task with the same key.

        key: all that the file depends on, except the spec. make: writes `<source>.parquet` and notes it as an output.
        """
        name = f"{source}.parquet"

        def make_and_share() -> _Shared[T]:
            before = set(self.inputs)
            result = make()
            inputs = {path: sha256 for path, sha256 in self.inputs.items() if path not in before}
            return _Shared(result, self.folder, self.outputs[name], inputs)

        shared = self.day_run.once((self.name, source, key), make_and_share)
        if shared.folder is not self.folder:
            self.folder.take(name, shared.folder)
            self.outputs[name] = shared.output
            self.inputs |= shared.inputs
        return shared.result

    def version(self, step: str) -> Fingerprint:
        """Return the current fingerprint of a step, without inputs; computed once for all days of a task."""
        return self.day_run.once(("version", step), partial(fingerprint.fingerprint, step, self.pipeline))


def run_step(step: Callable[[StepRun], Done], day_run: DayRun) -> dict[str, object]:
    """Do a step of a day, or reuse the same step of an earlier run; return names, counts and hashes.

    Errors of the step pass through; raises BrokenChain if an earlier step of this run was not done, or rests on an
    older result; BadSpec if another version did it. The receipt is written, and its line logged, only if the step is
    done.
    """
    with _only_writer(day_run, step.__name__) as work:
        # It holds raw and refused rows, which may be about people.
        day_run.folder.make_private()
        _check_steps_before(work)
        receipt = _taken_over(work) or _receipt(work, step(work))
        _close(work, receipt)
    return receipt.counts()


@contextmanager
def _only_writer(day_run: DayRun, name: str) -> Iterator[StepRun]:
    """Work on a step as the day's only writer, and write its outcome to the ledger."""
    work, pipeline = StepRun(day_run, name), day_run.pipeline
    trying = Trying(pipeline.name, day_run.day, day_run.run, name, day_run.started_by, work.meter.started_at)
    connect = partial(day_run.postgres, pipeline.target.connection)
    shortage = partial(shortage_errors, f"{pipeline.name} {day_run.day}, {name}", lambda: work.meter.peak_memory_mib)
    waiting = partial(waiting_for_servers, day_run, work.folder)
    with waiting("the warehouse"), shortage(), one_writer(connect, trying) as session:
        try:
            with waiting(_servers(pipeline, name)), shortage(), work.opened:
                yield work
            forget_progress(work.folder)
        except Exception as error:
            forget_progress(work.folder)
            failed(session, trying, error, work.fingerprint)
            raise
        done(session, trying, work.receipt(name))


def _servers(pipeline: Pipeline, step: str) -> str:
    """Return which servers a step asks, in words."""
    by_step = {"extract_tables": pipeline.tables, "extract_files": pipeline.files}
    if step not in by_step:
        return "the warehouse"
    return f"the servers of {', '.join(source.name for source in by_step[step])}"


def _check_steps_before(work: StepRun) -> None:
    # The two extracts run side by side, and read nothing from each other.
    if work.name in STEPS[:2]:
        return
    day_run = work.day_run
    found = {step: day_run.receipt_if_done(step) for step in STEPS[: STEPS.index(work.name)]}
    receipts = {step: receipt for step, receipt in found.items() if receipt}
    check_chain(receipts, work.name, f"{day_run.pipeline.name} {day_run.day}")
    work.keep(receipts)
    check_one_version(work.version, receipts, work.name)


def _taken_over(work: StepRun) -> Receipt | None:
    """Reuse the result of an earlier run with the same fingerprint; return this run's receipt of it, or None."""
    if work.name not in fingerprint.FINGERPRINTED_STEPS:
        return None
    work.fingerprint = work.version(work.name).with_inputs(_what_it_reads(work))
    # Only asking a source shows what it holds now: the extracts are done each time.
    is_asked_anew = work.day_run.is_forced or not fingerprint.READS[work.name]
    earlier = None if is_asked_anew else reuse.earlier(work.day_run, work.name, work.fingerprint)
    if earlier is None:
        return None
    for name in earlier.receipt.outputs:
        work.folder.take(name, earlier.folder)
    now: dict[str, Any] = {"pipeline": work.pipeline.name, "run": work.day_run.run, "reused_from": earlier.receipt.run}
    now["overrides"] = dict(work.day_run.overrides)
    return earlier.receipt.model_copy(update=now | _cost(work))


def _what_it_reads(work: StepRun) -> dict[str, str]:
    if work.name in STEPS[:2]:
        return {}
    files = files_read(work.name, work.receipts_before())
    return files | work.mends.inputs if work.name == "load" else files


def _receipt(work: StepRun, did: Done) -> Receipt:
    day_run = work.day_run
    return Receipt(
        **dict(did),
        **_cost(work),
        pipeline=day_run.pipeline.name,
        day=day_run.day,
        run=day_run.run,
        step=work.name,
        inputs=work.inputs,
        outputs=work.outputs,
        fingerprint=work.fingerprint,
        overrides=dict(day_run.overrides),
    )


def _cost(work: StepRun) -> dict[str, Any]:
    meter = work.meter
    return {"started_at": meter.started_at, "seconds": meter.seconds, "peak_memory_mib": meter.peak_memory_mib}


def _close(work: StepRun, receipt: Receipt) -> None:
    """Write the receipt, remember the run for reuse, and log the receipt's line."""
    with work.folder.new_file("receipt.json") as file:
        file.write(receipt.model_dump_json(indent=1).encode())
    if work.fingerprint:
        reuse.remember(work.day_run, work.name, work.fingerprint)
    work.keep({work.name: receipt})
    log.info("%s", receipt.line())
