"""A day's work, as the DAG hands it to the steps: which day of what, where its files lie, who opens connections.

The folder of a run holds one folder a step (run/step_run.py).
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar, cast

from daybook.ledger.decisions import Release
from daybook.ledger.receipt import Receipt
from daybook.refused import mends
from daybook.spec import Pipeline
from daybook.storage.folder import Folder

T = TypeVar("T")

Connect = Callable[[str], AbstractContextManager[Any]]
"""Opens the connection of that id, for the length of a block: an Airflow hook's get_conn, handed in by the DAG."""


def run_folder(data: Any, pipeline: str, day: date, run: str) -> Any:
    """Return the folder of a run below the data folder: days/<pipeline>/<day>/<run>.

    run: the scheduler's name for it, of which only letters, digits, `.`, `_` and `-` stay as they are.
    """
    return data / "days" / pipeline / str(day) / run_folder_name(run)


def run_folder_name(run: str) -> str:
    """Return the name of a run's folder below its day's."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", run)


@dataclass(frozen=True)
class Work:
    """One run's work on one day: `run` names the run, `folder` is the run's, `published` the pipeline's published days.

    postgres, ftp: open a connection by its id in Airflow. started_by: who or what started the run. is_forced: do every
    step, and publish also where nothing changed. shared: what the days of one task have made for each other.
    """

    pipeline: Pipeline
    day: date
    run: str
    folder: Folder
    published: Folder
    postgres: Connect
    ftp: Connect
    started_by: str = "unknown"
    is_forced: bool = False
    release: Release | None = None
    shared: dict[object, Any] | None = None

    def once(self, ground: object, make: Callable[[], T]) -> T:
        """Return what `make` gives. Of the days that share a task, only the first one with the same ground makes it."""
        if self.shared is None:
            return make()
        if ground not in self.shared:
            self.shared[ground] = make()
        return cast(T, self.shared[ground])

    def receipt(self, step: str) -> Receipt:
        """Return the receipt that a step left."""
        return Receipt.model_validate_json((self.folder / step).text("receipt.json"))

    @property
    def memory(self) -> Folder:
        """Return the folder where this day's earlier outputs are found by fingerprint."""
        return Folder(self.folder.path.parent / "by_fingerprint")

    @property
    def mends(self) -> Folder:
        """Return the folder of the day's mends, which lies below the data folder as the run's own does."""
        return mends.folder_of(self.folder.path.parents[3], self.pipeline.name, self.day)
