"""The state of a run of the scheduler, and the run that readers of its day see: read from files alone.

It needs no connection, so it also works for a run that failed or still runs. pages/run_page.py shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import NamedTuple

from daybook.ledger.receipt import STEPS, Receipt
from daybook.ledger.stored_receipt import UnreadableReceipt, stored_receipt
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder


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
    """A run: its day, its steps in the order of the work, and its folder below the data folder; and the number and the
    report of the run that readers of the day see now."""

    pipeline: Pipeline
    day: date
    steps: dict[str, StepState]
    folder: str
    seen_run_id: int | None
    report: bytes | None

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


def read_run(data: DataFolder, pipeline: Pipeline, run: str) -> RunState | None:
    """Return the state of a run, or None if it has left no receipt yet.

    run: the scheduler's name for it, from the request.
    """
    day = _day_of_run(data, pipeline, run)
    if day is None:
        return None
    folder = data.run(pipeline.name, day, run)
    steps = _with_outdated({step: _step(folder / step, pipeline, day, run, step) for step in STEPS})
    if all(state.progress is Progress.NOT_DONE for state in steps.values()):
        return None
    seen = data.published_run_id(pipeline.name, day)
    shown = f"days/{pipeline.name}/{day}/{folder.path.name}"
    return RunState(pipeline, day, steps, shown, seen, _report(data, pipeline, day, seen))


def _day_of_run(data: DataFolder, pipeline: Pipeline, run: str) -> date | None:
    return next((day for day in data.days(pipeline.name) if data.run(pipeline.name, day, run).exists()), None)


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


def _report(data: DataFolder, pipeline: Pipeline, day: date, run_id: int | None) -> bytes | None:
    if run_id is None:
        return None
    return data.published_files(pipeline.name, day, run_id).content("report.html")
