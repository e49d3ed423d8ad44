"""A process, a server or a disk that dies at any moment: readers see the old or the new; the next try mends it."""

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from daybook.receipt import STEPS
from tests.proxy import Address

from .conftest import DAY
from .invariants import Bench
from .lost_answers import LostAnswers

OLD, NEW = 40, 50
# Every operation of a day is struck in the soak; here some, chosen by chance, and those around the pointer.
SEED = int(os.environ.get("DAYBOOK_FAULT_SEED", "0")) or random.randrange(1_000_000)
STRUCK = 8


def first_step_to_try_again(bench: Bench, run: str, day: str = DAY) -> str:
    """Give the step that the scheduler would try again: the first without a receipt."""
    folder = bench.servers.work(bench.pipeline, day, run).folder.path
    return next((step for step in STEPS if not (folder / step / "receipt.json").exists()), STEPS[-1])


def strike_and_recover(bench: Bench, run: str, at: int | str, how: str, first: str = STEPS[0]) -> None:
    """Publish other rows than before with a fault on the way, let the scheduler try again, and check everything."""
    before = bench.seen(DAY)
    bench.deliver(DAY, OLD if before[0] == NEW else NEW)
    with bench.reader(DAY) as reader:
        struck = bench.do(DAY, run, at=at, how=how)
        assert how == "kill" or list(bench.servers.data.rglob("*.tmp")) == [], struck
        for _ in range(2):
            again = bench.do(DAY, run, first=first_step_to_try_again(bench, run))
    assert again["error"] == "", f"{struck} at {at}, seed {SEED}"
    after = bench.seen(DAY)
    assert after[0] == (OLD if before[0] == NEW else NEW), f"{struck} at {at}, seed {SEED}"
    assert reader.seen <= {before, after}, f"readers saw {reader.seen}; {at}, seed {SEED}"
    bench.check()


@pytest.fixture
def published(bench: Bench) -> Bench:
    """A bench with a day published."""
    bench.publish(DAY, "before", OLD)
    return bench


def operations(bench: Bench) -> list[str]:
    """Give the operations of a whole day that publishes something new."""
    bench.deliver(DAY, NEW)
    done = bench.do(DAY, "counted")
    assert done["error"] == ""
    return list(done["operations"])


def test_k1_a_kill_at_any_operation_of_a_day_loses_nothing(published: Bench) -> None:
    count = len(operations(published))
    for number, at in enumerate(sorted(random.Random(SEED).sample(range(1, count), STRUCK))):
        strike_and_recover(published, f"run_{number}", at, "kill")


@pytest.mark.parametrize(
    "at",
    [
        "sql select pg_advisory_xact_lock",
        "sql insert into daybook.published",
        "sql insert into daybook.ledger",
        "sql commit of a transaction",
        f"os.symlink .{DAY}",
        f"os.rename {DAY}",
        "sql update daybook.published",
    ],
)
def test_k1_a_kill_around_the_moment_of_publication_loses_nothing(published: Bench, at: str) -> None:
    published.deliver(DAY, NEW)
    assert published.do(DAY, "run", last="save")["error"] == ""
    with published.reader(DAY) as reader:
        assert published.do(DAY, "run", first="deploy", at=at, how="kill")["exit"] == -9
        assert published.do(DAY, "run", first="deploy")["error"] == ""
    assert published.seen(DAY)[0] == NEW
    assert {flights for flights, *_ in reader.seen} <= {OLD, NEW}
    published.check()


def test_k1_an_operation_that_fails_loses_nothing(published: Bench) -> None:
    count = len(operations(published))
    for number, at in enumerate(sorted(random.Random(SEED).sample(range(1, count), STRUCK))):
        strike_and_recover(published, f"run_{number}", at, "fail")


@contextmanager
def through(proxy: LostAnswers, bench: Bench) -> Iterator[str]:
    """Give the warehouse's connection string through a proxy."""
    with proxy:
        dsn = bench.servers.postgres.dsn("warehouse", "warehouse_owner")
        host, port = proxy.address
        yield psycopg.conninfo.make_conninfo(dsn, host=host, port=port)


def server_of(bench: Bench) -> Address:
    """Give where PostgreSQL listens."""
    return "127.0.0.1", bench.servers.postgres.port


def test_k6_a_commit_whose_answer_is_lost_is_settled_in_the_same_try(published: Bench) -> None:
    published.deliver(DAY, NEW)
    assert published.do(DAY, "run", last="save")["error"] == ""
    proxy = LostAnswers(server_of(published))
    with through(proxy, published) as dsn:
        assert published.do(DAY, "run", first="deploy", warehouse=dsn)["error"] == ""
    assert proxy.lost == 1
    assert published.seen(DAY)[0] == NEW
    assert len(published.rows("select from daybook.ledger where pipeline = %s", published.pipeline.name)) == 2
    published.check()


def test_k6_a_commit_whose_answer_is_lost_in_every_try_is_settled_by_the_next_one(published: Bench) -> None:
    published.deliver(DAY, NEW)
    assert published.do(DAY, "run", last="save")["error"] == ""
    with through(LostAnswers(server_of(published), times=100, words=b""), published) as dsn:
        assert "SourceUnavailable" in published.do(DAY, "run", first="deploy", warehouse=dsn)["error"]
    assert published.do(DAY, "run", first="deploy")["error"] == ""
    assert published.seen(DAY)[0] == NEW
    published.check()


def kill_postgres(bench: Bench) -> None:
    """Kill postmaster and backends with -9, wait until they are gone, and start the server again."""
    data = bench.servers.postgres.data
    postmaster = int((data / "postmaster.pid").read_text().splitlines()[0])
    children = [int(pid) for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
    for pid in (postmaster, *children):
        os.kill(pid, 9)
    until = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() and "Z" not in state(pid) for pid in (postmaster, *children)):
        assert time.monotonic() < until
        time.sleep(0.01)
    bench.servers.postgres.start()


def state(pid: int) -> str:
    """Give the state of a process; Z for one that is not there any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def crash_rounds(bench: Bench, rounds: int, chance: random.Random) -> None:
    """Kill the warehouse's server at a random moment while a day is saved and deployed, round after round."""
    for number in range(rounds):
        run, rows = f"round_{number}", NEW if bench.seen(DAY)[0] == OLD else OLD
        bench.deliver(DAY, rows)
        assert bench.do(DAY, run, last="summarize")["error"] == ""
        with bench.reader(DAY) as reader:
            started = bench.start(bench.job(DAY, run, first="save"))
            time.sleep(chance.uniform(0, 0.4))
            kill_postgres(bench)
            told = started.end()
            assert told["error"] == "" or "SourceUnavailable" in told["error"], told
            again = bench.do(DAY, run, first=first_step_to_try_again(bench, run))
        assert again["error"] == "", f"{again}, round {number}, seed {SEED}"
        assert bench.seen(DAY)[0] == rows, f"round {number}, seed {SEED}"
        assert {flights for flights, *_ in reader.seen} <= {OLD, NEW}
        bench.check()


def test_k6_a_kill_of_the_server_at_any_moment_loses_nothing(published: Bench) -> None:
    crash_rounds(published, 3, random.Random(SEED))


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
    file = Path(published.servers.work(published.pipeline, DAY, "rotten").folder.path.path) / made_by / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    following = STEPS[STEPS.index(made_by) + 1]
    told = published.do(DAY, "rotten", first=following)
    assert "SourceUnavailable" in told["error"]
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


@pytest.mark.parametrize("step", STEPS)
def test_r4_a_step_that_is_done_again_gives_the_same(published: Bench, step: str) -> None:
    seen, runs = published.seen(DAY), published.run_ids(DAY)
    assert published.do(DAY, "before", first=step, last=step)["error"] == ""
    assert published.do(DAY, "before", first=step)["error"] == ""
    assert (published.seen(DAY), published.run_ids(DAY)) == (seen, runs)
    published.check()


def test_r2_days_in_reverse_order_beside_the_daily_run_are_each_right(bench: Bench) -> None:
    days = {f"2013-01-{number:02}": 30 + number for number in range(8, 2, -1)}
    for day, rows in days.items():
        bench.deliver(day, rows)
    started = [bench.start(bench.job(day, run)) for day in days for run in ("backfill", "daily")]
    told = [one.end() for one in started]
    assert [one["error"] for one in told if "Superseded" not in one["error"] and one["error"]] == []
    assert {day: bench.seen(day)[0] for day in days} == days
    bench.check()


def test_o1_days_each_with_a_fault_by_chance_are_each_right_in_the_end(published: Bench) -> None:
    simulated_days(published, ["2013-02-01", "2013-02-02", "2013-02-03"], random.Random(SEED))


def simulated_days(bench: Bench, days: list[str], chance: random.Random) -> None:
    """Publish days, each with a fault by chance, and let the scheduler try each again."""
    count = len(operations(bench))
    for day in days:
        rows = chance.randint(OLD, NEW)
        bench.deliver(day, rows)
        struck = bench.do(day, "run", at=chance.randrange(1, count), how=chance.choice(["kill", "fail", "full"]))
        for _ in range(2):
            told = bench.do(day, "run", first=first_step_to_try_again(bench, "run", day))
        assert told["error"] == "", f"{day}: {struck}, seed {SEED}"
        assert bench.seen(day)[0] == rows, f"{day}: {struck}, seed {SEED}"
        bench.check()


def test_p1_a_consumer_who_holds_the_view_for_long_does_not_block_a_publication(published: Bench) -> None:
    dsn = published.servers.postgres.dsn("warehouse", "analyst")
    query = f"select sum(flights) from {published.pipeline.name}.by_airline"
    with psycopg.connect(dsn) as consumer:
        consumer.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        before = consumer.execute(query.encode()).fetchall()
        started = time.monotonic()
        published.publish(DAY, "beside", NEW)
        assert time.monotonic() - started < 25, "it waited for the consumer"
        assert consumer.execute(query.encode()).fetchall() == before
    assert published.seen(DAY)[0] == NEW
    published.check()


def test_p3_a_backend_that_is_ended_at_any_statement_is_replaced(published: Bench) -> None:
    published.deliver(DAY, NEW)
    assert published.do(DAY, "run", last="summarize")["error"] == ""
    is_over = threading.Event()

    def terminate() -> None:
        while not is_over.wait(0.15):
            published.superuser(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warehouse_owner' "
                "and state = 'idle in transaction' limit 1"
            )

    thread = threading.Thread(target=terminate)
    thread.start()
    told = published.do(DAY, "run", first="save")
    is_over.set()
    thread.join()
    assert told["error"] == "" or "SourceUnavailable" in told["error"]
    assert published.do(DAY, "run", first="save")["error"] == ""
    assert published.seen(DAY)[0] == NEW
    published.check()
