"""The outbox: a folder on this machine's disk, where an alert lies until it is sent. What lies there is never lost.

new/<moment>-<hash>.json      events, as they were noticed
failures/<hash>/<task>.json   the last failure of each task of a run
unsent/<hash>-<place>.json    messages that no server has taken yet
told.json                     what was told, and what is still wrong

An event is a few words, and its file is there whole or not at all. Whoever notices something only writes: scheduler and
tasks wait for no mail server.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from daybook.environment import environment

VARIABLE = "DAYBOOK_OUTBOX"
NOTE_SECONDS = 7 * 24 * 3600
# Of a foreign error's text: an outbox is no place for a row of data.
LONGEST = 2000

Words = dict[str, Any]


def outbox_folder(variables: Mapping[str, str] = os.environ) -> Path:
    """Return the folder: DAYBOOK_OUTBOX, else `alerts` in a data folder on this disk, else in AIRFLOW_HOME."""
    if named := variables.get(VARIABLE):
        return Path(named)
    data = urlsplit(variables.get("DAYBOOK_DATA", ""))
    here = Path(unquote(data.path)) if data.scheme in ("", "file") and data.path else None
    root = here or Path(variables.get("AIRFLOW_HOME") or "~/airflow").expanduser()
    return root / f"environment_{environment()}" / "alerts" if environment() else root / "alerts"


class Outbox:
    """The files of one outbox."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is touched yet."""
        self.folder = folder

    def note(self, event: Words) -> Path:
        """Write down something that was noticed. Equal events have one file."""
        text = json.dumps(event, sort_keys=True, default=str)
        name = f"{time.time_ns():020}-{digest(event.get('identity') or text)}.json"
        return _write(self.folder / "new" / name, text)

    def events(self) -> Iterator[tuple[Path, Words]]:
        """Yield the events that nobody has looked at yet, oldest first, with their files."""
        yield from _read_all(self.folder / "new")

    def note_failure(self, dag_id: str, run_id: str, task_id: str, words: Words) -> None:
        """Keep the failure of a task, in place of an earlier one."""
        _write(self._failure(dag_id, run_id, task_id), json.dumps(words, default=str))

    def forget_failure(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Forget the failure of a task that went well when it was tried again."""
        self._failure(dag_id, run_id, task_id).unlink(missing_ok=True)

    def failures(self, dag_id: str, run_id: str) -> list[Words]:
        """Return the failures of a run's tasks, in the order in which they happened."""
        found = [words for _, words in _read_all(self._failure(dag_id, run_id, "").parent)]
        return sorted(found, key=lambda words: str(words.get("at")))

    def put(self, name: str, message: Words) -> None:
        """Keep a message until it is sent."""
        _write(self.folder / "unsent" / f"{name}.json", json.dumps(message, default=str))

    def unsent(self) -> list[tuple[Path, Words]]:
        """Return the messages that are not sent, oldest first, with their files."""
        return list(_read_all(self.folder / "unsent"))

    def told(self) -> Words:
        """Return what was told; nothing if that is not known."""
        return _read(self.folder / "told.json") or {}

    def awaits(self, dag_id: str) -> bool:
        """Return whether it is news that a run of a DAG went well: one failed before, or may have."""
        told = self.told()
        wrong = [key for key in told.get("open", {}) if dag_id in key.split(" ")]
        return bool(wrong or told.get("failed", {}).get(dag_id) or any(self.events()))

    def keep_told(self, told: Words) -> None:
        """Keep what was told."""
        _write(self.folder / "told.json", json.dumps(told, default=str))

    def tidy(self, now_s: float) -> None:
        """Remove the failures of runs that ended long ago."""
        for file in (self.folder / "failures").glob("*/*.json"):
            with suppress(OSError):
                if now_s - file.stat().st_mtime > NOTE_SECONDS:
                    file.unlink()
                    file.parent.rmdir()

    def _failure(self, dag_id: str, run_id: str, task_id: str) -> Path:
        return self.folder / "failures" / digest(f"{dag_id} {run_id}") / f"{digest(task_id)}.json"


def digest(text: str) -> str:
    """Return a short hash of a text, for the name of a file."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:24]


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(file)
    return file


def _read(file: Path) -> Words | None:
    try:
        words = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return words if isinstance(words, dict) else None


def _read_all(folder: Path) -> Iterator[tuple[Path, Words]]:
    for file in sorted(folder.glob("[!.]*.json")):
        words = _read(file)
        if words is not None:
            yield file, words
