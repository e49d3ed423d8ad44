"""Tables from PostgreSQL, P1 to P16: what is not as agreed is said, what may pass is tried again, nothing hangs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from upath import UPath

from daybook import postgres as extracting
from daybook.errors import BadSpec, DaybookError, SourceUnavailable
from daybook.folder import Folder
from daybook.load import load
from daybook.postgres import copy_tables
from daybook.postgres_session import at_once
from daybook.spec import Table, day_date, decimal, integer, text, timestamp
from deployment.databases import LOGINS
from deployment.postgres_server import LocalPostgres
from tests.proxy import Fault, Proxy, cut, silence

ORDERS = Table(
    name="orders",
    connection="source_db",
    relation="public.fault_orders",
    columns=(integer("id"), decimal("amount", digits=12, scale=2), timestamp("at"), text("note")),
    key=("id",),
)
TEXT_COLUMNS = "id integer, amount numeric(12,2), at timestamp, note text"


class Shop:
    """A table of orders in the source database, and a folder to copy it to."""

    def __init__(self, postgres: LocalPostgres, folder: Path) -> None:
        self.postgres, self.folder = postgres, Folder(UPath(folder.as_uri()))
        self.path = folder / "orders.csv"

    def owner(self, **words: Any) -> psycopg.Connection[Any]:
        """Connect as the one who may change the table."""
        return psycopg.connect(self.postgres.dsn("source", "source_owner"), **words)

    def reader(self) -> psycopg.Connection[Any]:
        """Connect as the tasks do."""
        return psycopg.connect(self.postgres.dsn("source", "source_reader"))

    def run(self, *statements: str) -> None:
        """Do statements as the owner."""
        with self.owner() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def copy(self, table: Table = ORDERS, connect: Callable[[], Any] | None = None, **words: Any) -> list[str]:
        """Copy the table as the step does; give its lines."""
        copy_tables(connect or self.reader, (table,), self.folder, **words)
        return self.path.read_text().splitlines()

    def loaded(self) -> tuple[list[dict[str, Any]], list[tuple[str | None, str]]]:
        """Load what was copied; give its kept rows, and column and reason of its refused ones."""
        with self.path.open("rb") as file:
            batches = list(load(file, ORDERS))
        kept = [row for batch in batches for row in batch.kept.to_pylist()]
        refused = [(row["column"], row["reason"]) for batch in batches for row in batch.refused.to_pylist()]
        return kept, refused


@pytest.fixture
def shop(source: None, postgres: LocalPostgres, tmp_path: Path) -> Iterator[Shop]:
    """The table with two orders."""
    shop = Shop(postgres, tmp_path)
    shop.run(
        f"create table fault_orders ({TEXT_COLUMNS})",
        "insert into fault_orders values (1, 1.50, '2013-01-05 10:00', 'a'), (2, 2.50, '2013-01-05 11:00', null)",
    )
    yield shop
    shop.run("drop table if exists fault_orders cascade")


def test_a_table_is_copied_as_it_is(shop: Shop) -> None:
    assert shop.copy() == ["id,amount,at,note", "1,1.50,2013-01-05 10:00:00,a", "2,2.50,2013-01-05 11:00:00,"]


@contextmanager
def refused(kind: type[DaybookError], *words: str) -> Iterator[None]:
    """Expect an error of that kind which says these words, in one line, and no value of a row."""
    with pytest.raises(kind) as raised:
        yield
    message = str(raised.value)
    assert "\n" not in message
    assert all(word in message for word in words), message
    assert "canary" not in message


def check_refused_unread(shop: Shop, change: str, *says: str) -> None:
    """Change the table; it must be refused with these words, before a byte of it is read."""
    shop.run(change)
    with refused(BadSpec, *says):
        shop.copy()
    assert not shop.path.exists()


def test_p1_a_table_that_is_not_there_is_named(shop: Shop) -> None:
    check_refused_unread(shop, "drop table fault_orders", "public.fault_orders is not there, or not ours to see")


def test_p2_a_column_that_was_renamed_is_named_with_its_likely_new_name(shop: Shop) -> None:
    change = "alter table fault_orders rename amount to amount_eur"
    check_refused_unread(shop, change, "no column 'amount'", "did you mean 'amount_eur'?")


def test_p2_all_columns_that_are_missing_are_in_one_message(shop: Shop) -> None:
    change = "alter table fault_orders drop note, drop at"
    check_refused_unread(shop, change, "no column 'note'", "no column 'at'")


@pytest.mark.parametrize(
    ("column", "type", "says"),
    [
        ("amount", "text", "amount is text, numeric(12,2) agreed"),
        ("amount", "numeric(14,4)", "amount is numeric(14,4), numeric(12,2) agreed"),
        ("amount", "double precision", "amount is double precision, numeric(12,2) agreed"),
        ("id", "numeric", "id is numeric, integer agreed"),
        ("at", "date", "at is date, timestamp agreed"),
    ],
)
def test_p3_a_type_that_does_not_fit_is_named(shop: Shop, column: str, type: str, says: str) -> None:
    check_refused_unread(shop, f"alter table fault_orders alter {column} type {type}", says)


def test_p4_a_right_that_was_taken_away_is_named(shop: Shop) -> None:
    change = "revoke select on fault_orders from source_reader"
    check_refused_unread(shop, change, "permission denied for table fault_orders")


@pytest.mark.parametrize(
    "change",
    [
        "alter id type bigint",
        "alter amount type numeric(9,1)",
        "alter at type timestamptz",
        "alter at type timestamp(3)",
    ],
)
def test_p3_a_type_that_fits_all_the_same_is_read(shop: Shop, change: str) -> None:
    shop.run(f"alter table fault_orders {change}")
    assert shop.copy()[1].startswith("1,1.5")


def quick(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Make a time limit of the session short; the last setting counts."""
    monkeypatch.setattr(extracting, "SETTINGS", f"{extracting.SETTINGS}; set {setting}")


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


def slow_view(shop: Shop, seconds: float) -> Table:
    """Give a view of the orders whose first row takes a while."""
    shop.run(
        f"create view slow_orders as select fault_orders.* from fault_orders, pg_sleep({seconds})",
        "grant select on slow_orders to source_reader",
    )
    return ORDERS.model_copy(update={"relation": "public.slow_orders"})


def test_p6_a_statement_that_takes_too_long_is_stopped_and_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch, "statement_timeout = '300ms'")
    with refused(SourceUnavailable, "57014", "query's plan"):
        shop.copy(slow_view(shop, 5))


def test_p8_a_query_that_works_for_long_without_a_byte_is_not_cut(shop: Shop) -> None:
    assert len(shop.copy(slow_view(shop, 1.5), silence_s=0.3)) == 3


@pytest.fixture
def many(shop: Shop) -> Shop:
    """A table of some megabytes."""
    shop.run(
        "insert into fault_orders select number, 1, '2013-01-05', repeat('canary', 20) "
        "from generate_series(3, 40000) number"
    )
    return shop


@contextmanager
def in_between(shop: Shop, *faults: Fault) -> Iterator[Callable[[], Any]]:
    """Give a way to connect through a proxy, whose first connections have these faults."""
    with Proxy(("127.0.0.1", shop.postgres.port), faults=iter(faults)) as proxy:
        host, port = proxy.address
        dsn = make_conninfo(shop.postgres.dsn("source", "source_reader"), host=host, port=port, connect_timeout=2)
        yield lambda: psycopg.connect(dsn)


@pytest.mark.parametrize("after_bytes", [400, 2_000, 100_000, 3_000_000])
def test_p7_a_line_that_is_cut_is_read_anew_from_the_start(many: Shop, after_bytes: int) -> None:
    with in_between(many, Fault(after_bytes, cut)) as connect:
        if after_bytes < 1_000:
            with refused(SourceUnavailable, "tried again"):
                many.copy(connect=connect)
        assert len(many.copy(connect=connect)) == 40_001


def test_p7_a_line_that_is_cut_every_time_is_left_for_the_next_try(many: Shop) -> None:
    with in_between(many, *[Fault(100_000, cut)] * 3) as connect, refused(SourceUnavailable, "tried again"):
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


def check_asked_once(shop: Shop, kind: type[DaybookError], says: str, **words: str) -> None:
    """Connect with these words; it must be refused, and not be tried again at once: that is how accounts get locked."""
    dsn, tries = make_conninfo(shop.postgres.dsn("source", "source_reader"), **words), []

    def connect() -> psycopg.Connection[Any]:
        tries.append(1)
        return psycopg.connect(dsn)

    with refused(kind, says):
        shop.copy(connect=connect)
    assert len(tries) == 1


@pytest.mark.parametrize("words", [{"port": "1"}, {"host": "no.such.host.invalid"}])
def test_p9_a_server_that_cannot_be_reached_is_tried_again(shop: Shop, words: dict[str, str]) -> None:
    check_asked_once(shop, SourceUnavailable, "tried again", **words)


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
    with in_between(shop, Fault(0, silence)) as connect, refused(SourceUnavailable, "tried again"):
        shop.copy(connect=connect)


def test_p10_too_many_connections_are_tried_again(shop: Shop) -> None:
    with psycopg.connect(shop.postgres.dsn("source"), autocommit=True) as superuser:
        superuser.execute("alter role source_reader connection limit 0")
        try:
            with refused(SourceUnavailable, "too many connections", "tried again"):
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


def check_refused_row(shop: Shop, row: str, column: str) -> None:
    """Add an order; it must be refused for this column, and the other two kept."""
    shop.run(f"insert into fault_orders values {row}")
    shop.copy()
    kept, refused_rows = shop.loaded()
    assert [order["id"] for order in kept] == [1, 2]
    assert [found for found, _ in refused_rows] == [column]


def test_p14_a_number_that_is_none_is_a_refused_row(shop: Shop) -> None:
    check_refused_row(shop, "(3, 'NaN', '2013-01-05', 'x')", "amount")


@pytest.mark.parametrize("instant", ["infinity", "-infinity", "0044-03-15 BC", "12026-01-01"])
def test_p15_an_instant_that_no_calendar_of_ours_holds_is_a_refused_row(shop: Shop, instant: str) -> None:
    check_refused_row(shop, f"(3, 1, '{instant}', 'x')", "at")


def test_p14_infinity_in_a_numeric_without_digits_is_a_refused_row(shop: Shop) -> None:
    shop.run("alter table fault_orders alter amount type numeric", "insert into fault_orders values (3, 'Infinity')")
    shop.copy()
    kept, refused_rows = shop.loaded()
    assert len(kept) == 2
    assert refused_rows[0][0] == "amount"


@pytest.mark.parametrize("odd", ['a"b,c', "\u202ed \u00a0é", "two\nlines", " blanks ", "", "NA"])
def test_p16_texts_that_look_odd_stay_as_they_are(shop: Shop, odd: str) -> None:
    with shop.owner() as connection:
        connection.execute("update fault_orders set note = %s where id = 1", [odd])
    shop.copy()
    assert [order["note"] for order in shop.loaded()[0]] == [odd, None]


def test_p16_a_control_byte_is_a_refused_row(shop: Shop) -> None:
    shop.run("update fault_orders set note = 'a' || chr(31) where id = 1")
    shop.copy()
    kept, refused_rows = shop.loaded()
    assert [order["id"] for order in kept] == [2]
    assert len(refused_rows) == 1


@pytest.mark.parametrize("name", ['x"; drop table fault_orders; --', "select", "a" * 63, "größe", 'a"b', "with space"])
def test_names_are_quoted_whatever_they_are(shop: Shop, name: str) -> None:
    quoted = sql.Identifier(name).as_string(None)
    shop.run(f"create table {quoted} (id integer, {quoted} text)", f"insert into {quoted} values (7, 'kept')")
    table = ORDERS.model_copy(
        update={"relation": f"public.{name}", "columns": (integer("id"), text(name, "note")), "key": ("id",)}
    )
    try:
        assert shop.copy(table)[1] == "7,kept"
        assert shop.copy()[1].startswith("1,")
    finally:
        shop.run(f"drop table {quoted}")


def test_a_date_is_written_in_the_format_of_the_spec(shop: Shop) -> None:
    shop.run("alter table fault_orders add born date default '2013-02-01'")
    table = ORDERS.model_copy(update={"columns": (integer("id"), day_date("born", format="%d.%m.%Y"))})
    assert shop.copy(table)[1] == "1,01.02.2013"


def test_no_password_of_the_deployment_is_in_a_message(shop: Shop) -> None:
    secrets = [getattr(shop.postgres.secrets, name) for name in LOGINS]
    with pytest.raises(BadSpec) as raised:
        at_once(lambda: psycopg.connect(make_conninfo(shop.postgres.dsn("source", "analyst"))), lambda _: None)
    assert not any(secret in str(raised.value) for secret in secrets)
