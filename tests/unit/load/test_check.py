"""`./daybook check FILE`: what it prints, writes and exits with."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands.__main__ import main
from daybook.loader.limits import HINTS

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
        "clean, as of 2013-01-01 (from its name): 39 rows, 39 kept\n"
        "index: 39 rows, 39 kept\n"
        "index: not checked against airlines, planes; --lookup NAME=FILE gives a lookup's rows as CSV\n"
        "whether the day would be held as implausible is not known: only the ledger has the days before it\n"
        "\n"
        "step  reason          column    rows\n"
        "load  not_an_integer  dep_time  1\n"
        "load  too_few_fields            1\n"
        "not_an_integer: spellings of nothing may be undeclared (null_tokens), or the column may hold decimals; if "
        'they are zeros, declare extra_zeros="ignore"\n'
        f"too_few_fields: {HINTS['too_few_fields']}\n"
        "\n"
        "step  line  reason          column\n"
        "load  5     not_an_integer  dep_time\n"
        "load  7     too_few_fields\n"
    )


def test_json_has_every_line(flights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(flights), "--pipeline", "flights", "--json"]) == 10
    found = json.loads(capsys.readouterr().out)
    assert (found["exit_code"], found["rows"], found["accepted"], found["empty_lines"]) == (10, 41, 39, 1)
    first = {"line": 5, "column": "dep_time", "reason": "not_an_integer", "lines": 1, "step": "load"}
    assert found["lines"][0] == first
    hint = HINTS["too_few_fields"]
    assert found["reasons"][1] == {
        "step": "load",
        "reason": "too_few_fields",
        "column": None,
        "rows": 1,
        "lines": 1,
        "hint": hint,
    }


def test_out_holds_the_accepted_rows_and_the_refused_with_their_values(flights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["check", str(flights), "--pipeline", "flights", "--out", str(out)]) == 10
    accepted, refused = (out / f"flights_2013-01-01.{which}.csv" for which in ("accepted", "refused"))
    assert sorted(out.iterdir()) == [accepted, refused]
    assert len(accepted.read_text().splitlines()) == 40
    assert "\"'canary' is not an integer\"" in refused.read_text()
    assert main(["check", str(accepted), "--columns", HEADER]) == 0


def swallowed(tmp_path: Path, rows: int) -> Path:
    """Return a file in which two stray quotes make one record of all rows but two, and of 200,000 good rows."""
    file = tmp_path / "f.csv"
    stray, good = '0,"a long name of some kind,b\n', "1,a long name of some kind,b\n"
    file.write_text("id,name,note\n" + stray + good * (rows - 2) + stray + "1,a,b\n" * 200_000)
    return file


def test_a_record_of_many_lines_counts_by_its_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(swallowed(tmp_path, 100))]) == 10
    assert capsys.readouterr().out == (
        "f.csv: 200,001 rows, 200,000 accepted, 1 record of 100 lines refused, 0 empty lines\n"
        "\n"
        "reason                    column  rows  lines\n"
        "text_after_closing_quote          1     100\n"
        f"text_after_closing_quote: {HINTS['text_after_closing_quote']}\n"
        "\n"
        "line      reason                    column\n"
        "2 to 101  text_after_closing_quote\n"
    )
    assert main(["check", str(tmp_path / "f.csv"), "--json"]) == 10
    found = json.loads(capsys.readouterr().out)
    assert (found["refused"], found["refused_lines"], found["lines"][0]["lines"]) == (1, 100, 100)


def test_many_lines_in_one_record_refuse_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = swallowed(tmp_path, 900)
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:6000]))
    assert main(["check", str(file)]) == 20
    message = capsys.readouterr().out.splitlines()[0]
    assert "900 of 5,999 lines are refused, limit 29 (text_after_closing_quote: 1 record of 900 lines)" in message


def test_every_line_is_in_the_accepted_or_in_the_refused_rows(tmp_path: Path) -> None:
    """Also where one refused record has more bytes than a single line may keep."""
    file = swallowed(tmp_path, 150)
    rows = [f"{row}{'x' * 500}" for row in file.read_text().splitlines()[1:]]
    file.write_text("\n".join(["id,name,note", *rows, ""]))
    main(["check", str(file), "--out", str(tmp_path)])
    accepted = (tmp_path / "f.accepted.csv").read_text().splitlines()
    refused = (tmp_path / "f.refused.csv").read_text().replace('""', '"')
    assert len(accepted) - 1 + 150 == len(rows)
    assert "\n".join(rows[:150]) in refused


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


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b]0;canary\x07.csv", r"\x1b]0;canary\x07.csv"),
        ("a\u202evsc.exe", r"a\u202evsc.exe"),
        ("a\nb.csv", r"a\nb.csv"),
        ("a\x9b31m.csv", r"a\x9b31m.csv"),
        ("a\udcff.csv", r"a\udcff.csv"),
    ],
)
@pytest.mark.parametrize("content", ["a,b\n1,2\n", "", "a,\x1b[31mb\x1b[0m\n1\n", "a,\u202eb,\u202eb\n1,2,3\n"])
def test_a_name_from_outside_rules_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, shown: str, content: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    for words in ([], ["--pipeline", "flights"]):
        main(["check", str(file), *words])
        printed = capsys.readouterr().out
        assert shown in printed
        assert printed.replace("\n", "").isprintable()


def test_the_name_of_a_file_that_is_not_there_rules_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "\x1b[31mnowhere\u202e.csv"]) == 2
    printed = capsys.readouterr().err
    assert r"\x1b[31mnowhere\u202e.csv: No such file" in printed
    assert printed.replace("\n", "").isprintable()


def written(tmp_path: Path, content: str | bytes) -> str:
    """Write a file, and return its path as a word of the command."""
    file = tmp_path / "f.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(file)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ("a,b,b", "check: --columns names 'b' twice"),
        ("a,,b,", "check: --columns names '' twice"),
        ("", "check: --columns names no column"),
        (",,", "check: --columns names no column"),
        (" ", "check: --columns names no column"),
    ],
)
def test_columns_that_no_file_can_have_are_a_bad_spec(
    tmp_path: Path, columns: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", written(tmp_path, "a,b\n1,2\n"), "--columns", columns]) == 40
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("header", ["", ",,", ",", " , ", '"",""'])
def test_a_first_line_of_delimiters_only_names_no_column(
    tmp_path: Path, header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([], ["--columns", "a,b"]):
        assert main(["check", written(tmp_path, f"{header}\n1,2\n"), *words]) == 20
        assert "f.csv: line 1 names no column" in capsys.readouterr().out


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("header", ['"id"{}"name"', 'id{}"name"', '"id"{}name', "id{}name"])
def test_another_delimiter_is_named_also_if_the_names_are_in_quotes(
    tmp_path: Path, delimiter: str, header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, f"{header}\n{header}\n".format(delimiter, delimiter).replace("\nid", "\n1"))
    assert main(["check", file, "--columns", "id,name"]) == 20
    assert f"the delimiter is {delimiter!r}, ',' agreed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id;name\n1;x\n2;y\n", "';' stands once on every line: it may be the delimiter; say --delimiter ';'"),
        ("a\tb\tc\n1\t2\t3\n", "'\\t' stands 2 times on every line"),
        ("id|name\n1|x\n", "'|' stands once on every line"),
        ('id;name\n1;"a;b"\n', "';' stands once on every line"),
        ("id||name\n1||x\n", "'||' stands once on every line: it may be the delimiter; say --delimiter '||'"),
        ("id   name\n1    ann\n22   bob\n", "it may have columns of fixed width"),
    ],
)
def test_one_column_with_a_sign_on_every_line_is_a_warning(
    tmp_path: Path, content: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["check", written(tmp_path, content)])
    out = capsys.readouterr().out
    assert (code, says in out) == (1, True) or '"' in content


def test_a_delimiter_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, 'id;"name"\n1;x\n2;y;z\n3;w\n')
    assert main(["check", file, "--delimiter", ";"]) == 10
    assert "3 rows, 2 accepted, 1 refused" in capsys.readouterr().out
    assert main(["check", file, "--delimiter", "|a|"]) == 40
    assert "none a letter, digit, quote or line end" in capsys.readouterr().err
    assert main(["check", file, "--delimiter", ";", "--pipeline", "flights"]) == 2


NEEDS_A_WORD = {
    "--encoding cp1252": "id,name\n1,Zürich\n".encode("cp1252"),
    "--encoding utf-16": "id,name\n1,Zürich\n".encode("utf-16"),
    "--header-line 3": b"Sales\n\nid,name\n1,x\n",
    "--no-header": b"1,x\n",
    "--quote '": b"id,name\n1,'x,y'\n",
    "--no-quotes": b'id,name\n1,x"y\n',
    "--escape \\": b'id,name\n1,"x\\"y"\n',
    "--line-end crcrlf": b"id,name\r\r\n1,x\r\r\n",
    "--may-end-early": b"id,name\n1\n",
    "--blanks-after-delimiter": b'id, name\n1, "x"\n',
    "--delimiter ||": b"id||name\n1||x\n",
    "--lines-below-header 1": b"id,name\nkg,m,\n1,x\n",
    "--comment #": b"# made by x\nid,name\n1,x\n",
    "--footer-lines 1": b"id,name\n1,x\n(1 row)\n",
    "--footer TRL.*": b"id,name\n1,x\nTRL 1\n",
    "--no-last-line-end": b"id,name\n1,x",
    "--trailing-delimiter": b"id,name,\n1,x,\n",
    "--compression gzip": gzip.compress(b"id,name\n1,x\n", mtime=0),
    "--delimiter ; --encoding cp1252 --header-line 2": "Läden\nid;name\n1;Zürich\n".encode("cp1252"),
}


@pytest.mark.parametrize("words", NEEDS_A_WORD)
def test_the_form_can_be_said(tmp_path: Path, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, NEEDS_A_WORD[words])
    for columns in ([], ["--columns", "id,name"]):
        assert main(["check", file, *columns]) != 0
        capsys.readouterr()
        assert main(["check", file, *words.split(), *columns]) == 0
        assert "1 rows, 1 accepted, 0 refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--encoding idna", "encoding: 'idna' is refused: it is for names of hosts"),
        ("--encoding utf8x", "encoding: 'utf8x' is refused: Python knows no such encoding of text"),
        ("--header-line -1", "header_line: -1 is refused"),
        ("--compression gz", "compression: 'gz' is refused: it takes 'none', 'gzip' or 'zip'; did you mean 'gzip'?"),
    ],
)
def test_the_spec_checks_the_words_of_the_form(
    tmp_path: Path, words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, "id,name\n1,x\n")
    assert main(["check", file, *words.split()]) == 40
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("words", [*NEEDS_A_WORD, "--null-token NA", "--null-token NA --null-token -"])
def test_a_pipeline_has_a_form_of_its_own(tmp_path: Path, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "id,name\n1,x\n")
    assert main(["check", file, "--pipeline", "flights", *words.split()]) == 2
    given = ", ".join(dict.fromkeys(word for word in words.split() if word.startswith("--")))
    assert f"check: {given} is not allowed with --pipeline, whose spec has it" in capsys.readouterr().err


def test_spellings_of_a_missing_value_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "id,name\n1,NA\n2,NA\nNA,-\n")
    assert main(["check", file, "--null-token", "NA", "--null-token", "-"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "'NA' stands for a missing value in 2 fields of 'name'",
        "'NA' stands for a missing value in 1 field of 'id'",
        "'-' stands for a missing value in 1 field of 'name'",
    ]


@pytest.mark.parametrize(
    ("content", "warns"),
    [
        ("1,x,2.5\n2,y,3.5\n3,z,4.5\n", True),
        ("2013-01-05,a\n2013-01-06,b\n", True),
        ("ann,05/01/2013\nbob,06/01/2013\n", True),
        ("-5\n7\n", True),
        ("id,name\n1,x\n", False),
        ("one;two\n", False),
        ("name\nx\ny\n", False),
        ("a1,b-2,c.3\n1,2,3\n", False),
    ],
)
def test_a_first_line_that_looks_like_a_row_is_a_warning(
    tmp_path: Path, content: str, warns: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", written(tmp_path, content)]) == (1 if warns else 0)
    assert ("line 1 was taken for the header" in capsys.readouterr().out) == warns
    assert main(["check", written(tmp_path, content), "--json"]) == (1 if warns else 0)
    assert bool(json.loads(capsys.readouterr().out)["warnings"]) == warns


def test_a_column_may_be_called_line(tmp_path: Path) -> None:
    content = 'line,line_,stop\n1,a,"ab"\n2,b,c\n'
    assert main(["check", written(tmp_path, content), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "f.accepted.csv").read_text() == '"line","line_","stop"\n"1","a","ab"\n"2","b","c"\n'
