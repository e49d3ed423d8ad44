"""One run's work on one day, as the DAG passes it to the steps: the options, the data folder, the connections."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeVar, cast

from daybook.errors import NotYet
from daybook.ledger.decisions import Release
from daybook.ledger.receipt import Receipt
from daybook.ledger.stored_receipt import UnreadableReceipt, stored_receipt
from daybook.ledger.turns import Turns
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder

T = TypeVar("T")
# With a day: the key of its wait for files, among what the days of a task share.
WAITING = "waiting"

OpenConnection = Callable[[str], AbstractContextManager[Any]]
"""Opens a connection by its id in Airflow, for the length of a block: a hook's get_conn, passed in by the DAG."""


@dataclass(frozen=True)
class DayRun:
    """One run's work on one day.

    run: the scheduler's name for the run. postgres, ftp: open a connection by its id in Airflow. started_by: who or
    what started the run. is_forced: do every step, and publish even if nothing changed. overrides: the values of
    `pipeline` that are not its spec's but this run's, by their paths, as in JSON. shared: the results that the days of
    one task share, and turns: those that they hold together; None for a task of one day. attempt: the number of the
    task's try, the same at each look; 0 if nobody looks again when a server is away.
    """

    pipeline: Pipeline
    day: date
    run: str
    data: DataFolder
    postgres: OpenConnection
    ftp: OpenConnection
    started_by: str = "unknown"
    is_forced: bool = False
    release: Release | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    shared: dict[object, Any] | None = None
    turns: Turns | None = None
    attempt: int = 0

    @cached_property
    def folder(self) -> Folder:
        """Return the run's folder, which holds one folder per step."""
        return self.data.run(self.pipeline.name, self.day, self.run)

    def receipt(self, step: str) -> Receipt:
        """Return the receipt of a step that is done. Raises UnreadableReceipt if it is damaged or of another step."""
        with (self.folder / step).open("receipt.json") as file:
            return stored_receipt(file.read(), self.pipeline.name, self.day, self.run, step)

    def receipt_if_done(self, step: str) -> Receipt | None:
        """Return the receipt of a step, or None if there is none that can be read, or only another run's."""
        content = (self.folder / step).content("receipt.json") or b""
        try:
            return stored_receipt(content, self.pipeline.name, self.day, self.run, step)
        except UnreadableReceipt:
            return None

    def await_later(self, days: Iterable[date]) -> None:
        """Wait if another day of the task waits for its files, of those after this one whose files have rows of it.

        Raises that day's NotYet.
        """
        for day in days:
            if waiting := (self.shared or {}).get((WAITING, day)):
                raise waiting

    @contextmanager
    def noted_wait(self) -> Iterator[None]:
        """Let the other days of the task know that this one waits for its files."""
        try:
            yield
        except NotYet as error:
            if self.shared is not None:
                self.shared[WAITING, self.day] = error
            raise

    def once(self, key: object, make: Callable[[], T]) -> T:
        """Return the result of `make`. Of the days that share a task, only the first one with the same key calls it."""
        if self.shared is None:
            return make()
        if key not in self.shared:
            self.shared[key] = make()
        return cast(T, self.shared[key])
