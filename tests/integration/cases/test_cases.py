"""Every case comes out as its expected.toml says: its days on the real servers, its files through `./daybook check`."""

import csv
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from _pytest.mark import ParameterSet

from deployment.home import REPOSITORY

from .case import CASES, Case, Check, Day, cases
from .conftest import Supplier

ENGINES = ("polars", "pandas", "duckdb")


def days() -> Iterator[ParameterSet]:
    """Return every day of every case, with each engine if it comes to them."""
    for case in cases():
        for number, day in enumerate(case.expected.day, 1):
            for engine in ENGINES if day.outcome == "published" else ENGINES[:1]:
                yield pytest.param(case, day, engine, id=f"{case.name}:{number}:{engine}")


def checks() -> Iterator[ParameterSet]:
    """Return every run of `./daybook check` of every case."""
    for case in cases():
        for number, check in enumerate(case.expected.check, 1):
            yield pytest.param(case, check, id=f"{case.name}:{number}")


@pytest.mark.parametrize(("case", "day", "engine"), list(days()))
def test_a_day_comes_out_as_the_case_says(supplier: Supplier, case: Case, day: Day, engine: str) -> None:
    came_out = supplier.run(case, day, engine=engine)
    assert came_out.outcome == day.outcome, came_out
    check_said(day.says, came_out.message)
    check_said(day.details, came_out.details)
    assert "\n" not in came_out.message
    if day.rows:
        assert came_out.rows[case.pipeline(day.spec).facts] == day.rows
    assert {name: came_out.rows[name] for name in day.sources} == day.sources
    for name, wanted in day.summaries.items():
        assert [{column: row[column] for column in wanted[0]} for row in came_out.summaries[name]] == wanted


def check_said(words: tuple[str, ...], text: str) -> None:
    """Check that a text holds all of these words."""
    assert [word for word in words if word not in text] == [], text


@pytest.mark.parametrize(("case", "check"), list(checks()))
def test_check_says_what_the_case_says(case: Case, check: Check, tmp_path: Path) -> None:
    case.deliver(tmp_path)
    said = run_check(check, tmp_path)
    assert said.exit_code == check.exit_code, said.text
    assert "Traceback" not in said.text
    check_said(check.says, said.text)
    assert [words for words in check.says_not if words in said.text] == [], said.text
    if check.most_memory_mib:
        assert said.memory_mib <= check.most_memory_mib
    if check.refused_lines is not None:
        assert refused_lines(tmp_path / shlex.split(check.words)[0], tmp_path / "out") == check.refused_lines


# Runs a command, and tells the most memory that it held, in KiB on Linux (getrusage(2)). It is a process of its own,
# because a child's maximum begins with what its parent held.
MEASURED = (
    "import resource, subprocess, sys; code = subprocess.run(sys.argv[2:]).returncode; "
    "open(sys.argv[1], 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)); sys.exit(code)"
)


class Said(NamedTuple):
    """What a command said, its exit code, and the most memory that it held."""

    exit_code: int
    text: str
    memory_mib: int


def run_check(check: Check, folder: Path) -> Said:
    """Run `./daybook check` in a folder, as a process of its own: its memory is measured."""
    words = [sys.executable, "-c", MEASURED, "memory.txt"]
    words += [sys.executable, "-m", "commands", "check", *shlex.split(check.words)]
    paths = {"PYTHONPATH": os.pathsep.join(str(REPOSITORY / folder) for folder in ("include", "config"))}
    with (folder / "said.txt").open("w+b") as output:
        exit_code = subprocess.run(words, cwd=folder, env=os.environ | paths, stdout=output, stderr=output).returncode
        output.seek(0)
        return Said(exit_code, output.read().decode(), int((folder / "memory.txt").read_text()) // 1024)


def refused_lines(file: Path, out: Path) -> int:
    """Return how many lines stand in the refused rows of a file; each is one of its own, whole."""
    csv.field_size_limit(file.stat().st_size)
    with (out / f"{file.stem}.refused.csv").open(newline="") as rows:
        refused = "\n".join(row["raw"] for row in csv.DictReader(rows)).splitlines()
    assert set(refused) <= set(file.read_text().splitlines())
    return len(refused)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_case_says_in_words_what_is_given_and_what_must_come_out(case: Case) -> None:
    assert re.match(r"# .+\n\nGiven: .+\n\nMust come out: .+", case.told, re.DOTALL)
    assert case.expected.day or case.expected.check


def test_the_cases_that_need_a_word_are_listed() -> None:
    rows = [f"| {case.name} | {case.expected.needs_word} |" for case in cases() if case.expected.needs_word]
    table = (CASES / "README.md").read_text().partition("`needs_word` marks")[2]
    heading, rule, *listed = re.findall(r"^\| \S+ \| .+ \|$", table, re.MULTILINE)
    assert (heading.startswith("| case |"), set(rule)) == (True, set("| -"))
    assert listed == rows
