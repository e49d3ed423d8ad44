"""The module that `./daybook init` writes: code of our own alone, and as a person formats it."""

import ast
import csv
import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import exit_codes
from commands.__main__ import main
from commands.check_form import Words
from commands.check_steps import loaded
from commands.draft import place
from commands.draft.answers import Answers, Draft
from commands.draft.from_file import draft_of_file
from commands.draft.module import module_of
from commands.draft.own_test import copy_of
from commands.draft.sample import sample_of
from commands.wrong_words import WrongWords
from daybook.pipelines import load_pipelines
from deployment.home import REPOSITORY
from tests.support.modules import built

HOSTILE = [
    '"""',
    "'''",
    "\\",
    "{x}",
    "#",
    "\u202e",
    "\u2028",
    "){import os",
    "__import__('os')",
    "%s",
    "=1",
    "a\nb",
    "ж ß",
]
WORDS = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=12)
)
ROWS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(WORDS, min_size=width, max_size=width), min_size=2, max_size=5)
)


def written(rows: list[list[str]]) -> bytes:
    """Return a header and rows as CSV, with a day before each row."""
    text = io.StringIO()
    lines = [["day", *rows[0]], *(["2026-03-04", *row] for row in rows[1:])]
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_whatever_headers_and_values_are_the_module_builds_the_pipeline_that_was_meant_and_nothing_else(
    rows: list[list[str]], tmp_path: Path
) -> None:
    path = tmp_path / "shop_2026-03-04.csv"
    path.write_bytes(written(rows))
    with suppress(WrongWords):
        # A question is no module: which one of two readings is meant, for example.
        draft = draft_of_file(sample_of(path, Words(None, (), {}), None), "shop", Answers(day_column="day"), "ftp")
        check_module(path, draft)


def check_module(path: Path, draft: Draft) -> None:
    """Assert that a draft's module is literals of ours alone, and that the sample loads by it."""
    module = module_of(draft)
    assert built(module) == draft.pipeline
    kinds = [type(node) for node in ast.parse(module).body]
    assert kinds == [ast.Expr, ast.ImportFrom, ast.ImportFrom, ast.Assign, ast.Assign]
    called = {
        node.func.id
        for node in ast.walk(ast.parse(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called <= {"File", "Form", "Measure", "Pipeline", "Schedule", "Summary", "Target", "date"} | {
        *("text", "integer", "decimal", "day_date", "timestamp", "boolean")
    }
    assert loaded(path, draft.pipeline.files[0]).checked.refused == []


@pytest.mark.parametrize(
    "headers",
    [
        ["amount", "größe", "Дата", "日本語の名前", "Größe\u2019s \u2013 №1", "say \"yes\" or 'no'", "back\\slash"],
        [f"a very long header number {n} " + "with many words " * n for n in range(9)],
        ["x" * 200, "https://example.org/" + "y" * 130],
    ],
)
def test_the_module_is_formatted_and_passes_the_linter(headers: list[str], tmp_path: Path) -> None:
    path = tmp_path / "shop_2026-03-04.csv"
    path.write_bytes(written([headers, *([str(n) for _ in headers] for n in range(5))]))
    draft = draft_of_file(sample_of(path, Words(None, (), {}), None), "shop", Answers(day_column="day"), "ftp")
    (tmp_path / "shop.py").write_text(module_of(draft))
    for words in (["format", "--diff"], ["check"]):
        command = [sys.executable, "-m", "ruff", *words, "--config", str(REPOSITORY / "pyproject.toml"), "--no-cache"]
        done = subprocess.run([*command, str(tmp_path / "shop.py")], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another checkout, for what is written."""
    monkeypatch.setattr(place, "REPOSITORY", tmp_path / "checkout")
    return tmp_path / "checkout"


def test_the_command_writes_the_module_and_its_test_tells_what_comes_next_and_overwrites_nothing(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop_2026-03-04.csv").write_text("sold_on,n\n2026-03-04,1\n2026-03-04,NA\n2026-03-05,3\n")
    words = ["init", "shop", "--file", str(tmp_path / "shop_2026-03-04.csv")]
    # A row is of another day than the file's, and so is a third of them: it holds several days.
    assert main(words) == exit_codes.DONE
    said = capsys.readouterr().out
    assert said.startswith("shop_2026-03-04.csv: 3 rows, 2 accepted, 0 refused, 1 dropped")
    assert [line.split()[0] for line in said.splitlines()[-2:]] == ["mkdir", "./daybook"]
    module, test = checkout / "include/pipelines/shop.py", checkout / "tests/pipelines/test_shop.py"
    assert built(module.read_text()).files[0].columns[1].null_tokens == ("NA",)
    assert "== (3, 2, 0)" in test.read_text()
    copied = checkout / "tests/pipelines/shop/shop_2026-03-04.csv"
    assert copied.read_bytes() == (tmp_path / "shop_2026-03-04.csv").read_bytes()

    module.write_text("mine")
    assert main(words) == exit_codes.WRONG_WORDS
    assert "include/pipelines/shop.py and tests/pipelines/test_shop.py: there already" in capsys.readouterr().err
    assert module.read_text() == "mine"
    assert main([*words, "--print"]) == exit_codes.DONE
    assert built(capsys.readouterr().out).name == "shop"
    assert module.read_text() == "mine"
    assert main([*words, "--force", "--quiet"]) == exit_codes.DONE
    assert built(module.read_text()).name == "shop"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Shop"], "is not a name for a pipeline"),
        (["my shop"], "did you mean 'my_shop'?"),
        (["_shop"], "did you mean 'shop'?"),
        (["x" * 58], "at most 57"),
        (["class"], "a word of Python"),
        (["public"], "the name of a schema"),
        (["pg_shop"], "the name of a schema"),
        (["flights"], "flights"),
        (
            ["shop", "--file", "shop_2026-03-05.csv"],
            "shop_2026-03-05.csv is not there; did you mean 'shop_2026-03-04.csv'?",
        ),
        (["shop", "--file", "."], "is a folder"),
        (["shop", "--table", "public.shop"], "one of them"),
        (["shop", "--day-column", "sold"], "--day-column sold: the sample has no such column; did you mean 'sold_on'?"),
        (["shop", "--day-column", "n"], "--day-column n: the column is integer"),
        (["shop", "--format", "n"], "expected COLUMN=FORMAT"),
        (["shop", "--format", "n=%Q"], "--format n=%Q"),
        (["shop", "--format", "n=%Y-%m-%d"], "not all values of the column are written so"),
        (["shop", "--time-zone", "Europe/Madird"], "did you mean 'Europe/Madrid'?"),
        (["shop", "--decimal-mark", ";"], "expected '.' or ','"),
        (["shop", "--columns", "a,b"], "say --no-header too"),
    ],
)
def test_a_wrong_word_is_one_line_and_writes_nothing(
    words: list[str],
    said: str,
    checkout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop_2026-03-04.csv").write_text("sold_on,n\n2026-03-04,1\n")
    given = (
        words
        if "." in words or any(word.startswith("shop_") for word in words)
        else [*words, "--file", "shop_2026-03-04.csv"]
    )
    assert main(["init", *given]) == exit_codes.WRONG_WORDS
    printed = capsys.readouterr()
    assert said in printed.err
    assert (printed.out, printed.err.count("\n"), printed.err.rstrip().endswith("nothing was written")) == ("", 1, True)
    assert not checkout.exists()


def test_a_name_and_a_schema_of_another_pipeline_are_taken(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    flights = load_pipelines().good["flights"]
    other = flights.model_copy(
        update={"name": "other", "target": flights.target.model_copy(update={"schema_": "shop"})}
    )
    monkeypatch.setitem(load_pipelines().good, "other", other)
    for name in ("shop", "shop_store", "other"):
        with pytest.raises(WrongWords, match="take another name"):
            place.check_free(name, is_forced=False)


def test_a_large_sample_is_cut_to_whole_records_for_the_test(tmp_path: Path) -> None:
    path = tmp_path / "shop_2026-03-04.csv"
    record = '2026-03-04,"two\nlines"\n'
    path.write_text("sold_on,note\n" + record * 20_000)
    copy = copy_of(sample_of(path, Words(None, (), {}), None)).decode()
    assert 0 < len(copy) < 80_000
    assert copy == "sold_on,note\n" + record * (copy.count("two"))
