"""A day that is several times as large as the memory that its steps may take comes out as it does with enough of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployment.home import REPOSITORY

PROGRAM = Path(__file__).with_name("limited_day.py")
# Measured: batches of 2 MiB do with it, for a file of any size.
MEMORY_MIB, FILE_MIB = 64, 160
ROW = b"%d,2026-01-10,%s,7,cash,10.05," + b"x" * 1000 + b"%d\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of sales that the steps of a day are to hold only in parts."""
    folder = tmp_path_factory.mktemp("limited")
    with (folder / "sales.csv").open("wb") as file:
        file.write(b"id,day,shop,customer,kind,amount,note\n")
        for number in range(FILE_MIB * 1024):
            file.write(ROW % (number, (b"A1", b"B2")[number % 2], number))
    return folder


def done(folder: Path, most: str, how: str) -> "subprocess.CompletedProcess[str]":
    """Do the day in a process of its own: see limited_day.py."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "include")])}
    command = [sys.executable, str(PROGRAM), str(folder), most, how]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_day_larger_than_the_memory_comes_out_the_same(folder: Path) -> None:
    with_enough = done(folder, "any", "whole")
    limited = done(folder, str(MEMORY_MIB), "batches")
    assert limited.returncode == 0, limited.stderr
    assert json.loads(limited.stdout) == json.loads(with_enough.stdout)


def test_the_same_memory_is_too_little_for_steps_that_hold_the_day(folder: Path) -> None:
    limited = done(folder, str(MEMORY_MIB), "whole")
    assert limited.returncode != 0
    assert "alloc" in limited.stderr
