"""Which steps a change of code reaches: exactly those whose function names what was changed, wherever it lies."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.home import REPOSITORY
from tests.support.edits import edit

PROGRAM = Path(__file__).with_name("code_of_steps.py")


class Copy:
    """A copy of the package, and a process that has imported it and tells its code whenever it is asked."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "daybook"
        self.make_anew()
        pipe, environment = subprocess.PIPE, {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, str(PROGRAM)]
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, text=True)
        self.as_it_is = self.codes()

    def make_anew(self) -> None:
        """Undo what a test has edited."""
        shutil.rmtree(self.package, ignore_errors=True)
        shutil.copytree(REPOSITORY / "include" / "daybook", self.package, ignore=shutil.ignore_patterns("__pycache__"))

    def codes(self) -> dict[str, str]:
        """Return the hash of each step's code, as the package is now."""
        assert self.process.stdin
        assert self.process.stdout
        print(file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        if isinstance(answer, str):
            raise LookupError(answer)
        return dict(answer)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """The copy that the tests edit one after another."""
    copy = Copy(tmp_path_factory.mktemp("code"))
    yield copy
    copy.process.communicate()


@pytest.fixture
def package(copied: Copy) -> Path:
    """The copied package, as nothing has edited it yet."""
    copied.make_anew()
    return copied.package


def changed(copied: Copy) -> set[str]:
    now = copied.codes()
    return {step for step, code in copied.as_it_is.items() if now[step] != code}


@pytest.mark.parametrize(
    ("file", "function", "steps"),
    [
        ("steps.py", "_copies", "extract_tables"),
        ("stream/loaded.py", "load_source", "load"),
        ("stream/cleaned.py", "_known", "clean"),
        ("stream/indexed.py", "index_facts", "index"),
        ("stream/aggregated.py", "aggregate_facts", "aggregate"),
        ("steps.py", "_lookup", "index"),
        ("steps.py", "_doubts", "summarize"),
        ("stream/counts.py", "rows_of", "load clean index"),
        ("postgres/copy_tables.py", "_copy_statement", "extract_tables"),
        ("postgres/day_rows.py", "_row_state", "extract_tables"),
        ("ftp/copy.py", "_check_room", "extract_files"),
        ("loader/columns.py", "_settled", "load"),
        ("loader/moment_columns.py", "_grid", "load"),
        ("loader/numbers.py", "_plain", "load"),
        ("loader/cell_reader.py", "_check_text", "load"),
        ("loader/sheet_cells.py", "_moment", "load clean index"),
        ("run/raw_rows.py", "_files", "load clean index"),
        ("run/raw_rows.py", "rows_at", "clean index"),
        ("loader/find.py", "raw_records", "clean index"),
        ("refused/rows.py", "of_sources", "load"),
        ("refused/rows.py", "with_raw", "clean index"),
        ("storage/tables.py", "hand_over", "load clean index aggregate summarize"),
        ("refused/mends.py", "of_day", "load"),
        ("run/step_run.py", "write_table", "load clean index aggregate summarize"),
        ("run/step_run.py", "read_table", "clean index summarize"),
        ("rules/clean.py", "_rules", "clean"),
        ("rules/row_rules.py", "keep_to_rules", "clean index"),
        ("rules/evaluate.py", "_choice", "clean index aggregate"),
        ("rules/checked.py", "quotient", "clean index aggregate"),
        ("rules/texts.py", "sliced", "clean index aggregate"),
        ("spec/kinds.py", "_product", "clean index aggregate summarize"),
        ("rules/index.py", "_mark", "index"),
        ("rules/frames.py", "close_frame", "clean aggregate summarize"),
        ("rules/aggregate.py", "_total", "aggregate"),
        ("rules/measure_types.py", "_measure_type", "aggregate summarize"),
        ("rules/inputs.py", "input_of", "aggregate"),
        ("rules/integers.py", "as_integers", "aggregate summarize"),
        ("rules/counted.py", "moments", "aggregate"),
        ("spec/measure.py", "is_rounded", "aggregate summarize"),
        ("rules/ratios.py", "_in_64_bits", "summarize"),
        ("rules/exact.py", "quotient", "clean index aggregate summarize"),
        ("rules/top.py", "_ranks", "summarize"),
        ("rules/plausible.py", "_far", "summarize"),
        ("ledger/first_load.py", "days_before", "summarize"),
        ("ledger/first_load.py", "_loaded", "summarize"),
        ("spec/pipeline.py", "_looked_up", "clean index aggregate summarize"),
        ("spec/source.py", "tokens", "load clean index"),
        ("spec/lookup.py", "refused_column", "clean index"),
        ("spec/table.py", "day_column", "extract_tables"),
    ],
)
def test_a_changed_helper_changes_the_code_of_exactly_the_steps_that_reach_it(
    package: Path, copied: Copy, file: str, function: str, steps: str
) -> None:
    edit(package / file, function)
    assert changed(copied) == set(steps.split())


@pytest.mark.parametrize(
    ("file", "function"),
    [
        ("run/run_step.py", "run_step"),
        ("run/run_step.py", "_close"),
        ("run/reuse.py", "earlier"),
        ("run/several_days.py", "over_days"),
        ("ledger/chain.py", "check_chain"),
        ("ledger/chain.py", "files_read"),
        ("ledger/receipt.py", "line"),
        ("ledger/runs.py", "begin_run"),
        ("postgres/session.py", "at_once"),
        ("publish/deploy.py", "_check_fence"),
        ("planning/plan.py", "plan"),
        ("pages/run_page.py", "step_lines"),
    ],
)
def test_what_changes_no_result_changes_no_code(package: Path, copied: Copy, file: str, function: str) -> None:
    edit(package / file, function)
    assert changed(copied) == set()


def test_words_about_the_code_change_nothing(package: Path, copied: Copy) -> None:
    for file in package.rglob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                node.returns = ast.Constant("something else")
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node):
                node.body[0] = ast.Expr(ast.Constant("Something else."))
        file.write_text(f"# A comment.\n{ast.unparse(tree)}")
    assert changed(copied) == set()


def moved_into_a_package(package: Path) -> Path:
    """Move a function of `measure_types` into a module of a new package; it is imported from there by another name."""
    file = package / "rules" / "measure_types.py"
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


def test_where_the_code_lies_changes_nothing(package: Path, copied: Copy) -> None:
    moved_into_a_package(package)
    assert changed(copied) == set()


def test_a_change_of_code_in_a_package_is_seen(package: Path, copied: Copy) -> None:
    edit(moved_into_a_package(package), "_measure_type")
    assert changed(copied) == {"aggregate", "summarize"}


def test_code_that_is_not_found_is_said_and_not_passed_over(package: Path, copied: Copy) -> None:
    (package / "rules" / "plausible.py").unlink()
    with pytest.raises(LookupError, match=r"daybook.rules has no 'plausible'"):
        copied.codes()
