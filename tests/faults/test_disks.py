"""A disk that is full, forbidden or rotten: it is said, the published day stays, and the next try mends it."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from daybook.ledger.receipt import STEPS
from tests.support.bench import DAY, NEW, OLD, Bench
from tests.support.recovery import SEED, first_step_to_try_again, operations, strike_and_recover


@pytest.fixture
def small_disk(published: Bench, tmp_path: Path) -> Iterator[Bench]:
    """A bench whose data lie on a disk of 3 MB, with a day published."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=True)
    try:
        bench = replace(published, servers=replace(published.servers, data=disk))
        bench.publish(DAY, "on the disk", OLD + 1)
        yield bench
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@contextmanager
def disk_of_few_files(published: Bench, folder: Path) -> Iterator[Bench]:
    """Return a bench whose data lie on a disk for 700 files and folders, with a day published."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "nr_inodes=700", "tmpfs", folder], check=True)
    try:
        bench = replace(published, servers=replace(published.servers, data=folder))
        bench.publish(DAY, "on the disk", OLD + 1)
        yield bench
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("left", [0, 8, 30])
def test_D2_a_disk_without_inodes_says_so_and_leaves_the_published_day(
    published: Bench, tmp_path: Path, left: int
) -> None:
    with disk_of_few_files(published, tmp_path / "disk") as bench:
        disk, before = bench.servers.data, bench.seen(DAY)
        (disk / "filling").mkdir()
        for number in range(os.statvfs(disk).f_favail - left):
            (disk / "filling" / str(number)).touch()
        bench.deliver(DAY, NEW)
        told = bench.do(DAY, "full")
        assert "SourceUnavailable" in told["error"], told["error"]
        assert "make room: no inode is left" in told["error"]
        assert list(disk.rglob("*.tmp")) == []
        assert bench.seen(DAY) == before
        bench.check()
        shutil.rmtree(disk / "filling")
        assert bench.do(DAY, "full", first=first_step_to_try_again(bench, "full"))["error"] == ""
        assert bench.seen(DAY)[0] == NEW
        bench.check()


def fill(disk: Path, left: int) -> None:
    """Fill a disk, but for so many bytes."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "filling").write_bytes(b"x" * (free - left))


@pytest.mark.parametrize("left", [0, 60_000, 90_000, 120_000, 150_000])
def test_d1_a_full_disk_says_so_and_leaves_the_published_day(small_disk: Bench, left: int) -> None:
    disk, before = small_disk.servers.data, small_disk.seen(DAY)
    small_disk.deliver(DAY, NEW)
    fill(disk, left)
    told = small_disk.do(DAY, "full")
    assert "SourceUnavailable" in told["error"], told["error"]
    assert "make room" in told["error"]
    assert list(disk.rglob("*.tmp")) == []
    assert small_disk.seen(DAY) == before
    small_disk.check()
    (disk / "filling").unlink()
    assert small_disk.do(DAY, "full", first=first_step_to_try_again(small_disk, "full"))["error"] == ""
    assert small_disk.seen(DAY)[0] == NEW
    small_disk.check()


def test_d1_the_disk_may_be_full_at_any_write(published: Bench) -> None:
    writes = [number for number, name in enumerate(operations(published), 1) if name.split()[0] in ("open", "fsync")]
    for number, at in enumerate(sorted(random.Random(SEED).sample(writes, 4))):
        strike_and_recover(published, f"run_{number}", at, "full")


def test_d2_a_folder_that_may_not_be_written_to_says_so(published: Bench) -> None:
    before = published.seen(DAY)
    with read_only(published.servers.data):
        told = published.do(DAY, "forbidden")
    assert "BadSpec" in told["error"]
    assert "give the tasks' user the right to write" in told["error"]
    assert published.seen(DAY) == before
    published.publish(DAY, "forbidden", NEW)
    published.check()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write into a folder: root, too, is held off by a mount."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a folder read-only")
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize(
    ("made_by", "name", "read_by"),
    [
        ("extract_files", "flights.csv", "load"),
        ("load", "flights.parquet", "clean"),
        ("aggregate", "aggregates.parquet", "summarize"),
        ("summarize", "by_day.parquet", "save"),
    ],
)
def test_d3_a_flipped_bit_is_seen_before_it_is_read(published: Bench, made_by: str, name: str, read_by: str) -> None:
    published.deliver(DAY, NEW)
    assert published.do(DAY, "rotten", last=made_by)["error"] == ""
    file = Path(published.servers.work(published.pipeline, DAY, "rotten").folder.path) / made_by / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    following = STEPS[STEPS.index(made_by) + 1]
    told = published.do(DAY, "rotten", first=following)
    assert "BrokenChain" in told["error"]
    assert "changed or damaged" in told["error"]
    assert published.seen(DAY)[0] == OLD
    # The step that made the file is done again, as a person would clear it.
    assert published.do(DAY, "rotten", first=made_by)["error"] == ""
    assert published.seen(DAY)[0] == NEW
    published.check()


def test_k9_a_file_takes_its_name_when_its_bytes_are_on_the_disk_and_the_name_lasts(published: Bench) -> None:
    names = [name for name in operations(published) if name.startswith(("fsync", "os.rename", "os.symlink"))]
    renamed = [place for place, name in enumerate(names) if name.startswith("os.rename")]
    assert len(renamed) > 20
    for place in renamed:
        assert names[place - 1] == "fsync" or names[place - 1].startswith("os.symlink"), names[place]
        assert names[place + 1] == "fsync", f"the folder of {names[place]}"


def test_G15_G24_the_rows_of_a_run_are_for_their_owner_only_and_no_link_leads_out(published: Bench) -> None:
    run = Path(published.servers.work(published.pipeline, DAY, "before").folder.path)
    assert run.stat().st_mode & 0o777 == 0o700
    assert {"extract_files", "load"} <= {folder.name for folder in run.iterdir()}
    data = published.servers.data
    links = [path for path in data.rglob("*") if path.is_symlink()]
    assert links
    assert all(link.resolve().is_relative_to(data.resolve()) for link in links)
