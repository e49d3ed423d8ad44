"""A case: a folder with an input from the wild, and what must come out of it. README.md says what a folder holds."""

import importlib.util
import subprocess
import sys
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from daybook.spec import Pipeline, Value

CASES = Path(__file__).parent
# What a case is made of; every other file of its folder is input.
OWN = ("case.md", "expected.toml", "setup.sql", "make.py", "__pycache__")


class Rows(Value):
    """The rows of a source over the steps `load`, `clean` and `index`: refused and dropped by reason."""

    read: int
    kept: int
    refused: dict[str, int] = {}
    dropped: dict[str, int] = {}


class Day(Value):
    """A run of a day: what is delivered, and what must come of it.

    spec: the module of the pipeline. delivered: the file of the case that the supplier delivers as the facts; None: all
    files lie on the server under their own names. day: a date, or "yesterday". outcome: "published", or the error's
    name. says: what its message must say. details: what the details of refused rows must say. rows: of the facts.
    sources: rows of the others. summaries: the published rows of each summary, those columns that matter.
    """

    spec: str = "spec.py"
    delivered: str | None = None
    day: str = "2024-03-05"
    outcome: str = "published"
    says: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    rows: Rows | None = None
    sources: dict[str, Rows] = {}
    summaries: dict[str, list[dict[str, str]]] = {}


class Check(Value):
    """A run of `./daybook check`: its words, its exit code, and what it must say and must not.

    refused_lines: so many lines of the file stand, whole, in the refused rows of --out. most_memory_mib: the most that
    the process may hold.
    """

    words: str
    exit_code: int
    says: tuple[str, ...] = ()
    says_not: tuple[str, ...] = ()
    refused_lines: int | None = None
    most_memory_mib: int | None = None


class Expected(Value):
    """What must come out of a case: of days, of `./daybook check`, or of both.

    needs_word: the word that a spec lacks for the supplier's format; what comes out until there is one stands here.
    """

    needs_word: str | None = None
    day: tuple[Day, ...] = ()
    check: tuple[Check, ...] = ()


class Case:
    """A folder of CASES."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name

    @cached_property
    def expected(self) -> Expected:
        """Return what must come out."""
        return Expected(**tomllib.loads((self.folder / "expected.toml").read_text()))

    @property
    def told(self) -> str:
        """Return the case in words."""
        return (self.folder / "case.md").read_text()

    @property
    def setup(self) -> str | None:
        """Return the statements that make the tables in the source database, if the case has some."""
        script = self.folder / "setup.sql"
        return script.read_text() if script.exists() else None

    def pipeline(self, module: str) -> Pipeline:
        """Return the pipeline of a module of the folder. Raises BadSpec if its words are refused."""
        pipeline: Pipeline = _module(self.folder / module).PIPELINE
        return pipeline

    def deliver(self, to: Path) -> None:
        """Lay the input into a folder: the files that lie in the case's, and those that its recipe makes."""
        to.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.folder.rglob("*")):
            name = file.relative_to(self.folder)
            if file.is_file() and name.parts[0] not in OWN and not name.name.startswith("spec"):
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                (to / name).write_bytes(file.read_bytes())
        if (recipe := self.folder / "make.py").exists():
            subprocess.run([sys.executable, recipe], cwd=to, check=True)


def _module(file: Path) -> Any:
    """Run a module, and leave it where a fingerprint finds the source of its transform."""
    spec = importlib.util.spec_from_file_location(f"case_{file.parent.name}_{file.stem}", file)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases() -> list[Case]:
    """Return every case: every folder beside this module. None found is a mistake."""
    found = [Case(folder) for folder in sorted(CASES.iterdir()) if folder.is_dir() and folder.name != "__pycache__"]
    assert found, "no case was found"
    return found
