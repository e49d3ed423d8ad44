"""The raw bytes of records, found by their lines: just those that the loader gives for refused ones."""

import gzip
import io
from random import Random

import pytest

from daybook.loader.find import raw_records
from daybook.loader.layout import RAW_BYTES
from daybook.spec import File, Form, Limits
from tests.support.drawn import PEOPLE, loaded

TEXT = 'id,name\n1,Ann\n2,"two\nlines"\r\n\n4,Dée\n5,"a ""b"""\n'


def raw(file: bytes, lines: set[int], source: File = PEOPLE, block_bytes: int = 2**23) -> dict[int, bytes]:
    """Find records in a file."""
    return raw_records(io.BytesIO(file), source, lines, block_bytes=block_bytes)


@pytest.mark.parametrize("block_bytes", [2**23, 40, 7, 1])
@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (set(), {}),
        ({2}, {2: b"1,Ann"}),
        ({3, 6}, {3: b'2,"two\nlines"', 6: "4,Dée".encode()}),
        ({7}, {7: b'5,"a ""b"""'}),
        ({1, 2, 99}, {2: b"1,Ann"}),
    ],
)
def test_a_record_is_found_by_its_first_line(lines: set[int], found: dict[int, bytes], block_bytes: int) -> None:
    assert raw(TEXT.encode(), lines, block_bytes=block_bytes) == found


@pytest.mark.parametrize(
    ("form", "file"),
    [
        (Form(compression="gzip"), gzip.compress(TEXT.encode(), mtime=0)),
        (Form(encoding="utf-16"), TEXT.encode("utf-16")),
        (Form(encoding="cp1252"), TEXT.encode("cp1252")),
        (Form(header_line=3), ("a title\n\n" + TEXT).encode()),
    ],
)
def test_packed_and_other_encodings_are_found_as_the_loader_sees_them(form: Form, file: bytes) -> None:
    source, first = PEOPLE.model_copy(update={"form": form}), int(form.header_line)
    assert raw(file, {first + 2, first + 5}, source) == {first + 2: b'2,"two\nlines"', first + 5: "4,Dée".encode()}


def test_a_last_record_without_a_line_end_and_a_long_one_are_found() -> None:
    assert raw(b"id,name\n1,Ann", {2}) == {2: b"1,Ann"}
    long = b"1," + b"a" * (RAW_BYTES + 100)
    assert raw(b"id,name\n" + long + b"\n", {2}) == {2: long[:RAW_BYTES]}


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_the_loader_keeps_of_each_refused_row(seed: int) -> None:
    random = Random(seed)
    names = ['"a\nb"', '"c""d"', "e", '"f\r\ng\n\nh"', ""]
    file = "id,name\n" + "".join(f"{random.choice('x12')},{random.choice(names)}\n" for _ in range(200))
    lenient = Limits(refused_rows=200, systemic_share=1)
    found = loaded(file.encode(), PEOPLE.model_copy(update={"limits": lenient}))
    kept = dict(zip((line for line, _, _ in found.refused), found.raw, strict=True))
    assert len(kept) > 10
    assert raw(file.encode(), set(kept), block_bytes=random.choice([16, 64, 2**23])) == kept
