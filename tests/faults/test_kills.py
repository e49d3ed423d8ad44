"""A process or a server that dies at any moment: readers see the old or the new, and the next try mends it all."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.support.bench import DAY, NEW, OLD, Bench
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
