"""The state of a run of the scheduler, and the run that readers of its day see: read from files alone.

It needs no connection, so it also works for a run that failed or still runs. pages/day_page.py shows it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from itertools import chain, islice
from typing import NamedTuple

from daybook.ledger.left_out import LeftOut, left_out_of
from daybook.ledger.receipt import STEPS, Receipt
from daybook.ledger.stored_receipt import UnreadableReceipt, stored_receipt
from daybook.ledger.waiting import Waiting, notes
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Progress(Enum):
    """The state of a step. OUTDATED: done, but its inputs were made anew since. UNREADABLE: its receipt is damaged."""

    DONE = "done"
    OUTDATED = "outdated"
    UNREADABLE = "unreadable"
    NOT_DONE = "not done"


class StepState(NamedTuple):
    """The progress of one step of a run, and its receipt if there is one."""

    progress: Progress
    receipt: Receipt | None


@dataclass(frozen=True)
class RunState:
    """A run's work on one of its days: its steps in the order of the work, those that wait, and why the day was left
    out, if it was; its folder below the data folder; the number and the published files of the run that readers of the
    day see now; and when all this was read."""

    pipeline: Pipeline
    day: date
    steps: dict[str, StepState]
    waits: dict[str, Waiting]
    left_out: LeftOut | None
    folder: str
    seen_run_id: int | None
    seen_files: Folder | None
    read_at: datetime

    @property
    def receipts(self) -> dict[str, Receipt]:
        """Return the existing receipts, by step."""
        return {step: state.receipt for step, state in self.steps.items() if state.receipt}

    @property
    def run_id(self) -> int | None:
        """Return the number under which the run saved its rows; None if it has saved none, or nothing says so."""
        saved, deployed = self.receipts.get("save"), self.receipts.get("deploy")
        if saved:
            return saved.run_id
        return deployed.run_id if deployed and deployed.outcome == "published" else None

    @property
    def report(self) -> bytes | None:
        """Return the report that readers of the day see now, or None."""
        return self.seen_files.content("report.html") if self.seen_files else None

    @property
    def next_step(self) -> str | None:
        """Return the first step that is not done, or not as it should be; None if all are."""
        return next((step for step, found in self.steps.items() if found.progress is not Progress.DONE), None)

    @property
    def is_begun(self) -> bool:
        """Return whether the run has left anything of this day: a receipt, or a note that it waits or left it out."""
        has_step = any(state.progress is not Progress.NOT_DONE for state in self.steps.values())
        return has_step or bool(self.waits) or self.left_out is not None


def days_of(data: DataFolder, pipeline: Pipeline, run: str) -> list[date]:
    """Return the days of a run; none if it has begun none. run: the scheduler's name for it, from the request."""
    try:
        several = data.days_of_run(pipeline.name, run)
    except ValueError:
        # The file is damaged, and each task of the run says so.
        several = []
    return several or _day_of_run(data, pipeline, run)


def read_day(data: DataFolder, pipeline: Pipeline, run: str, day: date) -> RunState:
    """Return the state of a run on a day."""
    folder = data.run(pipeline.name, day, run)
    seen = data.published_run_id(pipeline.name, day)
    return RunState(
        pipeline=pipeline,
        day=day,
        steps=_with_outdated({step: _step(folder / step, pipeline, day, run, step) for step in STEPS}),
        waits=notes(folder),
        left_out=left_out_of(folder),
        folder=f"days/{pipeline.name}/{day}/{folder.path.name}",
        seen_run_id=seen,
        seen_files=None if seen is None else data.published_files(pipeline.name, day, seen),
        read_at=datetime.now(UTC),
    )


def day_without_run(data: DataFolder, pipeline: Pipeline, day: date) -> RunState:
    """Return the state of a day of which no run is known: no step is done."""
    seen = data.published_run_id(pipeline.name, day)
    return RunState(
        pipeline=pipeline,
        day=day,
        steps=dict.fromkeys(STEPS, StepState(Progress.NOT_DONE, None)),
        waits={},
        left_out=None,
        folder=f"days/{pipeline.name}/{day}",
        seen_run_id=seen,
        seen_files=None if seen is None else data.published_files(pipeline.name, day, seen),
        read_at=datetime.now(UTC),
    )


def with_receipts(state: RunState, receipts: Mapping[str, Receipt]) -> RunState:
    """Return the state of a run whose files are gone, by its receipts in the ledger; as it is if it has files."""
    if state.is_begun:
        return state
    done = {step: StepState(Progress.DONE, receipts[step]) for step in STEPS if step in receipts}
    return replace(state, steps=state.steps | done)


def _day_of_run(data: DataFolder, pipeline: Pipeline, run: str) -> list[date]:
    """Return the day of a run that works on one: the name of nearly every run has it."""
    days = chain(_in_name(run), data.days(pipeline.name))
    return list(islice((day for day in days if data.run(pipeline.name, day, run).exists()), 1))


def _in_name(run: str) -> Iterator[date]:
    for text in DAY.findall(run):
        with suppress(ValueError):
            yield date.fromisoformat(text)


def _step(folder: Folder, pipeline: Pipeline, day: date, run: str, step: str) -> StepState:
    if not folder.has("receipt.json"):
        return StepState(Progress.NOT_DONE, None)
    try:
        receipt = stored_receipt(folder.content("receipt.json") or b"", pipeline.name, day, run, step)
    except UnreadableReceipt:
        return StepState(Progress.UNREADABLE, None)
    return StepState(Progress.DONE, receipt)


def _with_outdated(steps: dict[str, StepState]) -> dict[str, StepState]:
    """Mark the steps whose input files an earlier step has made anew since.

    A cleared run keeps the receipts of the steps that are not done again yet.
    """
    marked: dict[str, StepState] = {}
    for step, state in steps.items():
        is_outdated = state.receipt is not None and any(_outdated_inputs(state.receipt, marked))
        marked[step] = state._replace(progress=Progress.OUTDATED) if is_outdated else state
    return marked


def _outdated_inputs(receipt: Receipt, earlier: dict[str, StepState]) -> Iterator[bool]:
    for path, sha256 in receipt.inputs.items():
        step, _, file = path.partition("/")
        maker = earlier.get(step)
        if maker and maker.receipt:
            made = maker.receipt.outputs.get(file)
            yield maker.progress is Progress.OUTDATED or made is None or made.sha256 != sha256
