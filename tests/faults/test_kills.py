"""A process or a server that dies at any moment: readers see the old or the new, and the next try mends it all."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from daybook.ledger.receipt import STEPS
from tests.support.bench import BATCH, DAY, NEW, OLD, Bench
from tests.support.lost_answers import LostAnswers
from tests.support.proxy import Address
from tests.support.recovery import SEED, STRUCK, crash_rounds, operations, strike_and_recover


def test_k1_a_kill_at_any_operation_of_a_day_loses_nothing(published: Bench) -> None:
    count = len(operations(published))
    for number, at in enumerate(sorted(random.Random(SEED).sample(range(1, count), STRUCK))):
        strike_and_recover(published, f"run_{number}", at, "kill")


@pytest.mark.parametrize(
    "at",
    [
        "sql select pg_advisory_xact_lock",
        "sql insert into published",
        "sql insert into ledger",
        "sql commit of a transaction",
        f"os.symlink .{DAY}",
        f"os.rename {DAY}",
        "sql update published",
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


def test_k1_a_kill_in_each_step_of_a_batch_leaves_its_days_whole_and_the_next_try_completes_them(
    published: Bench,
) -> None:
    days, middle = (DAY, *BATCH), BATCH[0]
    for day in BATCH:
        published.publish(day, "before", OLD)
    before = {day: published.seen(day) for day in days}
    for day in days:
        published.deliver(day, NEW)
    halfway: dict[str, set[Any]] = {day: set() for day in days}
    with ExitStack() as polled:
        readers = {day: polled.enter_context(published.reader(day)) for day in days}
        first = STEPS[0]
        for step, words in kills_of_a_batch(published, middle):
            assert published.do(DAY, "batch", others=BATCH, first=first, last=step, **words)["exit"] == -9, (
                step,
                words,
            )
            # The scheduler tries the step again, and then goes on with the next one.
            first = step
            for day in days:
                halfway[day].add(published.seen(day))
        assert published.do(DAY, "batch", others=BATCH, first=first)["error"] == ""
    for day in days:
        after = published.seen(day)
        assert after[0] == NEW
        assert readers[day].seen | halfway[day] == {before[day], after}
    # The kill came between the days: one was published already, the last one was not touched.
    assert [len(halfway[day]) for day in days] == [2, 2, 1]
    assert published.rows("select count(*) from daybook.ledger where pipeline = %s", published.pipeline.name) == [(6,)]
    published.check()


def kills_of_a_batch(bench: Bench, day: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return each step with a kill as it puts its receipt of a day in place; and in the last one at its publication."""
    folder = f"days/{bench.pipeline.name}/{day}/batch"
    receipts = [(step, {"at": "os.rename receipt.json", "within": f"{folder}/{step}"}) for step in STEPS]
    yield from receipts[:-1]
    yield from (("deploy", {"at": f"{operation}{day}"}) for operation in ("os.symlink .", "os.rename "))
    yield receipts[-1]


def test_k1_an_operation_that_fails_loses_nothing(published: Bench) -> None:
    count = len(operations(published))
    for number, at in enumerate(sorted(random.Random(SEED).sample(range(1, count), STRUCK))):
        strike_and_recover(published, f"run_{number}", at, "fail")


@contextmanager
def through(proxy: LostAnswers, bench: Bench) -> Iterator[str]:
    """Return the warehouse's connection string through a proxy."""
    with proxy:
        dsn = bench.servers.postgres.dsn("warehouse", "warehouse_owner")
        host, port = proxy.address
        yield psycopg.conninfo.make_conninfo(dsn, host=host, port=port)


def server_of(bench: Bench) -> Address:
    """Return where PostgreSQL listens."""
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


def test_k6_a_kill_of_the_server_at_any_moment_loses_nothing(published: Bench) -> None:
    crash_rounds(published, 2, random.Random(SEED))
