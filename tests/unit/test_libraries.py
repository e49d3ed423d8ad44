"""A library that is broken: a real folder in front of the real one, tried by the commands and by Airflow's start."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from daybook.libraries import broken_library
from daybook.pipelines import load_pipelines
from deployment.home import REPOSITORY

MISSING_SO = "raise ImportError('libgomp.so.1: cannot open shared object file: No such file or directory')\n"


def without_a_shared_library(folder: Path, name: str) -> str:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(MISSING_SO)
    return "ImportError: libgomp.so.1: cannot open shared object file"


def with_a_cut_shared_library(folder: Path, name: str) -> str:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(f"from {name} import _native\n")
    (folder / name / "_native.so").write_bytes(b"\x7fELF cut")
    return "_native.so): ImportError"


def with_a_cut_module(folder: Path, name: str) -> str:
    (folder / f"{name}.py").write_text("def cut(")
    return "SyntaxError: '(' was never closed"


Break = Callable[[Path, str], str]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a folder in front of all libraries."""
    paths = os.pathsep.join(map(str, (folder, REPOSITORY / "include", REPOSITORY / "config")))
    own = {"PYTHONPATH": paths, "DAYBOOK_HOME": str(folder / "home"), "AIRFLOW_HOME": str(folder / "airflow")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | own
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=120)


def assert_one_line(done: subprocess.CompletedProcess[str], library: str, folder: Path, why: str, code: int) -> None:
    assert done.returncode == code, done.stderr
    told = [line for line in done.stderr.splitlines() if "cannot be loaded" in line]
    assert len(told) == 1
    assert "Traceback" not in done.stderr
    assert f"the library {library} cannot be loaded ({folder / library}" in told[0]
    assert why in told[0]
    assert "install all again: `rm -r .venv`, then `make setup`" in told[0]


@pytest.mark.parametrize(
    ("library", "broken"),
    [
        ("pyarrow", without_a_shared_library),
        ("pyarrow", with_a_cut_module),
        ("polars", with_a_cut_shared_library),
        ("polars", with_a_cut_module),
        ("pandas", without_a_shared_library),
    ],
)
def test_up_starts_nothing_and_names_a_broken_library_in_one_line(tmp_path: Path, library: str, broken: Break) -> None:
    why = broken(tmp_path, library)
    assert_one_line(run(tmp_path, "-m", "commands", "up"), library, tmp_path, why, 40)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("library", ["pyarrow", "narwhals"])
def test_check_names_a_broken_library_in_one_line(tmp_path: Path, library: str) -> None:
    why = without_a_shared_library(tmp_path, library)
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    assert_one_line(run(tmp_path, "-m", "commands", "check", str(file)), library, tmp_path, why, 40)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_the_scheduler_does_not_start_with_a_broken_library(tmp_path: Path, library: str) -> None:
    why = without_a_shared_library(tmp_path, library)
    assert_one_line(run(tmp_path, "-m", "airflow", "scheduler"), library, tmp_path, why, 1)


def test_down_needs_no_library_of_days(tmp_path: Path) -> None:
    for library in ("pyarrow", "polars", "narwhals"):
        without_a_shared_library(tmp_path, library)
    done = run(tmp_path, "-m", "commands", "down")
    assert (done.returncode, done.stderr) == (0, "")


def a_word_that_is_not_there() -> None:
    from daybook.errors import NoSuchError  # type: ignore[attr-defined]  # noqa: F401


def a_key_that_is_not_there() -> None:
    load_pipelines().good["no such pipeline"]


@pytest.mark.parametrize("mistake", [a_word_that_is_not_there, a_key_that_is_not_there])
def test_a_mistake_of_our_own_is_not_told_as_a_broken_library(mistake: Callable[[], None]) -> None:
    with pytest.raises((ImportError, KeyError)) as raised:
        mistake()
    assert broken_library(raised.value) is None
