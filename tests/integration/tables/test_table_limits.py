"""Tables from PostgreSQL, P5 to P13: what may pass is tried again, what is refused is not, and nothing hangs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from daybook.errors import BadSpec, DaybookError, SourceUnavailable
from daybook.postgres import copy_tables as extracting
from daybook.postgres.copy_tables import copy_tables
from daybook.postgres.session import at_once
from daybook.spec import Table, integer
from deployment.servers.databases import LOGINS
from tests.support.orders import ORDERS, Shop, refused
from tests.support.pgbouncer import Pooled
from tests.support.proxy import Fault, Proxy, cut, silence


def quick(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Make a time limit of the session short; the last setting counts."""
    for name in ("SETTINGS", "SNAPSHOT"):
        monkeypatch.setattr(extracting, name, f"{getattr(extracting, name)}; set local {setting}")


def slow_view(shop: Shop, seconds: float) -> Table:
    """Return a view of the orders whose first row takes a while."""
    shop.run(
        f"create view slow_orders as select fault_orders.* from fault_orders, pg_sleep({seconds})",
        "grant select on slow_orders to source_reader",
    )
    return ORDERS.model_copy(update={"relation": "public.slow_orders"})


@contextmanager
def in_between(shop: Shop, *faults: Fault) -> Iterator[Callable[[], Any]]:
    """Return a way to connect through a proxy, whose first connections have these faults."""
    with Proxy(("127.0.0.1", shop.postgres.port), faults=iter(faults)) as proxy:
        host, port = proxy.address
        dsn = make_conninfo(shop.postgres.dsn("source", "source_reader"), host=host, port=port, connect_timeout=2)
        yield lambda: psycopg.connect(dsn)


def check_asked_once(shop: Shop, kind: type[DaybookError], says: str, **words: str) -> None:
    """Connect with these words; it must be refused, and not be tried again at once: that is how accounts get locked."""
    dsn, tries = make_conninfo(shop.postgres.dsn("source", "source_reader"), **words), []

    def connect() -> psycopg.Connection[Any]:
        tries.append(1)
        return psycopg.connect(dsn)

    with refused(kind, says):
        shop.copy(connect=connect)
    assert len(tries) == 1


@pytest.fixture
def many(shop: Shop) -> Shop:
    """A table of some megabytes."""
    shop.run(
        "insert into fault_orders select number, 1, '2013-01-05', repeat('canary', 20) "
        "from generate_series(3, 40000) number"
    )
    return shop


def test_p5_a_locked_table_says_who_holds_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch, "lock_timeout = '200ms'")
    with shop.owner() as other:
        other.execute("alter table fault_orders add canary text")
        with refused(SourceUnavailable, f"public.fault_orders by process {other.info.backend_pid} is locked"):
            shop.copy()
    assert len(shop.copy()) == 3


def test_p5_a_table_that_is_rewritten_while_we_wait_for_it_is_not_read_as_empty(shop: Shop) -> None:
    with shop.owner() as other:
        other.execute("alter table fault_orders alter id type bigint")
        ended = threading.Timer(0.5, other.commit)
        ended.start()
        lines = shop.copy()
        ended.join()
    assert len(lines) == 3


def test_p6_a_statement_that_takes_too_long_is_stopped_and_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch, "statement_timeout = '300ms'")
    with refused(SourceUnavailable, "57014", "query's plan"):
        shop.copy(slow_view(shop, 5))


def test_p8_a_query_that_works_for_long_without_a_byte_is_not_cut(shop: Shop) -> None:
    assert len(shop.copy(slow_view(shop, 1.5), silence_s=0.3)) == 3


def test_p8_a_query_that_works_for_long_behind_a_pooler_is_not_cut(shop: Shop, pooled: Pooled) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(pooled.dsn("source", "source_reader"))

    assert len(shop.copy(slow_view(shop, 1.5), connect=connect, silence_s=0.3)) == 3


@pytest.mark.parametrize("after_bytes", [400, 2_000, 100_000, 3_000_000])
def test_p7_a_line_that_is_cut_is_read_anew_from_the_start(many: Shop, after_bytes: int) -> None:
    with in_between(many, Fault(after_bytes, cut)) as connect:
        if after_bytes < 1_000:
            with refused(SourceUnavailable, "nothing was kept of it"):
                many.copy(connect=connect)
        assert len(many.copy(connect=connect)) == 40_001


def test_p7_a_line_that_is_cut_every_time_is_left_for_the_next_try(many: Shop) -> None:
    with in_between(many, *[Fault(100_000, cut)] * 3) as connect, refused(SourceUnavailable, "nothing was kept of it"):
        many.copy(connect=connect)
    assert not many.path.exists()


@pytest.mark.parametrize("after_bytes", [100_000, 4_000_000])
def test_p8_a_line_that_falls_silent_is_given_up(many: Shop, after_bytes: int) -> None:
    started = time.monotonic()
    lines = in_between(many, Fault(after_bytes, silence), Fault(0, silence))
    with lines as connect, refused(SourceUnavailable, "no data for 0.5 s", "the connection was cut"):
        many.copy(connect=connect, silence_s=0.5)
    assert time.monotonic() - started < 20
    assert not many.path.exists()
    assert len(many.copy()) == 40_001


@pytest.mark.parametrize("words", [{"port": "1"}, {"host": "no.such.host.invalid"}])
def test_p9_a_server_that_cannot_be_reached_is_tried_again(shop: Shop, words: dict[str, str]) -> None:
    check_asked_once(shop, SourceUnavailable, "nothing was kept of it", **words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"password": "canary"}, "password authentication failed"),
        ({"dbname": "nowhere"}, "does not exist"),
        ({"dbname": "airflow"}, "permission denied for database"),
    ],
)
def test_p11_a_login_that_is_refused_is_not_tried_again(shop: Shop, words: dict[str, str], says: str) -> None:
    check_asked_once(shop, BadSpec, says, **words)


def test_p9_a_port_that_takes_the_line_and_says_nothing_is_given_up(shop: Shop) -> None:
    with in_between(shop, Fault(0, silence)) as connect, refused(SourceUnavailable, "nothing was kept of it"):
        shop.copy(connect=connect)


def test_p10_too_many_connections_are_tried_again(shop: Shop) -> None:
    with psycopg.connect(shop.postgres.dsn("source"), autocommit=True) as superuser:
        superuser.execute("alter role source_reader connection limit 0")
        try:
            with refused(SourceUnavailable, "too many connections", "nothing was kept of it"):
                shop.copy()
        finally:
            superuser.execute("alter role source_reader connection limit -1")


@pytest.mark.parametrize("kind", [psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected])
def test_p12_a_deadlock_is_tried_again_at_once_up_to_three_times(shop: Shop, kind: type[psycopg.Error]) -> None:
    def raise_it(connection: psycopg.Connection[Any], state: str) -> None:
        connection.execute(
            sql.SQL("do $$ begin raise exception 'canary' using errcode = {}; end $$").format(sql.Literal(state))
        )

    tries: list[int] = []

    def fails_twice(connection: psycopg.Connection[Any]) -> int:
        tries.append(1)
        if len(tries) < 3:
            raise_it(connection, str(kind.sqlstate))
        return len(tries)

    assert at_once(shop.reader, fails_twice) == 3
    tries.extend([1] * -3)
    with pytest.raises(SourceUnavailable, match=str(kind.sqlstate)):
        at_once(shop.reader, lambda connection: raise_it(connection, str(kind.sqlstate)))


def test_p13_all_tables_are_of_one_moment(shop: Shop) -> None:
    shop.run("create table fault_stock as select 100 as id, 0 as moved", "insert into fault_orders values (100, 0)")
    stock = Table(
        name="stock",
        connection="source_db",
        relation="public.fault_stock",
        columns=(integer("id"), integer("moved")),
    )
    is_over = threading.Event()

    def move() -> None:
        with shop.owner() as connection:
            while not is_over.is_set():
                connection.execute("update fault_stock set moved = moved + 1")
                connection.execute("update fault_orders set amount = amount - 1 where id = 100")
                connection.commit()

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for _ in range(20):
            copy_tables(shop.reader, (ORDERS, stock), shop.folder)
            moved = (shop.path.parent / "stock.csv").read_text().splitlines()[1].split(",")[1]
            amount = shop.path.read_text().splitlines()[-1].split(",")[1]
            assert float(moved) + float(amount) == 0
    finally:
        is_over.set()
        mover.join()
        shop.run("drop table fault_stock")


def test_no_password_of_the_deployment_is_in_a_message(shop: Shop) -> None:
    secrets = [getattr(shop.postgres.secrets, name) for name in LOGINS]
    with pytest.raises(BadSpec) as raised:
        at_once(lambda: psycopg.connect(make_conninfo(shop.postgres.dsn("source", "analyst"))), lambda _: None)
    assert not any(secret in str(raised.value) for secret in secrets)
