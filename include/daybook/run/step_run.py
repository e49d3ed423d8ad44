"""One step of a day at work: what it reads from, writes to, takes over and writes down.

The step's files and `receipt.json`, written last, lie in its folder below the run's. steps.py has the steps themselves.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, partial, wraps
from typing import BinaryIO, Generic, NamedTuple, TypeVar

import pyarrow as pa

from daybook.ledger import fingerprint
from daybook.ledger.fingerprint import check_one_version
from daybook.ledger.raw_files import content_of, extracted_by, raw_sha256
from daybook.ledger.receipt import STEPS, Fingerprint, Meter, Output, Receipt, Rows
from daybook.ledger.step_log import Trying, done, failed, one_writer
from daybook.postgres.session import Connection, roll_back
from daybook.refused import mends
from daybook.run.day_run import Work
from daybook.spec import Source
from daybook.storage.folder import Folder
from daybook.storage.shortage import shortage_told
from daybook.storage.tables import read_parquet, write_parquet

log = logging.getLogger(__name__)
T = TypeVar("T")


def a_step(function: Callable[["Step"], None]) -> Callable[[Work], dict[str, object]]:
    """Make a function of a step at work into a task's: a function of a day's work that gives names, counts, hashes.

    The step is not done where an earlier run of the day has done the same (its outputs are taken over), and refused
    where this run's earlier steps were done by another version. Its receipt is written, and its line logged, when it
    is done, and not when it raises.
    """

    @wraps(function)
    def do(work: Work) -> dict[str, object]:
        with _writing(work, function.__name__) as step:
            # Raw and refused rows lie there, which may be about people.
            work.folder.make_private()
            step.check_one_version()
            if not step.reuse():
                function(step)
            return step.close().counts()

    return do


@contextmanager
def _writing(work: Work, name: str) -> Iterator["Step"]:
    """Work on a step as the day's only writer; the ledger is told what became of it."""
    step = Step(work, name, work.folder / name)
    trying = Trying(work.pipeline.name, work.day, work.run, name, work.started_by, step.meter.started_at)
    connect = partial(work.postgres, work.pipeline.target.connection)
    told = partial(shortage_told, f"{work.pipeline.name} {work.day}, {name}", lambda: step.meter.peak_memory_mib)
    with told(), one_writer(connect, trying) as session:
        step.session = session
        try:
            with told():
                yield step
        except Exception as error:
            failed(session, trying, error, step.fingerprint)
            raise
        done(session, trying, step.receipt(name))


class _Made(NamedTuple, Generic[T]):
    """What one day of a task has made of a source: where it lies, and what goes with it."""

    given: T
    folder: Folder
    output: Output
    rows: Rows


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
    totals: dict[str, Decimal] = field(default_factory=dict)
    notes: dict[str, str | int] = field(default_factory=dict)
    fingerprint: Fingerprint | None = None
    reused_from: str | None = None
    receipts: dict[str, Receipt] = field(default_factory=dict)
    session: Connection | None = None

    @contextmanager
    def warehouse(self) -> Iterator[Connection]:
        """Have a session with the warehouse: the one that holds the day's lock, or another where that is broken."""
        if self.session is None or self.session.closed:
            with self.work.postgres(self.work.pipeline.target.connection) as other:
                yield other
            return
        try:
            yield self.session
        except BaseException:
            roll_back(self.session)
            raise

    @cached_property
    def mends(self) -> mends.DayMends:
        """Return the day's mends as they are when the step first asks: it loads by those that its fingerprint holds."""
        receipts = {step: self.receipt(step) for step in STEPS[:2]}
        return mends.of_day(self.work.mends, raw_sha256(self.work.pipeline, receipts))

    def open(self, step: str, name: str) -> BinaryIO:
        """Open a file of an earlier step, checked against that step's receipt, and note it as an input."""
        return (self.work.folder / step).open_unchanged(name, self.input(step, name))

    def input(self, step: str, name: str) -> str:
        """Note a file of an earlier step as an input; give the hash that its receipt tells."""
        sha256 = self.inputs[f"{step}/{name}"] = self.receipt(step).outputs[name].sha256
        return sha256

    def raw(self, source: Source) -> str:
        """Return the hash of a source's raw bytes."""
        return content_of(self.receipt(extracted_by(source)), source.name).sha256

    def receipt(self, step: str) -> Receipt:
        """Return the receipt that a step of this run left; read once."""
        if step not in self.receipts:
            self.receipts[step] = self.work.receipt(step)
        return self.receipts[step]

    def receipts_before(self) -> dict[str, Receipt]:
        """Return the receipts of all steps before this one, by step, in the order of the work."""
        return {step: self.receipt(step) for step in STEPS[: STEPS.index(self.name)]}

    def read(self, step: str, name: str) -> pa.Table:
        """Read a table that an earlier step wrote."""
        with self.open(step, name) as file:
            return read_parquet(file)

    def write(self, name: str, table: pa.Table) -> None:
        """Write a table as Parquet and note it as an output."""
        with self.new_file(name, rows=table.num_rows) as file:
            write_parquet(table, file)

    @contextmanager
    def new_file(self, name: str, rows: int | None = None) -> Iterator[BinaryIO]:
        """Write a file and note it as an output, with its rows where they are known."""
        # The receipt is the last one.
        with self.folder.new_file(name, is_last=False) as file:
            yield file
        self.note_output(name, rows)

    def once(self, source: str, ground: object, make: Callable[[], T]) -> T:
        """Make this step's file of a source, or take it over from another day of the task that had the same ground.

        ground: what the file is made of, beside the spec. make: writes `<source>.parquet` and notes output and rows.
        """
        name = f"{source}.parquet"

        def made() -> _Made[T]:
            return _Made(make(), self.folder, self.outputs[name], self.rows[source])

        first = self.work.once((self.name, source, ground), made)
        if first.folder is not self.folder:
            self.folder.take(name, first.folder)
            self.outputs[name], self.rows[source] = first.output, first.rows
        return first.given

    def note_output(self, name: str, rows: int | None) -> None:
        """Note a file that lies in the step's folder as an output."""
        written = self.folder.written(name)
        self.outputs[name] = Output(rows=rows, size_bytes=written.size_bytes, sha256=written.sha256)

    def check_one_version(self) -> None:
        """Check that this run's earlier steps were done by the version that does this one; raises BadSpec."""
        # The two extracts are done side by side, and read nothing of each other.
        if self.name not in STEPS[:2]:
            check_one_version(self._version, self.receipts_before(), self.name)

    def reuse(self) -> bool:
        """Take over the outputs of an earlier run with the same fingerprint; say whether there was one."""
        if self.name not in fingerprint.STEPS:
            return False
        self.fingerprint = self._version(self.name).with_inputs(self._what_it_reads())
        # What a source holds now is not known before it is asked: the extracts are done each time.
        is_asked_anew = self.work.is_forced or not fingerprint.READS[self.name]
        donor = None if is_asked_anew else self._donor()
        earlier = self._whole_receipt(donor) if donor else None
        if donor is None or earlier is None:
            return False
        for name in earlier.outputs:
            self.folder.take(name, donor)
        self.rows, self.unknown, self.inputs = earlier.rows, earlier.unknown, earlier.inputs
        self.outputs, self.notes, self.reused_from = earlier.outputs, earlier.notes, earlier.run
        self.totals = earlier.totals
        return True

    def close(self) -> Receipt:
        """Write the receipt, log its line, remember where the outputs lie; give the receipt."""
        receipt = Receipt(
            pipeline=self.work.pipeline.name,
            day=self.work.day,
            run=self.work.run,
            step=self.name,
            rows=self.rows,
            unknown=self.unknown,
            inputs=self.inputs,
            outputs=self.outputs,
            totals=self.totals,
            notes=self.notes,
            fingerprint=self.fingerprint,
            reused_from=self.reused_from,
            started_at=self.meter.started_at,
            seconds=self.meter.seconds,
            peak_memory_mib=self.meter.peak_memory_mib,
        )
        with self.folder.new_file("receipt.json") as file:
            file.write(receipt.model_dump_json(indent=1).encode())
        if self.fingerprint:
            self.work.memory.write_hint(self._name_in_memory(), self.work.folder.path.name)
        log.info("%s", receipt.line())
        self.receipts[self.name] = receipt
        return receipt

    def _version(self, step: str) -> Fingerprint:
        # The same for all days of a task, and slower to make than a day's small files.
        return self.work.once(("version", step), partial(fingerprint.fingerprint, step, self.work.pipeline))

    def _what_it_reads(self) -> dict[str, str]:
        receipts = {step: self.receipt(step) for step in fingerprint.READS[self.name]}
        made = {f"{step}/{name}": made.sha256 for step, r in receipts.items() for name, made in r.outputs.items()}
        return made | self._mends_read()

    def _mends_read(self) -> dict[str, str]:
        # Without mends there is nothing of them here, so that fingerprints stay what they were.
        if self.name == "load":
            return self.mends.inputs
        mended = self.receipt("load").outputs.get(mends.FILE) if self.name == "index" else None
        return {f"load/{mends.FILE}": mended.sha256} if mended else {}

    def _name_in_memory(self) -> str:
        return f"{self.name}-{self.fingerprint.key}" if self.fingerprint else self.name

    def _donor(self) -> Folder | None:
        """Return the folder of the same step of the run that is remembered to have done the same."""
        if not self.work.memory.has(self._name_in_memory()):
            return None
        run = self.work.memory.text(self._name_in_memory())
        return Folder(self.work.folder.path.parent / run / self.name)

    def _whole_receipt(self, donor: Folder) -> Receipt | None:
        """Return the receipt of that step, where all its outputs are there and are still what they were."""
        if not donor.has("receipt.json"):
            return None
        receipt = Receipt.model_validate_json(donor.text("receipt.json"))
        made = receipt.outputs.items()
        is_whole = all(donor.has(name) and donor.written(name).sha256 == output.sha256 for name, output in made)
        return receipt if is_whole and receipt.fingerprint == self.fingerprint else None
