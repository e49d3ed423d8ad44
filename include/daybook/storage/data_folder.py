"""The data folder: the one owner of every path below it.

days/<pipeline>/<day>/<run>/<step>/...            the files that a run's steps pass on, and their receipts
days/<pipeline>/<day>/by_fingerprint/             the run that did a step with these inputs, spec and code
days/<pipeline>/of_runs/<run>.json                the days of a run that works on several
mends/<pipeline>/<day>/<source>/<sha256>.json     refused rows that a person corrected, for that exact raw file
published/<pipeline>/<day>                        a link to the files of the run that readers see
published/<pipeline>/.runs/<day>/<run number>/    the files of a run that was saved
set_aside/<pipeline>/<day>/...                    published files that the warehouse did not know at a restore

Another environment than production has all of these below environment_<name>/.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from daybook.days import as_day
from daybook.environment import environment
from daybook.storage.folder import Folder
from daybook.storage.run_names import BY_FINGERPRINT, OF_RUNS, TAKEN, folder_name, former_folder_name
from daybook.storage.store import StorePath
from daybook.storage.store_folder import StoreFolder

RUN_ID = re.compile(rb'"run_id": ?"?(\d+)')


ROLL_UP = re.compile(r"[a-z_][a-z0-9_]*")

# The folders that have one folder for each pipeline.
OF_PIPELINES = ("published", "days", "mends", "set_aside")


class DataFolder:
    """The data folder, on a disk or in an object store."""

    def __init__(self, path: Any) -> None:
        """Remember the path; nothing is touched. path: a Path, or a StorePath in an object store."""
        top: Folder = StoreFolder(path) if isinstance(path, StorePath) else Folder(path)
        self.root = top / f"environment_{environment()}" if environment() else top

    def run(self, pipeline: str, day: date, run: str) -> Folder:
        """Return the folder of a run of a day, which holds one folder per step. run: the scheduler's name for it.

        It is the one that version 0.1.0 made for this run, if that is there and holds no other run's receipts.
        """
        folder, former = (self.day(pipeline, day) / name for name in (folder_name(run), former_folder_name(run)))
        return former if former.path.name != folder.path.name and _is_of(former, run) else folder

    def day(self, pipeline: str, day: date) -> Folder:
        """Return the folder of a day, which holds one folder per run."""
        return self.root / "days" / pipeline / str(day)

    def by_fingerprint(self, pipeline: str, day: date) -> Folder:
        """Return the folder that finds a day's earlier results by their fingerprint."""
        return self.day(pipeline, day) / BY_FINGERPRINT

    def days(self, pipeline: str) -> Iterator[date]:
        """Return the days for which a pipeline has files, latest first."""
        return reversed(_days((self.root / "days" / pipeline).names()))

    def days_of_runs(self, pipeline: str) -> Folder:
        """Return the folder with one file per run of several days: the days that it works on."""
        return self.root / "days" / pipeline / OF_RUNS

    def days_of_run(self, pipeline: str, run: str) -> list[date]:
        """Return the days of a run that works on several, in its order; none if that is not kept.

        Raises ValueError if the file is damaged.
        """
        kept = self.days_of_runs(pipeline).content(f"{folder_name(run)}.json")
        if kept is None:
            return []
        days = json.loads(kept)
        if not isinstance(days, list):
            raise ValueError("it names no days")
        return [as_day(day) for day in days]

    def note_days_of_run(self, pipeline: str, run: str, days: list[date]) -> None:
        """Keep the days of a run that works on several."""
        folder, name = self.days_of_runs(pipeline), f"{folder_name(run)}.json"
        content = json.dumps([str(day) for day in days]).encode()
        if folder.content(name) != content:
            with folder.new_file(name) as file:
                file.write(content)

    def mends(self, pipeline: str, day: date) -> Folder:
        """Return the folder of a day's mends."""
        return self.root / "mends" / pipeline / str(day)

    def days_with_mends(self, pipeline: str) -> set[str]:
        """Return the names of the days that have mends."""
        return set((self.root / "mends" / pipeline).names())

    def published(self, pipeline: str) -> Folder:
        """Return the folder of a pipeline's published days."""
        return self.root / "published" / pipeline

    def published_runs(self, pipeline: str, day: date) -> Folder:
        """Return the folder with one folder per run of a day: the files that it saved."""
        return self.published(pipeline) / ".runs" / str(day)

    def published_files(self, pipeline: str, day: date, run_id: int) -> Folder:
        """Return the folder of the files that a run saved. run_id: the run's number in the ledger."""
        return self.published_runs(pipeline, day) / str(run_id)

    def publish(self, pipeline: str, day: date, run_id: int) -> None:
        """Point the day's link at the files of a run, in one step: readers see the old ones or the new ones."""
        self.published(pipeline).point(str(day), f".runs/{day}/{run_id}")

    def published_pipelines(self) -> list[str]:
        """Return the names of the pipelines with published files."""
        return (self.root / "published").names()

    def shown(self, pipeline: str) -> dict[date, str]:
        """Return, by day, the folder that the day's link points to, relative to the published folder."""
        folder = self.published(pipeline)
        return {day: folder.pointed_to(str(day)) for day in _days(folder.pointers())}

    def copied_days(self, pipeline: str) -> list[date]:
        """Return the days that are no link but a folder of their own: a copy that followed the links made them."""
        folder = self.published(pipeline)
        return _days(set(folder.names()) - set(folder.pointers()))

    def roll_ups(self, pipeline: str) -> list[str]:
        """Return the names of the roll-ups that have files of finished periods."""
        folder = self.published(pipeline)
        return [name for name in folder.names() if ROLL_UP.fullmatch(name) and folder.has_folder(name)]

    def periods(self, pipeline: str, roll_up: str) -> list[date]:
        """Return the first days of the periods whose files a roll-up's folder shows."""
        return _days((self.published(pipeline) / roll_up).pointers())

    def saved_runs(self, pipeline: str) -> list[tuple[date, int]]:
        """Return the runs that have published files: the day and the number of each."""
        days = _days((self.published(pipeline) / ".runs").names())
        return [(day, run_id) for day in days for run_id in self.saved_run_ids(pipeline, day)]

    def saved_run_ids(self, pipeline: str, day: date) -> list[int]:
        """Return the numbers of the runs of a day that have published files."""
        return [int(name) for name in self.published_runs(pipeline, day).names() if name.isdecimal()]

    def run_ids_of_receipts(self) -> set[int]:
        """Return the run numbers in the receipts of `save`, of every pipeline; one that is damaged has none."""
        saved = [step for _, _, step in self.steps_done() if step.path.name == "save"]
        return {number for step in saved for number in _run_ids(step)}

    def steps_done(self) -> Iterator[tuple[str, date, Folder]]:
        """Return the folder of each step with a receipt, of every pipeline, day and run."""
        for pipeline in (self.root / "days").names():
            folder = self.root / "days" / pipeline
            for day in _days(folder.names()):
                runs = [folder / str(day) / run for run in (folder / str(day)).names()]
                steps = [run / step for run in runs for step in run.names()]
                yield from ((pipeline, day, step) for step in steps if step.has("receipt.json"))

    def set_aside(self, pipeline: str, day: date) -> Folder:
        """Return the folder of what a restore found of a day and the warehouse did not know."""
        return self.root / "set_aside" / pipeline / str(day)

    def folders_of(self, pipeline: str) -> list[Folder]:
        """Return all that is there of a pipeline: first its published days, which readers see."""
        return [folder for kind in OF_PIPELINES if (folder := self.root / kind / pipeline).exists()]

    def folders_with(self, pipeline: str, names: Iterable[str]) -> list[Folder]:
        """Return the folders of published runs that have a file of one of these names."""
        folders = [self.published_files(pipeline, day, run_id) for day, run_id in self.saved_runs(pipeline)]
        return [folder for folder in folders if not set(names).isdisjoint(folder.names())]

    def pipelines(self) -> set[str]:
        """Return the names of the pipelines that have any folder here."""
        return {name for kind in OF_PIPELINES for name in (self.root / kind).names()}

    def rename(self, was: str, name: str) -> None:
        """Let all that is there of a pipeline be another one's; it may be done again after it was ended half way.

        What both have of the same name is of the first one afterwards, and the other is set aside.
        """
        aside = self.root / "set_aside" / name / f"before_{was}"
        for kind in OF_PIPELINES:
            _merge(self.root / kind / was, self.root / kind / name, aside)

    def published_run_id(self, pipeline: str, day: date) -> int | None:
        """Return the number of the run that the day's link points to, or None."""
        target = self.published(pipeline).pointed_to(str(day))
        found = re.fullmatch(rf"\.runs/{day}/(\d+)", target)
        return int(found[1]) if found else None


def _days(names: Iterable[str]) -> list[date]:
    """Return the days among some names, in order."""
    return [day for name in sorted(names) if (day := _day_of(name))]


def _merge(folder: Folder, into: Folder, aside: Folder) -> None:
    if not folder.exists():
        return
    if not into.exists():
        folder.become(into)
        return
    for name in folder.names():
        if folder.has_folder(name) and into.has_folder(name):
            _merge(folder / name, into / name, aside)
            continue
        if name in into.names():
            into.move(name, aside)
        folder.move(name, into)
    folder.remove()


def _run_ids(saved: Folder) -> list[int]:
    return [int(number) for number in RUN_ID.findall(saved.content("receipt.json") or b"")]


def _day_of(name: str) -> date | None:
    """Return the day of a folder's name; None for any other folder, such as a disk's lost+found."""
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if str(day) == name else None


def _is_of(folder: Folder, run: str) -> bool:
    """Return whether the receipts in a folder are of one run. Version 0.1.0 let several runs share one."""
    if run in TAKEN or not folder.exists():
        return False
    receipts = [(folder / step).content("receipt.json") for step in folder.names()]
    found = [_run_of(content) for content in receipts if content is not None]
    return bool(found) and set(found) <= {run, None}


def _run_of(receipt: bytes) -> str | None:
    try:
        return str(json.loads(receipt)["run"])
    except (ValueError, LookupError, TypeError):
        # A damaged receipt does not say whose it is.
        return None
