"""docs/upgrading.md: a new version merges into a checkout with pipelines of its own, and each command is known."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deployment.home import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "upgrading.md").read_text()
COMMANDS = [line.split("  #")[0].strip() for line in re.findall(r"^\$ (.*)$", DOCUMENT, re.MULTILINE)]
OF_GIT = [command for command in COMMANDS if command.startswith("git ")]
# They lock anew what the package index has today, or run the tests, which CI does.
OF_MAKE = ["make lock", "make upgrade", "make test", "make upgrade-test"]
OWN = {
    "include/pipelines/sales.py": '"""Sales."""\n',
    "tests/pipelines/test_sales.py": '"""Tests of sales."""\n',
    ".env": "A=1\n",
}


def git(folder: Path, command: str) -> str:
    """Run a command of git as it stands in the document; return its answer."""
    who = {"NAME": "ann", "EMAIL": "ann@example.com"}
    named = {f"GIT_{role}_{word}": value for role in ("AUTHOR", "COMMITTER") for word, value in who.items()}
    environment = {**os.environ, **named, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_MERGE_AUTOEDIT": "no"}
    return subprocess.run(
        command.split(" ", 6), cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def daybook(tmp_path: Path) -> Path:
    """A repository of Daybook, with what users have their own beside, and what decides of both."""
    folder = tmp_path / "daybook"
    for name in git(REPOSITORY, "git ls-files include/pipelines tests/pipelines .gitignore README.md").splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    for command in ("git init --quiet --initial-branch=main", "git add .", "git commit --quiet --message=old"):
        git(folder, command)
    return folder


def test_a_new_version_merges_beside_pipelines_of_ones_own_and_can_be_taken_back(daybook: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    git(tmp_path, "git clone --quiet daybook own")
    for name, text in OWN.items():
        (own / name).write_text(text)
    git(own, "git add .")
    git(own, "git commit --quiet --message=ours")
    ours = git(own, "git rev-parse HEAD")
    for name in ("README.md", "include/pipelines/flights.py"):
        (daybook / name).write_text(f"{(daybook / name).read_text()}# new\n")
    git(daybook, "git commit --quiet --all --message=new")
    assert len(OF_GIT) == 3
    for command in OF_GIT:
        git(own, command)
    assert (own / "README.md").read_text().endswith("# new\n")
    assert {name: (own / name).read_text() for name in OWN} == OWN
    assert "git reset --hard ORIG_HEAD" in DOCUMENT
    git(own, "git reset --hard ORIG_HEAD")
    assert git(own, "git rev-parse HEAD") == ours
    assert ".env" not in git(own, "git ls-files")


def test_what_the_test_of_the_documents_does_not_type_is_a_target_of_make() -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert {command.removeprefix("make ") for command in OF_MAKE} <= set(targets)
    assert set(OF_MAKE) <= set(COMMANDS)
