"""Mended records count instead of those on their lines: by the same reader, in their place, in the same balance."""

import gzip

import pytest

from daybook.errors import BadData
from daybook.spec import Form, Limits
from tests.support.drawn import PEOPLE, Loaded, loaded, refusal

FEW = PEOPLE.model_copy(update={"limits": Limits(refused_rows=1)})
FILE = """
    id,name
    1,Ann
    x,Bob
    3,Cas

    5,Dee
"""


def people(found: Loaded) -> list[tuple[int, int, str]]:
    """Return the kept rows as they can be drawn."""
    return [(row["line"], row["id"], row["name"]) for row in found.kept]


@pytest.mark.parametrize(
    ("mends", "kept", "refused"),
    [
        ({}, "1 3 5", [(3, "id", "not_an_integer")]),
        ({3: b"2,Bob"}, "1 2 3 5", []),
        ({3: b'2,"Bob"'}, "1 2 3 5", []),
        ({3: b"y,Bob"}, "1 3 5", [(3, "id", "not_an_integer")]),
        ({3: b"2,Bob,"}, "1 3 5", [(3, None, "too_many_fields")]),
        ({4: b"7,Cas"}, "1 7 5", [(3, "id", "not_an_integer")]),
        ({4: b"z,Cas"}, "1 5", [(3, "id", "not_an_integer"), (4, "id", "not_an_integer")]),
        ({2: b"8,Ann", 3: b"2,Bob", 6: b"9,Dee"}, "8 2 3 9", []),
    ],
)
@pytest.mark.parametrize("block_bytes", [2**23, 8])
def test_a_mended_record_counts_instead_of_the_one_on_its_line(
    mends: dict[int, bytes], kept: str, refused: list[object], block_bytes: int
) -> None:
    found = loaded(FILE, mends=mends, block_bytes=block_bytes)
    assert " ".join(str(row["id"]) for row in found.kept) == kept
    assert found.refused == refused
    assert len(found.kept) + len(found.refused) + found.blank == 5


def test_a_mended_row_stands_on_the_line_of_the_original() -> None:
    found = loaded(FILE, mends={3: b"2,Bob"})
    assert people(found) == [(2, 1, "Ann"), (3, 2, "Bob"), (4, 3, "Cas"), (6, 5, "Dee")]


def test_a_record_of_several_lines_is_mended_by_its_first_and_may_become_one_line_or_more() -> None:
    file = b'id,name\nx,"two\nlines"\n3,Cas\nz,Dee\n'
    found = loaded(file, mends={2: b"2,Bob", 5: b'4,"three\nlines\nnow"'})
    assert people(found) == [(2, 2, "Bob"), (4, 3, "Cas"), (5, 4, "three\nlines\nnow")]


@pytest.mark.parametrize(
    ("form", "file"),
    [
        (Form(compression="gzip"), gzip.compress(b"id,name\nx,Bob\n3,Cas\n", mtime=0)),
        (Form(encoding="utf-16"), "id,name\nx,Bob\n3,Cas\n".encode("utf-16")),
        (Form(line_end="cr"), b"id,name\rx,Bob\r3,Cas\r"),
        (Form(encoding="cp1252"), b"id,name\n2,\x81\n3,Cas\n"),
    ],
)
def test_files_that_are_packed_or_written_otherwise_are_mended_in_plain_text(form: Form, file: bytes) -> None:
    source = PEOPLE.model_copy(update={"form": form})
    found = loaded(file, source, mends={2: "2,Zoë".encode()})
    assert people(found) == [(2, 2, "Zoë"), (3, 3, "Cas")]


def test_the_last_row_that_was_cut_is_mended() -> None:
    found = loaded(b"id,name\n1,Ann\n2,B", mends={3: b"2,Bob"})
    assert (people(found)[1], found.refused) == ((3, 2, "Bob"), [])


@pytest.mark.parametrize(
    ("record", "reason"),
    [(b'2,"Bob', "open_quote"), (b"2,Bob\n3,Cas", "not_one_record"), (b"", "not_one_record"), (b"  ", "only_blanks")],
)
def test_what_is_not_one_record_is_refused(record: bytes, reason: str) -> None:
    found = loaded(FILE, mends={3: record})
    assert found.refused == [(3, None, reason)]
    assert found.raw == [record]


def test_the_limits_count_what_became_of_mended_rows() -> None:
    two_bad = "id,name\nx,Ann\ny,Bob\n3,Cas\n4,Dee\n5,Eve\n"
    assert "2 of 5 rows are refused" in refusal(two_bad, FEW)
    assert len(loaded(two_bad, FEW, mends={2: b"1,Ann"}).refused) == 1
    assert "2 of 5 rows are refused" in refusal(two_bad, FEW, mends={2: b"w,Ann"})
    assert "2 of 5 rows are refused" in refusal(two_bad, FEW, mends={2: b"1,Ann", 5: b"v,Dee"})


def test_without_mends_the_rows_are_the_very_same() -> None:
    assert loaded(FILE) == loaded(FILE, mends={})


def test_a_mend_on_a_line_where_no_record_begins_refuses_the_file_and_names_the_line() -> None:
    with pytest.raises(BadData, match=r"people, line 5: it was mended, and .* no record begins there \(2 such lines\)"):
        loaded(FILE, mends={3: b"2,Bob", 5: b"4,Dan", 99: b"99,Zed"})
