"""Blocks, threads and streams: the result is the file's, however it was cut and read."""

import io
import random
import subprocess
import sys
from pathlib import Path

import pytest

from daybook.loader.load import REFUSED_SCHEMA, load, schema
from tests.support.drawn import PEOPLE, SALES, loaded, sales

QUOTED = 'id,name\n1,"a\nb"\n2,"c""\r\n\n""d"\n\nx,1\n3,"e,f"\n4,"g"h\n5,"' + "i\n" * 50 + '"\n6,last\n'


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 20, 64, 10_000])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_result_does_not_depend_on_blocks_or_threads(block_bytes: int, threads: int) -> None:
    file = QUOTED.encode()
    assert loaded(file, block_bytes=block_bytes, threads=threads) == loaded(file)


@pytest.mark.parametrize("most_lines", [1, 2, 5, 30])
@pytest.mark.parametrize("block_bytes", [20, 10_000])
def test_nor_on_how_a_block_of_many_lines_is_cut_again(
    most_lines: int, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = QUOTED.encode() + b"\n" * 100 + b"7,x\n" + b"\r\n" * 40 + b"\r\r\n8,y\n\n"
    as_one = loaded(file)
    monkeypatch.setattr("daybook.loader.blocks.MOST_LINES", most_lines)
    assert loaded(file, block_bytes=block_bytes) == as_one
    assert as_one.blank == 1 + 100 + 40 + 1


def test_quoted_line_ends_keep_lines_physical_across_blocks() -> None:
    result = loaded(QUOTED.encode(), block_bytes=5)
    assert result.column("line") == [2, 4, 9, 11, 62]
    assert result.refused == [(8, "id", "not_an_integer"), (10, None, "text_after_closing_quote")]
    assert result.blank == 1


def test_batches_come_in_the_order_of_the_file() -> None:
    batches = list(load(io.BytesIO(sales(count=2000)), SALES, block_bytes=1000, threads=4))
    lines = [line for batch in batches for line in batch.kept["line"].to_pylist()]
    assert len(batches) > 50
    assert lines == list(range(2, 2002))


def test_every_batch_has_the_schema_that_was_said() -> None:
    for batch in load(io.BytesIO(sales({3: "x", 9: '1,"', 10: '"'}, count=500)), SALES, block_bytes=100):
        assert batch.kept.schema == schema(SALES)
        assert batch.refused.schema == REFUSED_SCHEMA


def test_there_is_a_batch_even_of_no_rows() -> None:
    (batch,) = load(io.BytesIO(b"id,name\n"), PEOPLE)
    assert batch.kept.schema == schema(PEOPLE)


class Dripping(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a socket may."""

    def __init__(self, content: bytes) -> None:
        self.content = io.BytesIO(content)
        self.random = random.Random(1)

    def read(self, size: int = -1) -> bytes:
        return self.content.read(min(size, self.random.randint(1, 9)))


def test_a_stream_may_give_less_than_it_is_asked_for() -> None:
    batches = list(load(Dripping(sales()), SALES))  # type: ignore[arg-type]
    assert sum(batch.kept.num_rows for batch in batches) == 40


def test_a_reader_that_stops_early_leaves_no_thread_behind() -> None:
    batches = load(io.BytesIO(sales(count=2000)), SALES, block_bytes=1000)
    next(batches)
    batches.close()  # type: ignore[attr-defined]


# VmHWM, not ru_maxrss: that begins with what the process which started this one held (proc(5), getrusage(2)).
MEASURE = """
import io, re, sys
from daybook.loader.load import load
from tests.support.drawn import SALES, sales_lines

class Endless(io.RawIOBase):
    def __init__(self, blocks):
        lines = sales_lines(100_000)
        self.head = (lines[0] + "\\n").encode()
        self.block = "".join(line + "\\n" for line in lines[1:]).encode()
        self.left = blocks
    def read(self, size=-1):
        if self.head:
            head, self.head = self.head, b""
            return head
        self.left -= 1
        return self.block if self.left >= 0 else b""

rows = sum(batch.kept.num_rows for batch in load(Endless(int(sys.argv[1])), SALES, threads=2))
print(rows, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def rows_and_memory(blocks: int) -> tuple[int, int]:
    """Load a file of so many blocks of 5 MB in a process of its own, and give its rows and peak memory in MiB."""
    out = subprocess.run([sys.executable, "-c", MEASURE, str(blocks)], capture_output=True, text=True, check=True)
    rows, peak = out.stdout.split()
    return int(rows), int(peak)


PEAK = """
import re, sys
from daybook.errors import BadData
from daybook.loader.load import load
from tests.support.drawn import PEOPLE

blank, message = 0, ""
try:
    blank = sum(batch.blank for batch in load(open(sys.argv[1], "rb"), PEOPLE, threads=2))
except BadData as error:
    message = str(error)
print(blank, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024, message)
"""


@pytest.mark.parametrize(
    ("content", "blank", "says"),
    [
        (b"\n" * 20_000_000, 20_000_000, ""),
        (b"\r\n" * 10_000_000, 10_000_000, ""),
        (b"\n\n\n\n1,x\n" * 2_000_000, 8_000_000, ""),
        (b"1," * 15_000_000 + b"\n", 0, "people, line 2: a line is longer than 4,194,304 bytes; nothing is loaded"),
        (b'"1",' * 5_000_000, 0, "people, line 2: a line is longer than 4,194,304 bytes; nothing is loaded"),
    ],
    ids=["line ends", "in two bytes", "with few rows", "one line", "one line of quotes"],
)
def test_a_file_of_line_ends_or_of_one_line_takes_no_more_memory_than_rows(
    content: bytes, blank: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    file = tmp_path / "people.csv"
    file.write_bytes(b"id,name\n" + content)
    out = subprocess.run([sys.executable, "-c", PEAK, str(file)], capture_output=True, text=True, check=True).stdout
    found, peak, message = out.rstrip("\n").split(" ", 2)
    assert (int(found), message) == (blank, says)
    assert int(peak) < 400


def test_memory_stays_flat_as_the_file_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    small, large = rows_and_memory(6), rows_and_memory(40)
    assert (small[0], large[0]) == (600_000, 4_000_000)
    assert large[1] < small[1] + 150
    assert large[1] < 1024
