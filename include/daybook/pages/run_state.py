"""What a run of the scheduler has done to its day so far, and what readers of that day see: read from files alone.

No connection is needed, so a run that failed or still runs can be told of too. pages/run_page.py shows what is found
here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from daybook.errors import DaybookError
from daybook.ledger.receipt import STEPS, Receipt
from daybook.run.day_run import run_folder
from daybook.spec import Pipeline
from daybook.storage.folder import Folder


class Progress(Enum):
    """How far a step is. OUTDATED: it was done, with files that were made anew since. UNREADABLE: a damaged receipt."""

    DONE = "done"
    OUTDATED = "outdated"
    UNREADABLE = "unreadable"
    NOT_DONE = "not done"


class StepState(NamedTuple):
    """How far one step of a run is, and its receipt where there is one."""

    progress: Progress
    receipt: Receipt | None


@dataclass(frozen=True)
class RunState:
    """A run: its day, its steps in the order of the work, and its folder below the data folder; and what readers of
    the day see now: the number of a run, and its report."""

    pipeline: Pipeline
    day: date
    steps: dict[str, StepState]
    folder: str
    seen_run_id: int | None
    report: bytes | None

    @property
    def receipts(self) -> dict[str, Receipt]:
        """Return the receipts there are, by step."""
        return {step: state.receipt for step, state in self.steps.items() if state.receipt}

    @property
    def run_id(self) -> int | None:
        """Return the number under which the run saved its rows, or None if it has saved none."""
        saved = self.receipts.get("save")
        return int(saved.notes["run_id"]) if saved else None


def read_run(data: Any, pipeline: Pipeline, run: str) -> RunState | None:
    """Return the state of a run, or None if it has left no receipt yet.

    data: the data folder, a UPath. run: the scheduler's name for it, as it came with the request.
    """
    day = _day_of_run(data, pipeline, run)
    if day is None:
        return None
    folder = Folder(run_folder(data, pipeline.name, day, run))
    steps = _with_outdated({step: _step(folder / step, pipeline, run) for step in STEPS})
    if all(state.progress is Progress.NOT_DONE for state in steps.values()):
        return None
    published = Folder(data / "published" / pipeline.name)
    seen = _seen_run_id(published, day)
    shown = f"days/{pipeline.name}/{day}/{folder.path.name}"
    return RunState(pipeline, day, steps, shown, seen, _report(published, day, seen))


def _day_of_run(data: Any, pipeline: Pipeline, run: str) -> date | None:
    # These two are no names of folders: they would lead out of the day.
    if run in (".", ".."):
        return None
    days = _days(data / "days" / pipeline.name)
    return next((day for day in days if run_folder(data, pipeline.name, day, run).exists()), None)


def _days(folder: Any) -> Iterator[date]:
    """Return the days of which a pipeline has files, the last one first: that is the likeliest to be looked at."""
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    dates = (name for name in names if re.fullmatch(r"\d{4}-\d\d-\d\d", name))
    return (date.fromisoformat(name) for name in sorted(dates, reverse=True))


def _step(folder: Folder, pipeline: Pipeline, run: str) -> StepState:
    if not folder.has("receipt.json"):
        return StepState(Progress.NOT_DONE, None)
    with folder.open("receipt.json") as file:
        content = file.read()
    try:
        receipt = Receipt.model_validate_json(content)
    except (ValueError, DaybookError):
        return StepState(Progress.UNREADABLE, None)
    # Two names of runs may share a folder: all but letters, digits and `.-_` is alike there.
    is_of_this_run = (receipt.pipeline, receipt.run) == (pipeline.name, run)
    return StepState(Progress.DONE, receipt) if is_of_this_run else StepState(Progress.NOT_DONE, None)


def _with_outdated(steps: dict[str, StepState]) -> dict[str, StepState]:
    """Return the steps with those marked that were made from files which an earlier step has made anew since.

    A run that was cleared keeps the receipts of the steps that are not done again yet.
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


def _seen_run_id(published: Folder, day: date) -> int | None:
    """Return the number of the run that `Folder.point` let the day stand for, or None."""
    found = re.fullmatch(rf"\.runs/{day}/(\d+)", _pointed_to(published, str(day)))
    return int(found[1]) if found else None


def _report(published: Folder, day: date, run_id: int | None) -> bytes | None:
    folder = published / ".runs" / str(day) / str(run_id)
    if run_id is None or not folder.has("report.html"):
        return None
    with folder.open("report.html") as file:
        return file.read()


def _pointed_to(published: Folder, name: str) -> str:
    if isinstance(published.path, Path):
        link = published.path / name
        return str(link.readlink()) if link.is_symlink() else ""
    if not published.has(f"{name}.json"):
        return ""
    with published.open(f"{name}.json") as file:
        return str(json.load(file)["folder"])
