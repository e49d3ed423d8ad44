"""The tries of tasks that have begun: what is left of one is a process that ended without a word, such as a killed one.

tries/<hash of the run>/<hash of the task>-<try>.json   its process is at work
                                               .told    it ended so, and that was told

Airflow calls nothing at all if the kernel kills a task's process: its next try finds what the one before has left, and
if there is none, the failure of the run does.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from socket import gethostname
from typing import Any

from daybook.alerts.outbox import NOTE_SECONDS, digest


@dataclass(frozen=True, order=True)
class Try:
    """One try of a task, by Airflow's names."""

    dag_id: str
    run_id: str
    task_id: str
    number: int


class Tries:
    """The files of the tries, in the folder of an outbox."""

    def __init__(self, outbox: Path) -> None:
        """Name the folder; nothing is touched yet."""
        self.folder = outbox / "tries"

    def begin(self, one: Try) -> None:
        """Note that a process begins a try; also of a DAG that was deleted, and has the same run again."""
        file = self._file(one)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.with_suffix(".told").unlink(missing_ok=True)
        file.write_text(json.dumps({**asdict(one), "pid": os.getpid(), "host": gethostname()}))

    def end(self, one: Try) -> None:
        """Note that the process itself ended its try, well or not."""
        self._file(one).unlink(missing_ok=True)

    def left(self, dag_id: str, run_id: str) -> list[Try]:
        """Return the tries of a run that have begun and not ended, by task and number."""
        return sorted(_try_of(words) for words in _read(self._of_run(dag_id, run_id)))

    def dead(self, dag_id: str, run_id: str) -> list[Try]:
        """Return those of them whose process was on this machine, and is no more."""
        return sorted(_try_of(words) for words in _read(self._of_run(dag_id, run_id)) if _is_dead(words))

    def claim(self, one: Try) -> bool:
        """Return whether it is the caller's to tell that a try ended without a word: of several, one is told so."""
        file = self._file(one)
        told = file.with_suffix(".told")
        with suppress(FileNotFoundError):
            file.rename(told)
            return True
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(told, os.O_CREAT | os.O_EXCL, 0o600))
            return True
        return False

    def tidy(self, now_s: float) -> None:
        """Remove what is left of runs that ended long ago."""
        for file in self.folder.glob("*/*"):
            with suppress(OSError):
                if now_s - file.stat().st_mtime > NOTE_SECONDS:
                    file.unlink()
                    file.parent.rmdir()

    def _file(self, one: Try) -> Path:
        return self._of_run(one.dag_id, one.run_id) / f"{digest(one.task_id)}-{one.number}.json"

    def _of_run(self, dag_id: str, run_id: str) -> Path:
        return self.folder / digest(f"{dag_id} {run_id}")


def _read(folder: Path) -> Iterator[dict[str, Any]]:
    for file in folder.glob("*.json"):
        # It may end just now, or its disk have been full.
        with suppress(OSError, ValueError):
            yield json.loads(file.read_text())


def _try_of(words: dict[str, Any]) -> Try:
    return Try(words["dag_id"], words["run_id"], words["task_id"], words["number"])


def _is_dead(words: dict[str, Any]) -> bool:
    if words["host"] != gethostname():
        return False
    # It may be another user's.
    with suppress(PermissionError):
        try:
            os.kill(words["pid"], 0)
        except ProcessLookupError:
            return True
    return False
