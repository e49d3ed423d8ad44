"""Thirty nasty files (evidence/reliability.md, 4.1), at which other loaders were seen to lose or change rows silently.

Each says what must become of it: the lines refused, or what the message of a refused file holds. All other rows must be
kept with their values.
"""

import gzip

import pytest

from tests.support.drawn import HEADER, SALES, loaded, refusal, sales, sales_lines

GOOD = loaded(sales(), SALES).kept


def row(number: int, **changes: str) -> str:
    """Return the good row of a number with other fields."""
    fields = dict(zip(HEADER.split(","), sales_lines()[number].split(","), strict=True)) | changes
    return ",".join(fields.values())


def reordered() -> bytes:
    """Return the file with its columns in another order."""
    return "".join(",".join(reversed(line.split(","))) + "\n" for line in sales_lines()).encode()


REFUSED_LINES = {
    "00 a clean file": (sales(), []),
    "01 line 3 has 12 fields": (sales({3: row(2) + ",,,,,"}), [3]),
    "02 line 11 has 4 fields": (sales({11: "10,00010,name10,10.50"}), [11]),
    "03 a byte order mark": (b"\xef\xbb\xbf" + sales(), []),
    "05 one row in Latin-1": (sales().replace(b"name5,", b"no\xebl,"), [6]),
    "06 one row in cp1252": (sales().replace(b"name9,", b"no\x80l,"), [10]),
    "07 a NUL byte in a text": (sales().replace(b"name7,", b"na\0e,"), [8]),
    "08 LF and CRLF in turn": (sales().replace(b"note\n2", b"note\r\n2"), []),
    "10 text after a closing quote": (sales({13: row(12, name='"na"me12"')}), [13]),
    "12 columns in another order": (reordered(), []),
    "13 decimal commas": (
        sales({5: row(4, amount='"1.234,56"'), 6: row(5, amount='"1,234.56"'), 7: row(6, amount='"99,5"')}),
        [5, 6, 7],
    ),
    "14 dates in other formats": (
        sales({n: row(n - 1, day=day) for n, day in enumerate(["02/01/26", "3-Jan-26", "20260104", "2026-02-30"], 5)}),
        [5, 6, 7, 8],
    ),
    "15 integers that are none": (
        sales({n: row(n - 1, qty=qty) for n, qty in enumerate(["1.0", "1.5", "1e3"], 5)} | {9: row(8, id="9" * 20)}),
        [5, 6, 7, 9],
    ),
    "16 words for nothing in amounts": (
        sales({n: row(n - 1, amount=amount) for n, amount in enumerate(["NA", "-", "nan"], 5)}),
        [5, 6, 7],
    ),
    "17 blanks round numbers": (sales({5: row(4, id=" 4", qty=" 4 ")}), []),
    "24 the last row cut in its date": (sales(count=40)[:-10], [41]),
    "26 inf, NaN, 1e400, three decimals": (
        sales({n: row(n - 1, amount=amount) for n, amount in enumerate(["inf", "NaN", "1e400", "12.345"], 5)}),
        [5, 6, 7, 8],
    ),
    "27 a field of 3 MB": (sales({5: row(4, note="x" * 3_000_000)}), [5]),
    "28 an empty line and a line of blanks": (sales({5: "", 6: "   "}), [6]),
    "09 a quote that is never closed": (sales({13: row(12, name='"name12')}), [13]),
}
REFUSED_FILES = {
    "04 UTF-16": ("\ufeff".encode("utf-16-le") + sales().decode().encode("utf-16-le"), "it is UTF-16, utf-8 agreed"),
    "29 the header again, and a footer": (
        sales({16: HEADER}) + b"TOTAL,,,820.00,,,\n",
        "the header is repeated 1 time",
    ),
    "11 a name twice": (
        sales({1: HEADER.replace("note", "name")}),
        "missing column 'note'; column 'name'",
    ),
    "18 another delimiter": (sales().replace(b",", b";"), "the delimiter is ';', ',' agreed"),
    "19 an HTML page": (b"<!doctype html><title>Log in</title>", "it is an HTML page with the title 'Log in'"),
    "20 gzip cut in half": (gzip.compress(sales(), mtime=0)[:200], "it is gzip data"),
    "21 gzip": (gzip.compress(sales(), mtime=0), "it is gzip data"),
    "23 no bytes": (b"", "the file is empty (0 bytes)"),
}


@pytest.mark.parametrize("case", REFUSED_LINES)
def test_X1_bad_lines_are_refused_and_all_others_kept(case: str) -> None:
    file, lines = REFUSED_LINES[case]
    result = loaded(file, SALES)
    blank = {5} if result.blank else set()
    assert [line for line, _, _ in result.refused] == lines
    assert result.kept == [row for row in GOOD if row["line"] not in {*lines, *blank}]
    assert len(result.kept) == 40 - len([line for line in lines if line < 42]) - len(blank)


@pytest.mark.parametrize("case", REFUSED_FILES)
def test_a_damaged_file_is_refused_as_a_whole(case: str) -> None:
    file, message = REFUSED_FILES[case]
    assert message in refusal(file, SALES)


def test_22_a_header_alone_has_no_rows() -> None:
    assert loaded(f"{HEADER}\n".encode(), SALES).kept == []


def test_25_a_quoted_line_end_is_text() -> None:
    result = loaded(sales({5: row(4, note='"a\nnote"')}), SALES)
    assert result.kept[3]["note"] == "a\nnote"
    assert [row["line"] for row in result.kept[3:5]] == [5, 7]


def test_there_are_thirty() -> None:
    assert len(REFUSED_LINES) + len(REFUSED_FILES) + 2 == 30
