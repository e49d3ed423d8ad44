"""P18: the warehouse that cannot be written to says so, readers keep what they have, and the next try mends it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from daybook.errors import SourceUnavailable
from daybook.ledger import runs
from daybook.postgres.session import at_once
from deployment.servers import programs
from tests.support.bench import DAY, Bench
from tests.support.runner import do_steps

OLD, NEW = 40, 50
MOST_RUNS = 60


def as_superuser(bench: Bench, *statements: str) -> None:
    """Do statements as the server's superuser."""
    with psycopg.connect(bench.servers.postgres.dsn("warehouse"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def small_space(bench: Bench) -> Iterator[Path]:
    """A disk of 2 MB on which the warehouse's new tables lie."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    # The ledger is every test's: it must not lie on the disk that goes.
    at_once(lambda: bench.servers.connect_postgres("warehouse"), runs.prepare)
    disk = bench.servers.postgres.folder / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    space = disk / "space"
    space.mkdir(mode=0o700)
    for path in (disk, space):
        programs.give(path)
    as_superuser(
        bench,
        f"create tablespace small location '{space}'",
        "grant create on tablespace small to warehouse_owner",
        "alter role warehouse_owner set default_tablespace = small",
    )
    yield disk
    as_superuser(bench, "alter role warehouse_owner reset default_tablespace")
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_p18_a_full_disk_of_the_warehouse_leaves_the_day_as_it_is(bench: Bench, small_space: Path) -> None:
    bench = bench.with_keep(MOST_RUNS)
    bench.publish(DAY, "before", OLD)
    free = os.statvfs(small_space).f_bavail * os.statvfs(small_space).f_frsize
    (small_space / "filling").write_bytes(b"x" * free)
    message = message_when_full(bench)
    assert "53100" in message
    assert "make room on the server's disk" in message
    seen = bench.seen(DAY)
    bench.check()
    (small_space / "filling").unlink()
    bench.publish(DAY, "after", OLD + 1 if seen[0] != OLD + 1 else OLD)
    bench.check()
    drop_tables(bench)


def message_when_full(bench: Bench) -> str:
    """Publish run after run until a table needs another page; give what is then said."""
    for number in range(MOST_RUNS):
        try:
            bench.publish(DAY, f"run_{number}", OLD + number % 2 * 10)
        except SourceUnavailable as error:
            return str(error)
    raise AssertionError("the disk was never full")


def drop_tables(bench: Bench) -> None:
    """Take the tables off the small disk before it is unmounted."""
    name = bench.pipeline.name
    as_superuser(bench, f"drop schema {name} cascade", f"drop schema {name}_store cascade", "drop tablespace small")


def test_p18_a_warehouse_that_is_a_standby_is_tried_again(bench: Bench) -> None:
    bench.publish(DAY, "before", OLD)
    bench.deliver(DAY, NEW)
    work = bench.servers.work(bench.pipeline, DAY, "standby")
    do_steps(work, last="summarize")
    as_superuser(bench, "alter role warehouse_owner set default_transaction_read_only = on")
    try:
        with pytest.raises(SourceUnavailable, match=r"25006.*the server is a standby"):
            do_steps(work, first="save")
    finally:
        as_superuser(bench, "alter role warehouse_owner reset default_transaction_read_only")
    assert bench.seen(DAY)[0] == OLD
    do_steps(work, first="save")
    assert bench.seen(DAY)[0] == NEW
    bench.check()
