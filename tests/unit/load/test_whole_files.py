"""The catalogue of bad input, C48 to C69: files that are empty, cut, packed, of another kind, or too large."""

import gzip
import io
import zipfile
from typing import Any

import pytest

from daybook.spec import Form, Limits, text
from tests.support.drawn import PEOPLE, SALES, loaded, refusal, sales, with_columns


def test_C48_an_empty_file_is_refused() -> None:
    assert refusal(b"") == "people: the file is empty (0 bytes); have it delivered again, or declare may_be_empty=True"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_C49_a_header_alone_is_no_rows(end: str) -> None:
    result = loaded(f"id,name{end}".encode())
    assert (result.kept, result.refused) == ([], [])


@pytest.mark.parametrize(
    "stump", [b"40,00040,name40,40.50,5,202", b"40,00040,name40,40.50,5,2026-01-13,a no", b'40,"x', b"40,x\r"]
)
def test_C51_a_last_line_without_a_line_end_is_refused(stump: bytes) -> None:
    result = loaded(sales(count=39) + stump, SALES)
    assert result.refused == [(41, None, "no_line_end")]
    assert result.raw == [stump]
    assert len(result.kept) == 39


def test_C51_it_is_taken_where_that_is_declared() -> None:
    declared = with_columns(*PEOPLE.columns, form=Form(is_last_line_end_needed=False))
    assert loaded(b"id,name\n1,ann\n2,bob", declared).column("name") == ["ann", "bob"]
    assert loaded(b'id,name\n1,ann\n2,"bob', declared).refused == [(3, None, "open_quote")]


def test_C54_gzip_is_named_unless_declared() -> None:
    file = gzip.compress(sales(), mtime=0)
    assert 'it is gzip data, CSV agreed; declare compression="gzip"' in refusal(file, SALES)
    declared = with_columns(*SALES.columns, form=Form(compression="gzip"))
    assert len(loaded(file, declared).kept) == 40
    two_members = gzip.compress(b"id,", mtime=0) + gzip.compress(b"name\n1,x\n", mtime=0)
    assert len(loaded(two_members, with_columns(*PEOPLE.columns, form=declared.form)).kept) == 1
    assert "the packed data are damaged" in refusal(sales(), declared)


def test_C55_gzip_that_ends_early_is_refused() -> None:
    declared = with_columns(*SALES.columns, form=Form(compression="gzip"))
    packed = gzip.compress(sales(count=5000), mtime=0)
    assert "the packed data end early" in refusal(packed[: len(packed) // 2], declared)
    assert "the packed data end early" in refusal(packed[:-4], declared)
    damaged = packed[:-8] + bytes(4) + packed[-4:]
    assert "the packed data are damaged" in refusal(damaged, declared)


def zipped(**members: bytes) -> bytes:
    """Return a zip of files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_C56_G14_a_zip_of_one_file_is_read_where_it_is_declared() -> None:
    assert 'it is a zip file, CSV agreed; declare compression="zip"' in refusal(zipped(sales=sales()), SALES)
    declared = with_columns(*SALES.columns, form=Form(compression="zip"))
    assert len(loaded(zipped(sales=sales()), declared).kept) == 40
    assert "the zip holds 2 files ('a', 'b'), 1 agreed" in refusal(zipped(a=sales(), b=b""), declared)
    assert "it is a zip file" in refusal(zipped(a=zipped(b=sales())), declared)
    assert "it is not a whole zip file" in refusal(zipped(a=sales())[:-30], declared)
    damaged = bytearray(zipped(a=sales(count=3000)))
    damaged[len(damaged) // 2] ^= 255
    assert "the packed data are damaged" in refusal(bytes(damaged), declared)


def test_C56_G14_an_encrypted_zip_is_refused() -> None:
    file = bytearray(zipped(a=sales()))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        file[file.index(mark) + offset] |= 1
    declared = with_columns(*SALES.columns, form=Form(compression="zip"))
    assert "the zip is encrypted" in refusal(bytes(file), declared)


@pytest.mark.parametrize("compression", ["gzip", "zip"])
def test_C56_G14_what_unpacks_to_too_much_is_refused(compression: Any) -> None:
    bomb = b"id,name\n" + b"1,x\n" * 5_000_000
    packed = gzip.compress(bomb, mtime=0) if compression == "gzip" else zipped(a=bomb)
    form = Form(compression=compression)
    assert "more than 200 times its size" in refusal(packed, with_columns(*PEOPLE.columns, form=form))
    few = with_columns(*PEOPLE.columns, form=form, limits=Limits(unpacked_times=10_000, unpacked_bytes=1_000_000))
    assert "more than 1,000,000 bytes" in refusal(packed, few)


@pytest.mark.parametrize("start", ["<!DOCTYPE html>\n<html>", "<html>", "\n\n <HTML lang='en'>"])
def test_C57_an_HTML_page_is_named_with_its_title(start: str) -> None:
    page = f"{start}<head><title>403 Forbidden</title></head><body>no</body></html>\n"
    assert "it is an HTML page with the title '403 Forbidden', CSV agreed" in refusal(page.encode())


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b'{"error": "no"}', "JSON"),
        (b'[{"id": 1}]', "JSON"),
        (b'<?xml version="1.0"?><r/>', "XML"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (b"ID;PWXL;N;E\r\nP;PGeneral\r\n", "a SYLK file"),
        (b"ID;PSCALC3\nB;X2;Y3\n", "a SYLK file"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n", "a web archive"),
        (b'<rows xmlns="x">\n<row a="1"/>', "XML"),
        (b"<data>\n<row/>", "XML"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"\x28\xb5\x2f\xfd\x24", "zstandard data"),
        (zipped(**{"[Content_Types].xml": b"", "xl/workbook.xml": b""}), "a workbook"),
    ],
)
def test_C58_other_kinds_of_file_are_named(start: bytes, kind: str) -> None:
    assert f"it is {kind}" in refusal(start)


@pytest.mark.parametrize(
    "start",
    [
        '<table border="1">\n<tr><td>1</td></tr>',
        "<TABLE BORDER=1>\n<TR><TD>1</TD></TR>",
        '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">\n<html>',
        "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>",
        "<!-- saved from a page -->\n<html>",
        "<tr><td>1</td></tr>",
        '<meta charset="utf-8">',
        "\n<div class='x'>",
    ],
)
def test_C57_a_page_or_a_part_of_one_is_named(start: str) -> None:
    assert "it is an HTML page, CSV agreed" in refusal(f"{start}\n".encode())
    by_its_own_line = with_columns(text(start.strip().partition("\n")[0], "c"))
    assert "it is an HTML page, CSV agreed" in refusal(f"{start}\n".encode(), by_its_own_line)


@pytest.mark.parametrize("names", ["<TICKER>,<DATE>", "<title>,<p>", "<DATE>;<TIME>"])
def test_C57_names_in_angle_brackets_are_names(names: str) -> None:
    delimiter = names[names.index(">") + 1]
    source = with_columns(
        *(text(name, name.strip("<>").lower()) for name in names.split(delimiter)), delimiter=delimiter
    )
    assert len(loaded(f"{names}\na{delimiter}b\n".encode(), source).kept) == 1


def test_C58_a_column_that_begins_like_SYLK_is_a_column() -> None:
    source = with_columns(text("ID", "id"), text("PRICE", "price"), delimiter=";")
    assert len(loaded(b"ID;PRICE\nC;5\n", source).kept) == 1


def test_C56_what_a_Mac_adds_to_a_zip_is_no_member() -> None:
    declared = with_columns(*SALES.columns, form=Form(compression="zip"))
    of_a_mac = {"__MACOSX/._sales.csv": b"x", "a/.DS_Store": b"y", ".DS_Store": b"y", "a/._sales.csv": b"z"}
    assert len(loaded(zipped(**{"a/sales.csv": sales()}, **of_a_mac), declared).kept) == 40
    message = refusal(zipped(**{"a.csv": b"", "b\x1b.csv": b""}, **of_a_mac), declared)
    assert "the zip holds 2 files ('a.csv', 'b\\x1b.csv'), 1 agreed" in message
    assert "the zip holds 12 files ('0', '1', '2'" in refusal(zipped(**{str(n): b"" for n in range(12)}), declared)
    assert "the zip holds 0 files, 1 agreed" in refusal(zipped(**of_a_mac), declared)


@pytest.mark.parametrize("field", ["x" * 65_537, f'"{"x" * 65_537}"'])
def test_C67_G14_a_field_over_the_limit_is_refused_and_its_raw_bytes_are_cut(field: str) -> None:
    result = loaded(sales({5: f"4,4,{field},1.00,1,2026-01-01,n"}), SALES)
    assert result.refused == [(5, "name", "field_too_long")]
    assert len(result.raw[0]) == 2**16
    assert len(result.kept) == 39


def test_C67_G14_a_field_of_3_MB_is_refused_and_one_of_the_limit_is_kept() -> None:
    file = b"id,name\n1,ann\n2," + b"x" * 3_000_000 + b"\n3," + b"y" * 65_536 + b"\n"
    result = loaded(file)
    assert result.refused == [(3, "name", "field_too_long")]
    assert result.details == [
        "3,000,000 bytes, limit 65,536; the first 65,536 of its 3,000,002 bytes are kept here, the file has all"
    ]
    assert len(result.kept[1]["name"]) == 65_536


def test_C67_G14_a_line_without_an_end_is_not_followed_for_ever() -> None:
    assert "line 3: a line is longer than 4,194,304 bytes" in refusal(b"id,name\n1,ann\n2," + b"x" * 2**23 + b"\n3,z\n")


def test_C68_G14_ten_thousand_columns_are_refused_by_their_header() -> None:
    header = ",".join(["id", "name", *(f"c{n}" for n in range(9_998))])
    message = refusal(f"{header}\n1,2\n".encode())
    assert "the file has 10,000 columns, 2 agreed" in message
    assert len(message) < 2000


def test_C69_empty_lines_are_counted_and_lines_of_blanks_refused() -> None:
    result = loaded(b"id,name\n\n1,ann\n\r\n  \n2,bob\n3,eve\n \t \n\n")
    assert result.blank == 3
    assert result.refused == [(5, None, "only_blanks"), (8, None, "only_blanks")]
    assert result.column("line") == [3, 6, 7]


def test_C69_also_where_there_is_one_column_or_the_delimiter_is_a_tab() -> None:
    assert loaded(b"a\nx\n \n\ny\n", with_columns(text("a"))).refused == [(3, None, "only_blanks")]
    assert loaded(b"a\tb\n\t\n1\t2\n", with_columns(text("a"), text("b"), delimiter="\t")).column("a") == [None, "1"]
