"""`./daybook check` on files that are no CSV: it reads them, proposes their words, and none that only CSV has."""

import gzip
import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from commands.__main__ import main
from commands.check_file import check
from commands.check_proposals import proposals
from daybook.spec import File, Form, day_date, decimal, integer
from tests.support.workbooks import workbook

ROWS = [[1, "12,50", "05.03.2024"], [2, "1,25", "31.03.2024"], [3, "7,00", "01.04.2024"]]
NAMES = ["id", "amount", "day"]
LINES = "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in ROWS).encode()


def parquet() -> bytes:
    """Return the rows as Parquet."""
    file = io.BytesIO()
    pq.write_table(pa.table(list(zip(*ROWS, strict=True)), NAMES), file)
    return file.getvalue()


def two_sheets() -> bytes:
    """Return the rows as the second sheet of a workbook."""
    book = openpyxl.load_workbook(io.BytesIO(workbook([NAMES, *ROWS])))
    book.create_sheet("Notes", 0).append(["see Sales"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


FILES: dict[str, tuple[bytes, str]] = {
    "json_lines": (LINES, 'form=Form(format="json_lines")'),
    "packed": (gzip.compress(LINES, mtime=0), 'form=Form(format="json_lines", compression="gzip")'),
    "parquet": (parquet(), 'form=Form(format="parquet")'),
    "xlsx": (workbook([NAMES, *ROWS]), 'form=Form(format="xlsx")'),
    "two sheets": (two_sheets(), 'form=Form(format="xlsx", sheet="Sales")'),
}


def source(form: Form, **words: Any) -> File:
    """Return a contract by which the file's texts are not written."""
    columns = (integer("id"), decimal("amount", digits=9, scale=2), day_date("day"))
    return File(name="f", connection="c", path="f", columns=columns, form=form, **words)


@pytest.mark.parametrize("name", FILES)
def test_a_file_taken_for_CSV_is_told_its_format_and_the_words_of_its_texts(name: str, tmp_path: Path) -> None:
    content, form = FILES[name]
    file = tmp_path / "f"
    file.write_bytes(content)
    contract = source(Form(), delimiter=";")
    (proposal,) = proposals(file, contract, check(file, contract, None), has_own_columns=False)
    assert (proposal.accepted, proposal.rows) == (3, 3)
    assert proposal.words == (
        f'delimiter=",", {form}, column "amount": decimal_mark=",", column "day": format="%d.%m.%Y"'
    )


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_read_by_its_own_columns(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, form = FILES[name]
    file = tmp_path / "f"
    file.write_bytes(content)
    words = [f"--{word}={value}" for word, value in eval(form.removeprefix("form="), {"Form": dict}).items()]  # noqa: S307
    assert main(["check", str(file), *words, "--out", str(tmp_path)]) == 0
    assert "f: 3 rows, 3 accepted, 0 refused" in capsys.readouterr().out
    assert '1,"12,50",05.03.2024' in (tmp_path / "f.accepted.csv").read_text().replace('"1"', "1").replace(
        '"05.03.2024"', "05.03.2024"
    )


def test_values_with_a_type_are_no_wrong_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "f.xlsx"
    now = datetime(2024, 3, 5, 6)  # noqa: DTZ001
    rows = [["a", "b", "c", "d"], [1, True, date(2024, 3, 5), now], [2.5, False, None, now]]
    file.write_bytes(workbook(rows))
    assert main(["check", str(file), "--format", "xlsx"]) == 0
    assert "2 rows, 2 accepted" in capsys.readouterr().out
    file.write_bytes(workbook([*rows, *rows[1:], [3, True, "31.03.2024", now]]))
    assert main(["check", str(file), "--format", "xlsx"]) == 10
    printed = capsys.readouterr().out
    assert 'with column "c": format="%d.%m.%Y" in its spec, 5 of 5 rows load' in printed


def test_a_refused_row_is_written_as_JSON_and_no_value_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.jsonl"
    file.write_bytes(LINES + b'{"id": 4, "id": "canary"}\n')
    assert main(["check", str(file), "--format", "json_lines", "--out", str(tmp_path)]) == 10
    printed = capsys.readouterr()
    assert "repeated_key" in printed.out
    assert "canary" not in printed.out + printed.err
    assert "canary" in (tmp_path / "f.refused.csv").read_text()


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (["--format", "xlsx"], "which sheet? declare sheet; the workbook has 'Notes', 'Sales'", 20),
        (["--format", "xlsx", "--sheet", "sales"], "no sheet 'sales'; did you mean 'Sales'?", 20),
        (["--format", "parquet"], 'it is a workbook (Excel or OpenDocument), format="parquet" agreed', 20),
        (["--format", "xls"], "'xls' is refused", 40),
        (["--format", "xlsx", "--no-quotes"], "quote: None is refused: it is for csv", 40),
        (["--pipeline", "flights", "--sheet", "x"], "--sheet is not allowed with --pipeline", 2),
    ],
)
def test_a_wrong_word_about_the_format_is_told(
    words: list[str], says: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f"
    file.write_bytes(two_sheets())
    assert main(["check", str(file), *words]) == code
    printed = capsys.readouterr()
    assert says in printed.out + printed.err
