"""The file in which a person mends refused rows: what is written comes back as it was, whatever it holds."""

import csv
import io
import stat
from pathlib import Path

import pyarrow as pa
import pytest

from daybook.errors import BadData, BadSpec
from daybook.refused.file import COLUMNS, Filled, read_filled, record_of, write_refused, written
from daybook.refused.rows import STEP_SCHEMA

SHA = "a" * 64
NASTY = [
    b"2013,1,5,x",
    b'a,"two\nlines","c""d"',
    b"Caf\xe9,\x00\x1b",
    b"=cmd|'/c calc'!A1,2",
    b"'=1",
    b"-5",
    b"\ttab,first",
    "Zoë,日本".encode(),
    b"lone\rreturn",
    b"a\\x41,b",
    b"",
]


def refused(*raw: bytes) -> pa.Table:
    """Return refused rows of these bytes, on lines from 2 on."""
    lines = range(2, 2 + len(raw))
    rows = [
        ("load", "sales", line, "id", "not_an_integer", "'x' is", one) for line, one in zip(lines, raw, strict=True)
    ]
    return pa.table(dict(zip(STEP_SCHEMA.names, zip(*rows, strict=True), strict=True)), schema=STEP_SCHEMA)


def cells(file: Path) -> list[dict[str, str]]:
    """Return the rows of a written file as another program reads them."""
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))


def copied(file: Path, delimiter: str = ",", encoding: str = "utf-8-sig") -> Path:
    """Fill `mended` with what stands in `raw`, and save the file as a spreadsheet would."""
    rows = [row | {"mended": row["raw"]} for row in cells(file)]
    saved = io.StringIO(newline="")
    lines = csv.DictWriter(saved, COLUMNS, delimiter=delimiter)
    lines.writeheader()
    lines.writerows(rows)
    file.write_bytes(saved.getvalue().encode(encoding))
    return file


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_raw_bytes_that_are_copied_come_back_as_they_were(tmp_path: Path, delimiter: str, encoding: str) -> None:
    file = tmp_path / "refused.csv"
    write_refused(file, refused(*NASTY), {"sales": SHA})
    filled = read_filled(copied(file, delimiter, encoding))
    assert [one.row for one in filled] == list(range(2, 1 + len(NASTY)))
    assert [record_of(one.mended, raw) for one, raw in zip(filled, NASTY, strict=False)] == NASTY[:-1]


def test_the_file_is_its_owners_only_and_has_a_column_to_fill(tmp_path: Path) -> None:
    file = tmp_path / "refused.csv"
    write_refused(file, refused(b"x,1"), {"sales": SHA})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cells(file) == [
        {
            "source": "sales",
            "line": "2",
            "step": "load",
            "column": "id",
            "reason": "not_an_integer",
            "detail": "'x' is",
            "raw": "x,1",
            "mended": "",
            "file_sha256": SHA,
        }
    ]
    assert read_filled(file) == []


@pytest.mark.parametrize("raw", NASTY)
def test_no_cell_begins_as_a_formula_does(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "refused.csv"
    write_refused(file, refused(raw), {"sales": SHA})
    assert not [cell for cell in cells(file)[0].values() if cell[:1] in tuple("=+-@\t\r")]


def test_bytes_that_are_no_text_are_written_as_escapes() -> None:
    assert written(b"Caf\xeb,\x00") == "Caf\\xEB,\\x00"


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "refused.csv"
    file.write_text("an afternoon's work")
    with pytest.raises(BadSpec, match="it is there already"):
        write_refused(file, refused(b"x,1"), {"sales": SHA})
    assert file.read_text() == "an afternoon's work"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="No such file or directory; nothing was written"):
        write_refused(tmp_path / "none" / "refused.csv", refused(b"x,1"), {"sales": SHA})


HEADER = "source,line,raw,mended,file_sha256\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has no column 'source', 'line', 'mended', 'file_sha256'"),
        (b"source,line,raw\n", "it has no column 'mended', 'file_sha256'"),
        (f"{HEADER}sales,2,x,canary,with,commas,{SHA}\n".encode(), "row 2: 7 cells, 5 expected"),
        (f"{HEADER}sales,2,x\n".encode(), "row 2: 3 cells, 5 expected"),
        (f'{HEADER}sales,2,x,"canary,{SHA}\n'.encode(), "it is not a whole CSV file"),
        ((HEADER + "sales,2,x,Zoë canary").encode("cp1252"), "it is not UTF-8"),
        (HEADER.encode("utf-16"), "it is not UTF-8"),
    ],
)
def test_what_is_no_such_file_is_refused_without_a_value(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "mended.csv"
    file.write_bytes(content)
    with pytest.raises(BadData) as caught:
        read_filled(file)
    assert str(caught.value).startswith("mended.csv")
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="No such file or directory; nothing was kept"):
        read_filled(tmp_path / "mended.csv")


def test_line_ends_behind_a_mended_record_are_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "mended.csv"
    file.write_text(f'{HEADER}sales,2,x,"1,Ann\r\n",{SHA}\nsales,3,x,  ,{SHA}\n', newline="")
    assert read_filled(file) == [Filled(2, "sales", "2", SHA, "1,Ann")]
