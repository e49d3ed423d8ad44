"""What no file of the repository may hold or call, and which rules of the linter hold for all of them."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from deployment.home import REPOSITORY

from .test_house import files, tracked

# The forms of keys and tokens, and values that are given to a word for a secret.
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bglpat-[\w-]{20}\b"
    r"|\bxox[abprs]-[\w-]{10,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.|://[^\s:/@]+:(?=[^\s@]*\d)[^\s:/@$}{]{6,}@"
    r"|(?i:(?:password|passwd|secret|api_key|token|fernet_key)\w*\"?\s*[:=]\s*[\"']?(?=\S*\d)[\w+/=-]{16,})"
)
COMMON = "admin|airflow|postgres|changeme|change-me|secret"
DEFAULTS = re.compile(rf"(?i)(?:password|secret)\w*[\"']?\s*[:=]\s*(?:[\"'](?:{COMMON})[\"']|(?:{COMMON})$)")
PRODUCT = ("include/**/*.py", "dags/**/*.py", "plugins/**/*.py", "config/**/*.py")
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "load_module"}


@pytest.mark.parametrize("pattern", [SECRETS, DEFAULTS], ids=["secrets", "defaults"])
def test_G2_G3_G23_no_tracked_file_holds_a_secret_or_a_default_password(pattern: re.Pattern[str]) -> None:
    found = [
        f"{file.relative_to(REPOSITORY)}:{number}"
        for file in tracked()
        if file != Path(__file__) and file.suffix not in (".png", ".lock")
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        *('password = "' + "hunter2hunter2hunter2" + '"', "postgresql://user:" + "hunter22@host/db", "AKIA" + "A" * 16),
        *("-----BEGIN EC PRIVATE " + "KEY-----", "DAYBOOK_SECRET_ADMIN=" + "aB3" * 8, "ghp_" + "a" * 36),
    ],
)
def test_G23_the_search_for_secrets_finds_one(line: str) -> None:
    assert SECRETS.search(line)


@pytest.mark.parametrize("file", [file for pattern in PRODUCT for file in files(pattern)], ids=lambda file: file.stem)
def test_G18_nothing_is_unpickled_or_run_from_text(file: Path) -> None:
    tree = ast.parse(file.read_text())
    imported = {a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    imported |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {call.id for call in called if isinstance(call, ast.Name)}
    names |= {call.attr for call in called if isinstance(call, ast.Attribute) if ast.unparse(call) != "re.compile"}
    assert not imported & FORBIDDEN_IMPORTS
    assert not names & FORBIDDEN_CALLS
    assert not {ast.unparse(call) for call in called} & {"yaml.load", "yaml.unsafe_load"}


def test_G12_G23_the_linters_rules_about_security_hold_for_all_that_is_not_a_test() -> None:
    lint = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S")]
    assert set(lint["per-file-ignores"]) == {"tests/**", "bench/**", "include/daybook/testing/checks.py"}
    assert "ruff check" in (REPOSITORY / "Makefile").read_text()


def test_G8_a_dag_hands_no_param_to_a_shell_or_a_template() -> None:
    glue, nothing = [*files("dags/*.py"), *files("include/daybook_airflow/[fhst]*.py")], "task.template_fields = ()"
    text = "\n".join(file.read_text() for file in glue)
    assert "PythonOperator" in text
    assert text.count(nothing) == 1
    assert "give_form(dag, pipeline)" in (REPOSITORY / "dags" / "daybook.py").read_text()
    words = r"Bash|SSHOperator|subprocess|os\.system|SQLExecute|\{\{|template"
    assert not re.search(words, text.replace(nothing, "").replace("No templated fields", ""))
