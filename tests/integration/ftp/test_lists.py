"""Manifests and checksum files as suppliers write them, and names that are none (C71, C72)."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from daybook.errors import BadData
from daybook.ftp.delivery import named, sum_of

ONE, TWO = (hashlib.sha256(name).hexdigest() for name in (b"one", b"two"))
HERE = "ftp: day.list"


def names(content: bytes) -> list[tuple[str, str]]:
    """Return the names and sums of a manifest of at most four files."""
    return [(entry.name, entry.sha256) for entry in named(content, "day.list", HERE, 4)]


def test_a_manifest_is_what_sha256sum_writes_in_its_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a b.csv"):
        (tmp_path / name).write_text(name)
    program = shutil.which("sha256sum")
    assert program
    for mode in ("--text", "--binary"):
        written = subprocess.run([program, mode, "b.csv", "a b.csv"], cwd=tmp_path, capture_output=True, check=True)
        sums = [(name, hashlib.sha256(name.encode()).hexdigest()) for name in ("b.csv", "a b.csv")]
        assert names(written.stdout) == sums


@pytest.mark.parametrize(
    "content",
    [
        b"b.csv\na.csv\n",
        b"b.csv\r\na.csv\r\n",
        b"\xef\xbb\xbfb.csv\n\n  a.csv  ",
        b"# two files\nb.csv\n./a.csv\n",
        "b.csv\r\na.csv\r\n".encode("utf-16"),
    ],
)
def test_a_manifest_may_hold_names_only(content: bytes) -> None:
    assert names(content) == [("b.csv", ""), ("a.csv", "")]


def test_a_sum_may_be_in_capitals() -> None:
    assert names(f"{ONE.upper()} *a.csv\r\n".encode()) == [("a.csv", ONE)]


def test_a_part_may_lie_in_a_folder_below_the_manifest() -> None:
    assert names(b"2013-01-05/part-0001.csv\n") == [("2013-01-05/part-0001.csv", "")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "ftp: day.list: it names no file; nothing was copied"),
        (b"\r\n# nothing\n \n", "it names no file"),
        (b"a\nb\nc\nd\ne\n", "it names 5 files, at most 4 are taken"),
        (b"a.csv\nb.csv\na.csv\n", "line 3: a.csv stands on line 1 too"),
        (f"{ONE}  a.csv\n{TWO[1:]}  b.csv\n".encode(), "line 2: either every line has a sha256 of 64 digits, or none"),
        (b"a.csv\n./day.list\n", "line 2: it names itself"),
        (f"{ONE}\n".encode(), "line 1: '' is not the name of a file beside it"),
        (b"a\xff.csv\n", "it is not text in UTF-8"),
    ],
)
def test_a_list_that_is_no_manifest_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(BadData) as error:
        names(content)
    assert says in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "..",
        "a/../b.csv",
        "a/..",
        "/etc/passwd",
        "a//b.csv",
        "~/a.csv",
        "-rf",
        ".profile",
        "a\\b.csv",
        "c:\\a.csv",
        "c:a.csv",
        "*.csv",
        "a\rDELE b.csv",
        "a\0.csv",
        "a\x1b[2J.csv",
        "a\u2028b.csv",
        "\u0430.csv",
        "\uff0e\uff0e/x",
    ],
)
@pytest.mark.parametrize("line", ["{}", f"{ONE}  {{}}", f"\\{ONE}  {{}}"])
def test_C72_a_name_that_leads_elsewhere_is_refused_and_shown_in_ASCII(name: str, line: str) -> None:
    with pytest.raises(BadData, match=r"ftp: day.list, line 2: .* is not the name of a file beside it") as error:
        names(f"\n{line.format(name)}\n".encode())
    assert str(error.value).isascii()
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "content",
    [
        f"{ONE}  a.csv\n",
        f"{ONE} *a.csv\r\n",
        f"{ONE.upper()}\r\n",
        f"\ufeff{ONE}",
        f"{ONE}  /export/daily/a.csv\n",
        f"{ONE} *C:\\export\\a.csv\r\n",
        f"{TWO}  b.csv\n{ONE}  a.csv\n",
        f"# made by us\n{ONE}\n",
    ],
)
def test_a_checksum_file_tells_the_sum_of_its_file(content: str) -> None:
    assert sum_of(content.encode(), "a.csv", HERE) == ONE


@pytest.mark.parametrize(
    "content", ["", f"{ONE}  b.csv\n", f"{ONE[1:]}  a.csv\n", f"{ONE}\n{TWO}\n", "<html>not found</html>"]
)
def test_a_checksum_file_that_tells_nothing_of_its_file_is_refused(content: str) -> None:
    with pytest.raises(BadData, match=r"ftp: day.list: it tells no sha256 of a.csv, 1 expected"):
        sum_of(content.encode(), "a.csv", HERE)


def test_a_checksum_file_that_tells_two_sums_is_refused() -> None:
    with pytest.raises(BadData, match=r"it tells 2 sha256 of a.csv"):
        sum_of(f"{ONE}  a.csv\n{TWO}  a.csv\n".encode(), "a.csv", HERE)
