"""Too little memory, too few open files: one clear error, the published day stays, and the next run mends it."""

from dataclasses import replace

import pytest

from daybook.spec import text
from tests.support.bench import DAY, NEW, Bench
from tests.support.recovery import first_step_to_try_again

MIB = 2**20
# Measured: the loader needs some 210 MiB beyond what its libraries take, for a file of any size.
MEMORY_MIB, FILE_MIB = 300, 400
NOTE = b"x" * 1000
MOST_FILES = 40
ABORTED = -6  # by Arrow or Polars, where either gets no memory in a place that cannot fail


@pytest.fixture
def wide(published: Bench) -> Bench:
    """A bench with a day published, whose file has one more column, of long texts."""
    (file,) = published.pipeline.files
    file = file.model_copy(update={"columns": (*file.columns, text("note"))})
    return replace(published, pipeline=published.pipeline.model_copy(update={"files": (file,)}))


def deliver_large(bench: Bench) -> None:
    """Put the day's flights again and again, each with a long note, onto the FTP server."""
    bench.deliver(DAY, NEW)
    path = bench.servers.ftp.root / bench.pipeline.name / f"flights_{DAY}.csv"
    header, *lines = path.read_bytes().splitlines()
    block = b"".join(b"%b,%b\n" % (line, NOTE) for line in lines)
    with path.open("wb") as file:
        file.write(header + b",note\n")
        for _ in range(FILE_MIB * MIB // len(block) + 1):
            file.write(block)
    assert path.stat().st_size > MEMORY_MIB * MIB


def test_m1_the_loader_streams_a_file_larger_than_the_memory_and_the_steps_after_it_say_what_they_lack(
    wide: Bench,
) -> None:
    before = wide.seen(DAY)
    deliver_large(wide)
    memory = {"more_memory_bytes": MEMORY_MIB * MIB}
    with wide.reader(DAY) as reader:
        assert wide.do(DAY, "large", last="load", **memory)["error"] == ""
        told = wide.do(DAY, "large", first="clean", **memory)
    if told["exit"] != ABORTED:
        assert "SourceUnavailable" in told["error"]
        assert "clean: not enough memory" in told["error"]
    assert reader.seen == {before}
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
