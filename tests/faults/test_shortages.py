"""Too little memory, too few open files: one clear error, the published day stays, and the next run mends it."""

from dataclasses import replace

import pytest

from daybook.spec import text
from tests.support.bench import DAY, NEW, Bench
from tests.support.recovery import first_step_to_try_again

MIB = 2**20
# Measured: the steps need some 250 MiB beyond what their libraries take, for a file of any size.
MEMORY_MIB, FILE_MIB = 300, 400
NOTE = b"x" * 1000
MOST_FILES = 40


@pytest.fixture
def wide(published: Bench) -> Bench:
    """A bench with a day published, whose file has one more column, of long texts."""
    (file,) = published.pipeline.files
    file = file.model_copy(update={"columns": (*file.columns, text("note"))})
    return replace(published, pipeline=published.pipeline.model_copy(update={"files": (file,)}))


def deliver_large(bench: Bench) -> int:
    """Put the day's flights again and again onto the FTP server, each with its own number and a long note."""
    bench.deliver(DAY, NEW)
    path = bench.servers.ftp.root / bench.pipeline.name / f"flights_{DAY}.csv"
    header, *lines = path.read_bytes().splitlines()
    place = header.split(b",").index(b"flight")
    flights = [line.split(b",") for line in lines]
    rows = FILE_MIB * MIB // (len(lines[0]) + len(NOTE))
    with path.open("wb") as file:
        file.write(header + b",note\n")
        for number in range(rows):
            of = flights[number % len(flights)]
            file.write(b",".join([*of[:place], b"%d" % number, *of[place + 1 :], NOTE]) + b"\n")
    assert path.stat().st_size > MEMORY_MIB * MIB
    return rows


def test_m1_a_day_larger_than_the_memory_is_published(wide: Bench) -> None:
    rows = deliver_large(wide)
    told = wide.do(DAY, "large", more_memory_bytes=MEMORY_MIB * MIB)
    assert told["error"] == ""
    assert wide.seen(DAY)[0] == rows
    wide.check()


def test_m2_with_too_few_open_files_each_try_says_so_until_there_are_enough(published: Bench) -> None:
    before = published.seen(DAY)
    published.deliver(DAY, NEW)
    refusals = 0
    with published.reader(DAY) as reader:
        for more_files in range(MOST_FILES):
            told = published.do(DAY, "run", first=first_step_to_try_again(published, "run"), more_files=more_files)
            if not told["error"]:
                break
            assert "SourceUnavailable" in told["error"], f"{more_files} more: {told['error']}"
            assert "Too many open files" in told["error"], f"{more_files} more: {told['error']}"
            refusals += 1
    assert refusals > 3, "the limit has hindered nothing"
    assert reader.seen <= {before, published.seen(DAY)}
    assert published.seen(DAY)[0] == NEW
    published.check()
