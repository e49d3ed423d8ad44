"""`./daybook check FILE`: what it prints, writes and exits with."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands.__main__ import main

FLIGHT = "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z"
HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,"
    "dest,air_time,distance,hour,minute,time_hour"
)


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """Return a file of 41 flights, of which the ones on lines 5 and 7 are bad."""
    lines = [HEADER, *(FLIGHT.replace("1545", str(number)) for number in range(41))]
    lines[4] = FLIGHT.replace("517", "canary")
    lines[6] = "2013,1,1"
    file = tmp_path / "flights_2013-01-01.csv"
    file.write_text("\n".join(lines) + "\n\n")
    return file


def test_it_says_what_would_be_refused_where_and_why(flights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(flights), "--pipeline", "flights"]) == 10
    assert capsys.readouterr().out == (
        "flights_2013-01-01.csv: 41 rows, 39 accepted, 2 refused, 1 empty lines\n"
        "\n"
        "reason          column    rows\n"
        "not_an_integer  dep_time  1\n"
        "too_few_fields            1\n"
        "\n"
        "line  reason          column\n"
        "5     not_an_integer  dep_time\n"
        "7     too_few_fields\n"
    )


def test_json_has_every_line(flights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(flights), "--pipeline", "flights", "--json"]) == 10
    found = json.loads(capsys.readouterr().out)
    assert (found["exit_code"], found["rows"], found["accepted"], found["empty_lines"]) == (10, 41, 39, 1)
    assert found["lines"][0] == {"line": 5, "column": "dep_time", "reason": "not_an_integer"}
    assert found["reasons"][1] == {"reason": "too_few_fields", "column": None, "rows": 1}


def test_out_holds_the_accepted_rows_and_the_refused_with_their_values(flights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["check", str(flights), "--pipeline", "flights", "--out", str(out)]) == 10
    accepted, refused = (out / f"flights_2013-01-01.{which}.csv" for which in ("accepted", "refused"))
    assert sorted(out.iterdir()) == [accepted, refused]
    assert len(accepted.read_text().splitlines()) == 40
    assert "\"'canary' is not an integer\"" in refused.read_text()
    assert main(["check", str(accepted), "--columns", HEADER]) == 0


def test_text_is_written_as_it_was_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b'a,b\n,""\n"x ""y"",\nz",1+1\nNA,007\n')
    assert main(["check", str(file), "--out", str(tmp_path)]) == 0
    written = (tmp_path / "a.accepted.csv").read_bytes()
    assert written == b'"a","b"\n,""\n"x ""y"",\nz","1+1"\n"NA","007"\n'


def test_G16_what_a_spreadsheet_would_run_is_text_in_what_check_writes(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b'=a,b\n=1+1,a=1\n"\t@x",-1\n+1,"a\n-b"\n-5,1,1\n' + b"a,b\n" * 5)
    assert main(["check", str(file), "--out", str(tmp_path)]) == 10
    accepted, refused = (tmp_path / f"a.{which}.csv" for which in ("accepted", "refused"))
    lines = ['"\'=a","b"', '"\'=1+1","a=1"', '"\'\t@x","\'-1"', '"\'+1","a', '-b"', *['"a","b"'] * 5]
    assert accepted.read_text().splitlines() == lines
    assert refused.read_text().splitlines()[1].endswith('"\'-5,1,1"')


@pytest.mark.parametrize("words", [["--columns", "a,b"], []], ids=["named columns", "the file's own"])
def test_any_file_can_be_looked_at_as_text(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "any.csv"
    file.write_bytes(b"\xef\xbb\xbfb,a\n1,2\n3,4\n5\n")
    assert main(["check", str(file), *words]) == 10
    assert "3 rows, 2 accepted, 1 refused" in capsys.readouterr().out


def html(file: Path) -> None:
    """An error page."""
    file.write_text("<html><title>Log in</title></html>")


def no_bytes(file: Path) -> None:
    """Nothing."""
    file.write_bytes(b"")


def an_open_quote(file: Path) -> None:
    """A header whose quote is never closed."""
    file.write_text('a,"b\n1,2\n')


@pytest.mark.parametrize("written", [html, no_bytes, an_open_quote])
@pytest.mark.parametrize("words", [["--pipeline", "flights"], ["--columns", "a,b"], []])
def test_a_file_that_is_refused_as_a_whole_exits_with_20(written: Any, words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    written(file)
    assert main(["check", str(file), *words, "--out", str(tmp_path / "out")]) == 20
    assert not (tmp_path / "out" / "file.accepted.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.csv"], "nowhere.csv: No such file or directory; nothing was checked"),
        (["pyproject.toml", "--pipeline", "flight"], "flight: no such pipeline; did you mean 'flights'?"),
        (["pyproject.toml", "--pipeline", "flights.plane"], "did you mean 'flights.planes'?"),
    ],
)
def test_a_wrong_command_exits_with_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_table_of_the_pipeline_can_be_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "planes.csv"
    file.write_text("tailnum,seats\nN14228,55\n")
    assert main(["check", str(file), "--pipeline", "flights.planes"]) == 0


def test_no_value_is_printed(flights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--pipeline", "flights"], ["--pipeline", "flights", "--json"], ["--columns", "a,b"]):
        main(["check", str(flights), *words])
    printed = capsys.readouterr()
    assert "canary" not in printed.out + printed.err


def test_it_runs_as_a_command(flights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    command = [sys.executable, "-m", "commands", "check", str(flights), "--pipeline", "flights"]
    assert subprocess.run(command, capture_output=True).returncode == 10
