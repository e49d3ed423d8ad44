"""The words of the command line, without a server: help, wrong words, the table of exit codes."""

import re
from pathlib import Path

import pytest

from commands import exit_codes
from commands.__main__ import PARAGRAPHS, main
from daybook.pipelines import load_pipelines
from deployment.home import REPOSITORY

VERBS = [verb for verbs in PARAGRAPHS.values() for verb in verbs]
DOCUMENT = (REPOSITORY / "docs" / "commands.md").read_text()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that nothing makes."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_an_example_and_starts_nothing(
    verb: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    assert re.search(rf"Example: .*\./daybook {verb}\b", capsys.readouterr().out)
    assert not home.exists()


def test_the_help_lists_the_verbs_in_paragraphs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    for paragraph, verbs in PARAGRAPHS.items():
        listed = printed.split(f"─ {paragraph} ")[1].split("╰")[0]
        assert re.findall(r"^│ (\w+) ", listed, re.MULTILINE) == list(verbs)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("env", "psql")])
def test_every_verb_can_be_quiet(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([verb, "--help"])
    assert "--quiet" in capsys.readouterr().out


def test_no_word_at_all_shows_the_help_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Start and stop" in capsys.readouterr().out


def test_the_version_is_one_of_the_changelog(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    version = capsys.readouterr().out.split()[1]
    assert f"## {version} - " in (REPOSITORY / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pln"], "daybook: 'pln' is not a command; did you mean 'plan'?"),
        (["plan", "--form", "2013-01-01"], "daybook plan: there is no option --form; did you mean '--from'?"),
        (["plan", "-p", "flihgts"], "flihgts: no such pipeline; did you mean 'flights'?"),
        (["trace", "2013-01-05", "by_airlin", "flights"], "no summary 'by_airlin'; did you mean 'by_airline'?"),
        (["trace", "2013-01-05", "by_day", "flihgts"], "no column 'flihgts'; did you mean 'flights'?"),
        (["trace", "2013-01-05", "by_airline", "flights", "carier=AA"], "; did you mean 'carrier'?"),
        (["why", "2013-13-05"], "2013-13-05 is not a day; expected YYYY-MM-DD, such as 2013-01-05; nothing was done"),
        (["why", "20130105"], "20130105 is not a day"),
        (["why"], "daybook why: Missing argument 'DAY'"),
        (["why", "2013-01-05", "2013-01-06"], "daybook why: Got unexpected extra argument"),
        (["day", "9999-12-31"], "9999-12-31 is not over yet in America/New_York"),
        (["day", "2030-01-01"], "2030-01-01 is not over yet in America/New_York; expected 2013-12-31 or before"),
        (["day", "0001-01-01"], "0001-01-01 is before the schedule's first day, 2013-01-01; nothing was done"),
        (["replay", "2026-11-25"], "2026-11-25 is after the schedule's last day, 2013-12-31; nothing was done"),
        (["release", "2014-01-01"], "2014-01-01 is after the schedule's last day, 2013-12-31; nothing was done"),
        (["plan", "--from", "2012-12-31"], "2012-12-31 is before the schedule's first day, 2013-01-01"),
        (["plan", "--to", "9999-12-31"], "9999-12-31 is not over yet in America/New_York"),
        (["backfill", "--to", "2014-01-01"], "2014-01-01 is after the schedule's last day, 2013-12-31"),
        (["plan", "--from", "2013-01-02", "--to", "2013-01-01"], "is before the first"),
        (["plan", "--limit", "0"], "0: expected a whole number over 0"),
        (["backfill", "--batch", "two"], "two: expected a whole number over 0"),
        (["up", "--ui-port", "http"], "daybook up: Invalid value for '--ui-port'"),
        (["release", "2013-01-05"], "release: --why is not given"),
        (["release", "--why", "x"], "release: give one DAY, or --from DAY and --to DAY; nothing was done"),
        (["release", "--from", "2013-01-05", "--why", "x"], "release: give one DAY, or --from DAY and --to DAY"),
        (["release", "2013-01-05", "--to", "2013-01-06", "--why", "x"], "release: give one DAY, or --from DAY and"),
        (["release", "--from", "2013-01-02", "--to", "2013-01-01", "--why", "x"], "is before the first"),
        (["release", "--from", "2013-01-01", "--to", "2013-01-02"], "release: --why is not given"),
        (["replay", "2013-01-05"], "replay: expected a FILE with mended rows, or --withdraw"),
        (["check", "nowhere.csv"], "nowhere.csv: No such file or directory"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_a_wrong_word_is_one_line_and_starts_nothing(
    words: list[str], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == exit_codes.WRONG_WORDS
    printed = capsys.readouterr()
    assert said in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert not home.exists()


def test_a_wrong_name_tells_of_a_broken_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(load_pipelines().broken, "include/pipelines/tides.py", "line 3: a typo")
    assert main(["status", "-p", "tides"]) == exit_codes.WRONG_WORDS
    assert "include/pipelines/tides.py is broken: line 3: a typo" in capsys.readouterr().err


def test_the_document_has_every_verb_and_every_exit_code() -> None:
    cells = re.findall(r"^\| (`.*?) \| ", DOCUMENT, re.MULTILINE)
    # A verb that is typed in two ways has two lines.
    assert set(re.findall(r"`(\w+)", " ".join(cells))) == set(VERBS)
    table = dict(re.findall(r"^\| (\d+) \| (.*?) \|$", DOCUMENT, re.MULTILINE))
    assert table == {str(code): meaning for code, meaning in exit_codes.MEANINGS.items()}
