"""A table's rows of a day wait for their mark, up to its cut-off, and are never read by halves."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest

from daybook.errors import BadData, BadSpec, NotYet
from daybook.postgres.marks import LocalDay
from daybook.spec import Table, TableReady, integer, timestamp
from tests.support.orders import Shop, refused

ZONE = "America/New_York"
PAST = date(2013, 1, 5)


def yesterday() -> date:
    """Return a day whose cut-off, a minute before the end of the day after it, has not come in New York."""
    return (datetime.now(UTC) - timedelta(hours=5)).date() - timedelta(days=1)


def orders(**words: Any) -> Table:
    """Return the orders, read by day, which wait for the mark of a finished load."""
    ready = {
        "relation": "public.fault_loads",
        "day": "loaded_for",
        "where": {"state": "done"},
        "cut_off": time(23, 59, 59),
    }
    return Table(
        name="orders",
        connection="source_db",
        relation="public.fault_orders",
        columns=(integer("id"), timestamp("at", time_zone=ZONE)),
        day="at",
        ready=TableReady(**(ready | words)),
    )


@pytest.fixture
def loads(shop: Shop) -> Iterator[Shop]:
    """The shop, with a table of marks: a load that is not done, of a past day and of yesterday."""
    shop.run(
        "create table fault_loads (loaded_for date, loaded_at timestamptz, loaded_here timestamp, state text)",
        f"insert into fault_loads values ('2013-01-05', '2013-01-06 03:00Z', '2013-01-05 22:00', 'begun'), "
        f"('{yesterday()}', null, null, 'begun')",
        "grant select on fault_loads to source_reader",
    )
    yield shop
    shop.run("drop table fault_loads")


def copy(shop: Shop, table: Table, day: date = PAST) -> list[str]:
    """Copy the rows of a day; give its lines without the header."""
    return shop.copy(table, on=LocalDay(day, ZONE))[1:]


def test_a_day_without_its_mark_is_waited_for_until_the_cut_off(loads: Shop) -> None:
    with pytest.raises(NotYet) as raised:
        copy(loads, orders(), yesterday())
    says = f"public.fault_orders is not ready: public.fault_loads has no row of {yesterday()} with state done (cut-off "
    assert says in str(raised.value)
    assert [(awaited.what, awaited.found in says) for awaited in raised.value.awaited] == [("orders", True)]
    assert timedelta(0) < raised.value.look_again_at - datetime.now(UTC) <= timedelta(seconds=60)
    with refused(BadData, "late: public.fault_orders is not ready", "the cut-off was 2013-01-06 23:59:59-05:00"):
        copy(loads, orders())
    assert not loads.path.exists()


@pytest.mark.parametrize(
    "words",
    [{"day": "loaded_for"}, {"day": "loaded_at"}, {"day": "loaded_here", "time_zone": ZONE}, {"where": {}}],
)
def test_a_mark_of_the_local_day_lets_it_be_read(loads: Shop, words: dict[str, Any]) -> None:
    loads.run("update fault_loads set state = 'done'")
    assert len(copy(loads, orders(**words))) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"relation": "public.fault_load"}, "relation: public.fault_load is not there"),
        ({"day": "loaded"}, "day: public.fault_loads has no column 'loaded'; did you mean 'loaded_"),
        ({"day": "state", "where": {}}, "public.fault_loads.state is text; it takes a date or a timestamp"),
        ({"day": "loaded_here"}, "write time_zone='Europe/Madrid'"),
        ({"day": "loaded_at", "time_zone": ZONE}, "time_zone: 'America/New_York' is refused"),
        ({"where": {"stat": "done"}}, "where: public.fault_loads has no column 'stat'; did you mean 'state'?"),
        ({"where": {"loaded_for": "done"}}, "where: public.fault_loads.loaded_for is date, and is never 'done'"),
    ],
)
def test_a_mark_that_cannot_be_is_refused(loads: Shop, words: dict[str, Any], says: str) -> None:
    with refused(BadSpec, says):
        copy(loads, orders(**words))


def test_rows_that_are_written_while_a_day_is_read_are_in_all_of_it_or_in_none(shop: Shop) -> None:
    table = orders().model_copy(update={"ready": None})
    with shop.owner() as connection:
        connection.execute("update fault_orders set id = id + 10")
        assert copy(shop, table) == ["1,2013-01-05 10:00:00.000000", "2,2013-01-05 11:00:00.000000"]
        connection.execute("delete from fault_orders")
        assert len(copy(shop, table)) == 2
    assert copy(shop, table) == []


def test_a_table_that_is_emptied_and_filled_again_is_read_as_it_is_then_and_never_empty(shop: Shop) -> None:
    table = orders().model_copy(update={"ready": None})
    with shop.owner() as connection:
        connection.execute("truncate fault_orders")
        filled = threading.Timer(0.5, fill, [connection])
        filled.start()
        assert copy(shop, table) == ["7,2013-01-05 10:00:00.000000"]
        filled.join()


def fill(connection: psycopg.Connection[Any]) -> None:
    """Fill the emptied table again, and commit."""
    connection.execute("insert into fault_orders values (7, 1, '2013-01-05 10:00', null)")
    connection.commit()
