"""Checkouts with pipelines of a user's own, none called `flights`, and one deployment that runs them."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployment.home import REPOSITORY

UP_SECONDS = 180

# A pipeline as a user makes one from the shipped one; its files and tables are those of the flights.
RENAMED = """
from datetime import date

from daybook.spec import Target
from pipelines._flights import PIPELINE as FLIGHTS

SCHEDULE = {{"start": date(2013, 1, 1), "end": date(2013, 1, 4), "time_zone": "{zone}"}}
PIPELINE = FLIGHTS.model_copy(
    update={{
        "name": "{name}",
        "target": Target(schema="{name}"),
        "may_override": ("plausible.within_pct",),
        "schedule": FLIGHTS.schedule.model_copy(update=SCHEDULE),
    }}
)
"""
DEPARTURES = RENAMED.format(name="departures", zone="America/New_York")
ARRIVALS = RENAMED.format(name="arrivals", zone="Europe/Madrid")
# A pipeline without days yet, whose files come through a pool that nobody has made.
SUPPLIED = (
    RENAMED.replace("import Target", "import Pools, Target")
    .replace('"start": date(2013, 1, 1), "end": date(2013, 1, 4)', '"start": date(2099, 1, 1), "end": None')
    .replace('        "name"', '        "pools": Pools(ftp="{name}_ftp"),\n        "name"')
)
BROKEN = "from daybook.spec import Pipelin\n"


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository, and a way to type `./daybook` in it."""

    folder: Path
    home: Path
    data: Path

    def start(self, *words: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Start `./daybook` with some words."""
        return subprocess.Popen(
            [self.folder / "daybook", *words],
            cwd=cwd or self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def type(self, *words: str, cwd: Path | None = None) -> tuple[int, str, str]:
        """Run `./daybook` with some words; return its exit code, its answer and what it said beside that."""
        with self.start(*words, cwd=cwd) as process:
            out, err = process.communicate(timeout=UP_SECONDS)
            return process.returncode, out, err

    def json(self, *words: str) -> Any:
        """Return what a verb answers in JSON."""
        return json.loads(self.type(*words, "--json")[1])

    def elsewhere(self, folder: Path) -> "Checkout":
        """Return the same checkout with another home and data folder."""
        return Checkout(self.folder, folder / "home", folder / "data")

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "DAYBOOK", "PG"))}
        own = {"DAYBOOK_HOME": str(self.home), "DAYBOOK_DATA": str(self.data), "PYTHONUNBUFFERED": "1"}
        return kept | own | {"COLUMNS": "100"}


def checkout(folder: Path, shared: Path, **modules: str) -> Checkout:
    """Copy what git knows into a folder, with some modules in place of the shipped pipeline."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "daybook", "include", "dags", "config", "plugins", "*.lock"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(lambda name: (REPOSITORY / name).is_file(), listed.stdout.splitlines()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, folder / name)
    (folder / ".venv").symlink_to((REPOSITORY / ".venv").resolve())
    os.utime(folder / "requirements.lock", (0, 0))
    pipelines = folder / "include" / "pipelines"
    (pipelines / "flights.py").rename(pipelines / "_flights.py")
    for name, text in modules.items():
        (pipelines / f"{name}.py").write_text(text)
    return Checkout(folder, shared / "home", shared / "data")


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the deployment's home and data."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="package")
def none(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Checkout:
    """A checkout without a pipeline."""
    return checkout(tmp_path_factory.mktemp("none"), shared)


@pytest.fixture(scope="package")
def one(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Checkout:
    """A checkout whose only pipeline is called `departures`."""
    return checkout(tmp_path_factory.mktemp("one"), shared, departures=DEPARTURES)


@pytest.fixture(scope="package")
def several(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Checkout:
    """A checkout with `departures`, with `arrivals` in another time zone, and with a module that does not load."""
    modules = {"departures": DEPARTURES, "arrivals": ARRIVALS, "typo": BROKEN}
    return checkout(tmp_path_factory.mktemp("several"), shared, **modules)


@dataclass(frozen=True)
class Up:
    """What `./daybook up` said: in the checkout without a pipeline, and in the one with several, which goes on."""

    without_pipelines: str
    with_several: str


@pytest.fixture(scope="package")
def up(none: Checkout, several: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The deployment, up."""
    folder, supplied = tmp_path_factory.mktemp("said"), several.folder / "include" / "pipelines" / "supplied.py"
    with said_by(none, folder / "none") as without_pipelines:
        assert none.type("down")[0] == 0
    supplied.write_text(SUPPLIED.format(name="supplied", zone="UTC"))
    with said_by(several, folder / "several") as with_several:
        # The other tests have two pipelines.
        supplied.unlink()
        yield Up(without_pipelines, with_several)
        assert several.type("down")[0] == 0
    assert several.type("clean")[0] == 0


class said_by:  # noqa: N801 - read as a word of a sentence
    """`./daybook up` until its end; gives what it has said when it was up."""

    def __init__(self, checkout: Checkout, file: Path) -> None:
        self._file = file
        with file.open("w") as output:
            command = [str(checkout.folder / "daybook"), "up", "--ui-port", "0"]
            own = checkout._environment()
            self._process = subprocess.Popen(command, env=own, stdout=output, stderr=output, start_new_session=True)

    def __enter__(self) -> str:
        until = time.monotonic() + UP_SECONDS
        while "Ctrl-C stops everything" not in self._file.read_text():
            assert self._process.poll() is None, self._file.read_text()
            assert time.monotonic() < until, self._file.read_text()
            time.sleep(0.2)
        return self._file.read_text()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)
