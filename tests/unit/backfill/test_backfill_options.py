"""The words of `airflow dags backfill`: every option of Airflow 2.10 is used, ignored with a word, or refused."""

from typing import Any

import pytest

from daybook_airflow.backfill.options import OPTIONS, BadBackfill, Option, Request, parse

# The flags of Airflow 2.10, as its `airflow dags backfill --help` lists them.
AIRFLOW_2_10 = """
    -c --conf  --continue-on-failures  --delay-on-limit  --disable-retry  -x --donot-pickle  -n --dry-run  -e --end-date
    -i --ignore-dependencies  -I --ignore-first-depends-on-past  -l --local  -m --mark-success  --pool
    --rerun-failed-tasks  --reset-dagruns  -B --run-backwards  -s --start-date  -S --subdir  -t --task-regex
    --treat-dag-as-regex  --treat-dag-id-as-regex  -v --verbose  -y --yes
"""
NEW_HERE = "--batch --max-active-runs --wait"


def typed(option: Option) -> list[str]:
    return [option.flags[-1], "1"] if option.value else [option.flags[-1]]


def test_every_option_of_airflow_2_is_accounted_for() -> None:
    flags = [flag for option in OPTIONS for flag in option.flags]
    assert sorted(flags) == sorted([*AIRFLOW_2_10.split(), *NEW_HERE.split()])


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.fate == "ignored"], ids=lambda option: option.word
)
def test_an_ignored_option_changes_nothing_and_is_reported(option: Option) -> None:
    request = parse([*typed(option), "flights"])
    assert request == Request("flights", ignored=(option,))


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.fate == "refused"], ids=lambda option: option.word
)
def test_a_refused_option_says_why(option: Option) -> None:
    with pytest.raises(BadBackfill) as refused:
        parse([*typed(option), "flights"])
    assert option.flags[-1] in str(refused.value)
    assert option.says in str(refused.value)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("-s 2013-01-01 -e 2013-01-07 flights", {"start": "2013-01-01", "end": "2013-01-07"}),
        ("flights --start-date=2013-01-01", {"start": "2013-01-01"}),
        ("flights -n", {"is_dry_run": True}),
        ("flights --dry-run", {"is_dry_run": True}),
        ("flights -c {}", {"conf": "{}"}),
        ("flights --rerun-failed-tasks", {"reprocess": "failed"}),
        ("flights --reset-dagruns", {"reprocess": "completed"}),
        ("flights --reset-dagruns --rerun-failed-tasks", {"reprocess": "completed"}),
        ("flights -B", {"is_backwards": True}),
        ("flights -y", {"is_agreed": True}),
        ("flights -v", {"is_verbose": True}),
        ("flights --wait", {"is_waiting": True}),
        ("flights --max-active-runs 2", {"max_active_runs": 2}),
        ("flights --batch 30", {"batch": 30}),
    ],
)
def test_used_options_are_read_as_airflow_2_read_them(words: str, asked: dict[str, Any]) -> None:
    assert parse(words.split()) == Request("flights", **asked)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "the following arguments are required: dag_id"),
        ("flights --frobnicate", "unrecognized arguments: --frobnicate"),
        ("flights -s", "expected one argument"),
        ("flights --max-active-runs 0", "--max-active-runs 0: expected a whole number over 0"),
        ("flights --max-active-runs two", "--max-active-runs two: expected a whole number over 0"),
    ],
)
def test_a_wrong_command_is_one_line(words: str, says: str) -> None:
    with pytest.raises(BadBackfill, match=says) as wrong:
        parse(words.split())
    assert "\n" not in str(wrong.value)


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(["--help"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    assert all(flag in shown for option in OPTIONS for flag in option.flags)
