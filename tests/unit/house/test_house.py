"""The house: what may touch the world, where words stand, what no file may hold."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from daybook.ledger.receipt import STEPS
from deployment.home import REPOSITORY

from . import cases

# The rooms whose modules decide about data.
PURE = [f"include/daybook/{room}/**/*.py" for room in ("loader", "rules", "spec")]
# What touches a disk, a socket or a database, or tells the world: not for modules that decide about data.
DOING = {"os", "pathlib", "socket", "ftplib", "psycopg", "logging", "time", "random", "upath", "shutil", "tempfile"}


def imports(file: Path) -> set[str]:
    """Return the modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def files(pattern: str) -> list[Path]:
    """Return the files of a pattern; none found is a mistake in the pattern."""
    found = sorted(REPOSITORY.glob(pattern))
    assert found, f"no file matches {pattern}"
    return found


def tracked() -> list[Path]:
    """Return every file that git tracks."""
    out = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [REPOSITORY / name for name in out.splitlines() if (REPOSITORY / name).is_file()]


@pytest.mark.parametrize("file", [file for room in PURE for file in files(room)], ids=lambda file: file.stem)
def test_a_module_that_decides_about_data_touches_nothing(file: Path) -> None:
    used = {name.split(".")[0] for name in imports(file)} & DOING
    # It asks how many processors there are.
    assert used <= ({"os"} if file.stem == "blocks" else set())


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_one_word_in_the_dag_the_steps_and_its_module(step: str) -> None:
    assert f'task_id="{step}"' in (REPOSITORY / "dags" / "daybook.py").read_text()
    functions = ast.parse((REPOSITORY / "include" / "daybook" / "steps.py").read_text()).body
    assert step in {node.name for node in functions if isinstance(node, ast.FunctionDef)}
    module = {"extract_tables": "postgres/copy_tables", "extract_files": "ftp/fetch"}.get(step, f"*/{step}")
    assert len(files(f"include/daybook/{module}.py")) == 1


def test_no_file_holds_a_registry_or_a_path_of_a_machine() -> None:
    bad = re.compile(
        r"--(extra-)?index[-]url|--find[-]links[= ]|://[^\s/]+/simpl[e]\b|/home/[a-z]+/(?!\.local)|/Users/"
    )
    found = []
    for file in tracked():
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        if file != Path(__file__):
            found += [f"{file.name}: {match.group()}" for match in [bad.search(text)] if match]
    assert found == []


def test_the_site_shows_every_document() -> None:
    shown = set(re.findall(r"[\w-]+\.md", (REPOSITORY / "mkdocs.yml").read_text()))
    assert shown == {file.name for file in (REPOSITORY / "docs").glob("*.md")}


def test_G20_every_dependency_is_pinned_and_hashed() -> None:
    direct = [line for line in (REPOSITORY / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    lock = (REPOSITORY / "requirements.lock").read_text()
    assert all(re.search(r"==|<", line) for line in direct)
    pins = re.findall(r"^([a-z0-9-]+)==\S+.*\\\n    --hash=sha256:", lock, re.MULTILINE)
    assert {re.split(r"[=<]", line)[0] for line in direct} <= set(pins)
    assert len(pins) == len(re.findall(r"^[a-z0-9-]+==", lock, re.MULTILINE))


def test_every_case_of_the_catalogue_has_a_test_or_a_reason() -> None:
    assert set(cases.every_case()) - set(cases.tested()) - cases.left_out() == set()
    assert cases.left_out() & set(cases.tested()) == set()


@pytest.mark.parametrize("document", cases.DOCUMENTS, ids=lambda document: document.stem)
def test_the_table_of_cases_is_that_of_the_tests(document: Path) -> None:
    assert cases.written(document) == document.read_text(), "run `make documents`"
