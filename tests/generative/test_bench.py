"""The checks of `bench/load.py`: its generator knows the truth, and they see it where a loader lets a wrong row in."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deployment.home import REPOSITORY

SEARCHED = os.pathsep.join(str(REPOSITORY / folder) for folder in ("bench", "include"))


def run(program: str, *words: object) -> str:
    """Run a program of bench/loading, and give what it prints."""
    command = [sys.executable, "-m", f"loading.{program}", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": SEARCHED}
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clean file and one with a bad line in a thousand, of a few blocks each."""
    folder = tmp_path_factory.mktemp("bench")
    for name in ("clean.csv", "bad.csv"):
        run("sales", folder / name, 0.02)
    return folder


def checked(loader: str, file: Path) -> dict[str, Any]:
    """Return what a loader found in a file, and what it let in and lost."""
    told = json.loads(run("measured", loader, file, "check"))
    assert told["refused"] is None
    return {word: told[word] for word in ("bad", "found", "wrong", "lost")}


def test_daybook_finds_every_bad_line_and_lets_nothing_wrong_in(folder: Path) -> None:
    assert checked("daybook", folder / "clean.csv") == {"bad": 0, "found": 0, "wrong": 0, "lost": 0}
    told = checked("daybook", folder / "bad.csv")
    assert told["bad"] >= 200
    assert told == {"bad": told["bad"], "found": told["bad"], "wrong": 0, "lost": 0}


def test_rows_that_another_loader_lets_in_are_seen(folder: Path) -> None:
    told = checked("duckdb", folder / "bad.csv")
    assert told["wrong"] > 0
    assert told["found"] + told["wrong"] == told["bad"]


def test_every_form_of_values_is_read_to_its_last_row() -> None:
    program = "from loading import forms; [forms.main(name, '200') for name in forms.FORMS]"
    environment = os.environ | {"PYTHONPATH": SEARCHED}
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    kept = [json.loads(line)["kept"] for line in told.splitlines()]
    assert len(kept) > 20
    assert set(kept) == {200}
