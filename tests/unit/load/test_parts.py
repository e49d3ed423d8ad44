"""Several files of one source: each by its own header, its name and its lines, the limits over all (C71)."""

import gzip
import hashlib
import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from daybook.errors import BadData
from daybook.loader.line_numbers import RawFile, own_line, part_of
from daybook.loader.load import load, load_parts
from daybook.spec import Form, Limits
from tests.support.drawn import PEOPLE, with_columns

from .test_limits import people


def loaded(*parts: bytes, **words: Any) -> tuple[pa.Table, pa.Table]:
    """Return the kept and the refused rows of a source in parts, called a.csv, b.csv, …"""
    source = with_columns(*PEOPLE.columns, **words)
    files = [
        RawFile(str(place), f"{chr(ord('a') + place)}.csv", place + 1, hashlib.sha256(part).hexdigest())
        for place, part in enumerate(parts)
    ]
    batches = list(load_parts(files, source, "*.csv", lambda file: io.BytesIO(parts[int(file.file)])))
    return pa.concat_tables([b.kept for b in batches]), pa.concat_tables([b.refused for b in batches])


def refusal(*parts: bytes, **words: Any) -> str:
    """Return the message by which a source in parts is refused."""
    with pytest.raises(BadData) as error:
        loaded(*parts, **words)
    return str(error.value)


def places(rows: pa.Table) -> Sequence[tuple[int, int]]:
    """Return the part and the line there of each row."""
    return [(part_of(line), own_line(line)) for line in rows["line"].to_pylist()]


def test_rows_of_all_parts_are_one_table_and_each_line_is_there_once() -> None:
    kept, _ = loaded(b"id,name\n1,ann\n2,bob\n", b"name,id\neve,3\n", b"id,name\n\n4,joe\n")
    assert kept["id"].to_pylist() == [1, 2, 3, 4]
    assert kept["line"].to_pylist() == [1_000_000_000_002, 1_000_000_000_003, 2_000_000_000_002, 3_000_000_000_003]
    assert places(kept) == [(1, 2), (1, 3), (2, 2), (3, 3)]


def test_a_refused_row_says_its_part_and_its_line_there() -> None:
    _, refused = loaded(b"id,name\n1,ann\n", b"id,name\n2,bob\n,\nx,eve\n3,joe\n")
    assert places(refused) == [(2, 4)]
    assert refused["detail"].to_pylist() == ["b.csv, line 4: 'x' is not an integer"]


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (b"", "b.csv: the file is empty"),
        (b"id,nam\n1,ann\n", "b.csv: missing column 'name'"),
        (b"1,ann\n", "b.csv: line 1 is not the header"),
        (b'id,name\n1,"ann\n', "b.csv, line 2: "),
    ],
)
def test_a_part_that_is_refused_is_named(second: bytes, says: str) -> None:
    assert refusal(b"id,name\n1,ann\n", second).startswith(says)


def test_C71_the_limits_count_over_all_parts() -> None:
    assert loaded(people(100, *["x,bob"] * 5), people(90, *["x,eve"] * 5))[1].num_rows == 10
    said = refusal(people(200, "7"), people(200, *["x,bob"] * 10), people(100, *["y,bob"] * 10))
    assert said.startswith(
        "*.csv: 21 of 521 rows are refused, limit 20 (not_an_integer in 'id': 20, too_few_fields: 1)"
    )
    assert ", from b.csv, line 202 on; nothing is loaded" in said


def test_a_part_that_is_bad_by_itself_may_be_borne_by_the_others() -> None:
    bad = people(1, "x,bob", "y,eve")
    with pytest.raises(BadData, match="more than half"):
        list(load(io.BytesIO(bad), PEOPLE))
    assert loaded(people(10), bad)[1].num_rows == 2


def test_rows_beyond_those_that_are_stored_end_the_loading_of_any_part() -> None:
    said = refusal(people(9, "x,a"), people(8, "x,a", "x,b"), limits=Limits(stored_rows=2))
    assert said.startswith("*.csv: more than 2 rows are refused, and no more are stored")


def test_C71_a_part_that_was_delivered_twice_is_refused() -> None:
    assert refusal(people(3), people(4), people(3)).startswith("c.csv: the same bytes as a.csv; nothing is loaded")


def test_parts_without_a_row_may_be_alike() -> None:
    kept, _ = loaded(b"id,name\n", people(2), b"id,name\n")
    assert places(kept) == [(2, 2), (2, 3)]


def test_parts_may_be_packed() -> None:
    packed = [gzip.compress(people(2, f"7{n},x"), mtime=0) for n in range(2)]
    kept, _ = loaded(*packed, form=Form(compression="gzip"))
    assert kept.num_rows == 6


def test_a_single_file_is_loaded_as_it_is() -> None:
    content = people(30, "x,bob")
    file = RawFile("people.csv", "people", 0, hashlib.sha256(content).hexdigest())
    assert list(load_parts([file], PEOPLE, "people", lambda _: io.BytesIO(content))) == list(
        load(io.BytesIO(content), PEOPLE)
    )
