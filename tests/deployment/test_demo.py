"""`make demo`, as a newcomer runs it: seven days with every number right, twice, and nothing left running."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.home import REPOSITORY, Home
from deployment.postgres_programs import folder_of
from deployment.tidying import clean

DEMO_SECONDS = 400
# Counted in the package's own file by another program: flights, of these without departure, mean delay at departure.
EXPECTED = {
    "2013-01-01": ("842", "4", "11.55"),
    "2013-01-02": ("943", "8", "13.86"),
    "2013-01-03": ("914", "10", "10.99"),
    "2013-01-04": ("915", "6", "8.95"),
    "2013-01-05": ("720", "3", "5.73"),
    "2013-01-06": ("832", "1", "7.15"),
    "2013-01-07": ("933", "3", "5.42"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    yield folder
    clean(Home(folder / "home"), (folder / "data").as_uri())


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_demo_publishes_seven_days_and_stops_all_it_started(folder: Path, time: str) -> None:
    done = make_demo(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    row = re.compile(r"│ (\S+) │ +(\S+) │ +(\S+) │ +(\S+) min │ +0 │ +[0-9.]+ │")
    assert {day: tuple(rest) for day, *rest in row.findall(done.stdout)} == EXPECTED
    for day in EXPECTED:
        assert {"report.html", "by_day.csv", "by_day.parquet"} <= published(folder, day)
    assert "Everything is stopped." in done.stdout
    assert not list((folder / "home" / "processes").iterdir())
    assert not (folder_of(Home(folder / "home")) / "data" / "postmaster.pid").exists()


def make_demo(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DAYBOOK_HOME": str(folder / "home"), "DAYBOOK_DATA": str(folder / "data")}
    # The packages are there, or this test would not run.
    command = ["make", "--assume-old=.venv/.installed", "demo"]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=DEMO_SECONDS
    )


def published(folder: Path, day: str) -> set[str]:
    return {file.name for file in (folder / "data" / "published" / "flights" / day).iterdir()}
