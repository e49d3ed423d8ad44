"""What the Makefile says of itself."""

import os
import re
import subprocess

import pytest

from deployment.home import REPOSITORY

UV = REPOSITORY / ".venv" / "bin" / "uv"
MAKEFILE = (REPOSITORY / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "--no-print-directory", *arguments], cwd=REPOSITORY, capture_output=True, text=True)


def test_help_lists_every_target() -> None:
    listed = re.findall(r"^  make ([a-z-]+) +\S", make("help").stdout, re.MULTILINE)
    assert listed == TARGETS
    assert {"demo", "up", "down", "day", "psql", "clean", "test", "lint", "help"} <= set(listed)


def test_every_target_is_known_to_be_no_file() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert sorted(phony[1].split()) == sorted(TARGETS)


@pytest.mark.parametrize("bad", ["", "yesterday", "2013-02-30"])
def test_a_day_that_is_none_is_refused_with_an_example(bad: str) -> None:
    done = make("--assume-old=.venv/.installed", "day", f"DAY={bad}")
    assert done.returncode != 0
    assert f"{bad} is not a day; expected YYYY-MM-DD, such as 2013-01-05" in done.stderr


@pytest.mark.parametrize(("own", "used"), [({}, "true"), ({"UV_SYSTEM_CERTS": "false"}, "false")])
def test_uv_takes_the_certificates_of_the_machine_unless_it_is_told_otherwise(own: dict[str, str], used: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    rule = "--eval=shown: ; @echo $$UV_SYSTEM_CERTS"
    shown = subprocess.run(
        ["make", "--no-print-directory", rule, "shown"], cwd=REPOSITORY, env=kept | own, capture_output=True, text=True
    )
    assert shown.stdout.strip() == used
    # The variable had another name in other versions of uv.
    helped = subprocess.run([UV, "pip", "sync", "--help"], capture_output=True, text=True)
    assert "UV_SYSTEM_CERTS" in helped.stdout


def test_an_old_python_is_refused_in_a_sentence() -> None:
    shown = make("--always-make", "--dry-run", "setup", "PYTHON=python3").stdout
    check = next(line for line in shown.splitlines() if "version_info" in line)
    with_an_old_one = check.replace("import sys;", "import sys; sys.version_info = (3, 9);")
    refused = subprocess.run(["sh", "-c", with_an_old_one], capture_output=True, text=True)
    assert refused.returncode != 0
    assert "Daybook needs Python 3.11, 3.12 or 3.13" in refused.stderr
