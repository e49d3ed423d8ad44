"""Which steps a change of code reaches: exactly those whose function names what was changed, wherever it lies."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daybook.ledger import fingerprint
from deployment.home import REPOSITORY

PRINTED = """
import json
from daybook.ledger import code
print(json.dumps({step: code.code_of("daybook.steps", step) for step in %r}))
"""
EDITED = ast.parse("edited = 1").body


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package that a test may edit."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(REPOSITORY / "include" / "daybook", tmp_path / "daybook", ignore=ignored))


@pytest.fixture(scope="module")
def as_it_is() -> dict[str, str]:
    """The hash of each step's code, before anything is edited."""
    return codes(REPOSITORY / "include" / "daybook")


def codes(package: Path) -> dict[str, str]:
    command = [sys.executable, "-c", PRINTED % (fingerprint.STEPS,)]
    done = subprocess.run(command, cwd=package.parent, env={"PYTHONPATH": "."}, capture_output=True, text=True)
    if done.returncode:
        raise LookupError(done.stderr.splitlines()[-1])
    return dict(json.loads(done.stdout))


def edit(file: Path, function: str) -> None:
    """Let a function do something more; nothing else in the file changes what it does."""
    tree = ast.parse(file.read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function]
    assert len(nodes) == 1, f"{len(nodes)} functions {function} in {file.name}"
    nodes[0].body[1 if ast.get_docstring(nodes[0]) else 0 : 0] = EDITED
    file.write_text(ast.unparse(tree))


def changed(package: Path, as_it_is: dict[str, str]) -> set[str]:
    now = codes(package)
    return {step for step, code in as_it_is.items() if now[step] != code}


@pytest.mark.parametrize(
    ("file", "function", "steps"),
    [
        ("steps.py", "_copied", "extract_tables"),
        ("steps.py", "_load_source", "load"),
        ("steps.py", "_cleaned", "clean"),
        ("steps.py", "_lookup", "index"),
        ("steps.py", "_doubts", "summarize"),
        ("steps.py", "_rows", "load clean index"),
        ("postgres/copy_tables.py", "_copy_statement", "extract_tables"),
        ("ftp/copy.py", "_check_room", "extract_files"),
        ("loader/columns.py", "_settled", "load"),
        ("loader/columns.py", "_grid", "load"),
        ("run/raw_rows.py", "_files", "load clean index"),
        ("run/raw_rows.py", "rows_at", "clean index"),
        ("loader/find.py", "raw_records", "clean index"),
        ("refused/rows.py", "of_sources", "load"),
        ("refused/rows.py", "with_raw", "clean index"),
        ("storage/tables.py", "parquet_writer", "load clean index aggregate summarize"),
        ("refused/mends.py", "of_day", "load"),
        ("run/step_run.py", "write_table", "load clean index aggregate summarize"),
        ("run/step_run.py", "read_table", "clean index aggregate summarize"),
        ("rules/clean.py", "_rules", "clean"),
        ("rules/index.py", "_mark", "index"),
        ("rules/frames.py", "close_frame", "clean index aggregate summarize"),
        ("rules/aggregate.py", "_total", "aggregate"),
        ("rules/aggregate.py", "_measure_type", "aggregate summarize"),
        ("rules/summarize.py", "_ratio", "summarize"),
        ("rules/plausible.py", "_far_from_median", "summarize"),
        ("ledger/queries.py", "nearest_days", "summarize"),
        ("spec/pipeline.py", "_looked_up", "index aggregate summarize"),
        ("spec/source.py", "tokens", "load clean index"),
    ],
)
def test_a_changed_helper_changes_the_code_of_exactly_the_steps_that_reach_it(
    package: Path, as_it_is: dict[str, str], file: str, function: str, steps: str
) -> None:
    edit(package / file, function)
    assert changed(package, as_it_is) == set(steps.split())


@pytest.mark.parametrize(
    ("file", "function"),
    [
        ("run/step_run.py", "run_step"),
        ("run/step_run.py", "_close"),
        ("run/reuse.py", "earlier"),
        ("run/several_days.py", "over_days"),
        ("ledger/receipt.py", "line"),
        ("ledger/runs.py", "begin_run"),
        ("postgres/session.py", "at_once"),
        ("publish/deploy.py", "_check_fence"),
        ("planning/plan.py", "plan"),
        ("pages/run_page.py", "told"),
    ],
)
def test_what_changes_no_result_changes_no_code(
    package: Path, as_it_is: dict[str, str], file: str, function: str
) -> None:
    edit(package / file, function)
    assert changed(package, as_it_is) == set()


def test_words_about_the_code_change_nothing(package: Path, as_it_is: dict[str, str]) -> None:
    for file in package.rglob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                node.returns = ast.Constant("something else")
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node):
                node.body[0] = ast.Expr(ast.Constant("Something else."))
        file.write_text(f"# A comment.\n{ast.unparse(tree)}")
    assert changed(package, as_it_is) == set()


def moved_into_a_package(package: Path) -> Path:
    """Move a function of `aggregate` into a module of a new package, which it is imported from under another name."""
    file = package / "rules" / "aggregate.py"
    tree = ast.parse(file.read_text())
    moved = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "_measure_type")
    tree.body.remove(moved)
    new = package / "moved" / "types.py"
    new.parent.mkdir()
    (new.parent / "__init__.py").touch()
    new.write_text(f"import pyarrow as pa\nfrom daybook.spec import Column, Measure\n\n\n{ast.unparse(moved)}\n")
    used = ast.unparse(tree).replace("_measure_type(", "type_of(")
    file.write_text(f"from daybook.moved.types import _measure_type as type_of\n{used}")
    return new


def test_where_the_code_lies_changes_nothing(package: Path, as_it_is: dict[str, str]) -> None:
    moved_into_a_package(package)
    assert changed(package, as_it_is) == set()


def test_a_change_of_code_in_a_package_is_seen(package: Path, as_it_is: dict[str, str]) -> None:
    edit(moved_into_a_package(package), "_measure_type")
    assert changed(package, as_it_is) == {"aggregate", "summarize"}


def test_code_that_is_not_found_is_said_and_not_passed_over(package: Path) -> None:
    (package / "rules" / "clean.py").unlink()
    with pytest.raises(LookupError, match=r"daybook.rules has no 'clean'"):
        codes(package)
