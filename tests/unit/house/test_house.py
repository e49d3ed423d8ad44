"""The house: which way imports go, where words stand, what no file may hold."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from daybook.ledger.receipt import STEPS
from deployment.home import REPOSITORY

from . import cases

PURE = (
    *("spec", "spec_check", "frames", "load_mends", "clean", "index", "aggregate", "summarize", "report", "day"),
    *("replay_check", "errors"),
)
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


@pytest.mark.parametrize("file", files("include/daybook/**/*.py"), ids=lambda file: file.stem)
def test_the_business_knows_no_airflow(file: Path) -> None:
    assert not {name for name in imports(file) if name.split(".")[0] in ("airflow", "dags", "plugins", "deployment")}


@pytest.mark.parametrize("module", PURE)
def test_a_module_that_decides_about_data_touches_nothing(module: str) -> None:
    used = {name.split(".")[0] for name in imports(REPOSITORY / "include" / "daybook" / f"{module}.py")}
    assert not used & DOING


@pytest.mark.parametrize("folder", ["include", "config", "plugins"])
def test_nobody_imports_the_dag_file_or_the_plugins(folder: str) -> None:
    names = {name for file in files(f"{folder}/**/*.py") for name in imports(file)}
    assert not {name for name in names if name.split(".")[0] in ("dags", "plugins", "report_tab")}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_one_word_in_the_dag_the_steps_and_its_module(step: str) -> None:
    assert f'task_id="{step}"' in (REPOSITORY / "dags" / "daybook.py").read_text()
    functions = ast.parse((REPOSITORY / "include" / "daybook" / "steps.py").read_text()).body
    assert step in {node.name for node in functions if isinstance(node, ast.FunctionDef)}
    module = {"extract_tables": "postgres", "extract_files": "ftp"}.get(step, step)
    assert (REPOSITORY / "include" / "daybook" / f"{module}.py").exists()


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
    assert cases.written(document) == document.read_text(), "run `python tests/unit/house/cases.py`"
