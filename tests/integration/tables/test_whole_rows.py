"""A table that is asked for its rows, and a copy of it, say the same of them, whatever the values are."""

from io import BytesIO
from typing import Any

import psycopg
import pytest

from daybook.postgres.copied_rows import copied_buckets, copied_state, headers, take_buckets
from daybook.postgres.copy_tables import SNAPSHOT
from daybook.postgres.session import begin
from daybook.postgres.whole_rows import copy_buckets, whole_buckets, whole_state
from daybook.spec import Table, boolean, day_date, decimal, integer, text, timestamp
from tests.support.orders import Shop

ROWS = """
    create table fault_odd (
        "a ""key"", once" text, kind text, n bigint, money numeric, ratio double precision, is_on boolean, born date,
        at timestamptz, code char(4), is_read boolean default true
    );
    insert into fault_odd values
        ('a,b', 'x', 1, 1.50, 0.1, true, '2013-01-05', '2013-01-05 10:00+02', 'ab', true),
        ('say "hi"', 'x', -1, 2.000, 1e300, false, '0044-03-15 BC', 'infinity', 'abcd', true),
        (E'two\\nlines', E'cr\\rhere', null, 'NaN', 'NaN', null, 'infinity', null, '', true),
        (E'"\\n,"', '', 3, 3, -0.0, true, null, '1883-11-18 12:03:57-04:56:02', null, true),
        ('', null, 9223372036854775807, -0.10, null, null, null, null, null, true),
        (null, '', 0, 12345678901234567890.12, 'Infinity', null, null, null, null, true),
        ('\\.', 'NA', 4, 4, 4, true, null, null, 'x', true), ('ünï', ' ', 5, 5, 5, true, null, null, 'y', true),
        ('t', 'true', 6, 6, 6, true, null, null, 'z', true), ('t', 'true', 6, 6, 6, true, null, null, 'z', true),
        ('left out', 'x', 7, 7, 7, true, null, null, 'w', false);
    insert into fault_odd select 'k' || n % 300, 'x', n, n / 7.0, n / 7.0, n % 2 = 0 from generate_series(1, 900) n;
    grant select on fault_odd to source_reader
"""
ODD = Table(
    name="orders",
    connection="source_db",
    relation="public.fault_odd",
    columns=(
        text('a "key", once', "a_key"),
        text("kind"),
        integer("n"),
        decimal("money", digits=18, scale=2),
        decimal("ratio", digits=18, scale=3),
        boolean("is_on", true_tokens=("t",), false_tokens=("f",)),
        day_date("born", format="%d/%m/%Y"),
        timestamp("at"),
        text("code"),
    ),
    where={"is_read": True},
)
KEY = ['a "key", once', "kind"]


@pytest.fixture
def asked(shop: Shop) -> Any:
    """A table of odd values; a session that reads it as the tasks do."""
    shop.run(ROWS)
    with shop.reader() as connection:
        begin(connection, SNAPSHOT)
        yield connection
    shop.run("drop table fault_odd")


def test_the_table_and_its_copy_have_the_same_rows_as_a_whole_and_by_bucket(
    shop: Shop, asked: psycopg.Connection[Any]
) -> None:
    shop.copy(ODD)
    copy = shop.path.read_bytes()
    assert headers(BytesIO(copy)) == [column.header for column in ODD.columns]
    state = whole_state(asked, ODD)
    assert state == copied_state(BytesIO(copy))
    assert state.rows == 910
    buckets = whole_buckets(asked, ODD, KEY)
    assert buckets == copied_buckets(BytesIO(copy), KEY)
    assert len(buckets) > 250
    some, fetched, taken = sorted(buckets)[::2], BytesIO(), BytesIO()
    copy_buckets(asked, ODD, KEY, some, fetched)
    take_buckets(BytesIO(copy), KEY, some, taken)
    assert sorted(fetched.getvalue().splitlines()) == sorted(taken.getvalue().splitlines())
    assert fetched.getvalue().count(b"\n") > 300
    assert whole_buckets(asked, ODD, []) == copied_buckets(BytesIO(copy), []) == {0: state}


@pytest.mark.parametrize("place", range(len(ODD.columns)))
def test_so_have_those_of_one_column(shop: Shop, asked: psycopg.Connection[Any], place: int) -> None:
    alone = Table(**(ODD.model_dump() | {"columns": (ODD.columns[place],)}))
    shop.copy(alone)
    assert whole_state(asked, alone) == copied_state(BytesIO(shop.path.read_bytes()))


@pytest.mark.parametrize(
    "change",
    ["update {} set kind = null where kind = ''", "delete from {} where n = 6", "update {} set n = 8 where n = 6"],
)
def test_every_change_of_a_row_that_is_read_is_another_state(
    shop: Shop, asked: psycopg.Connection[Any], change: str
) -> None:
    before = whole_state(asked, ODD)
    asked.commit()
    shop.run("update fault_odd set n = 99 where not is_read", "create table fault_copy as table fault_odd")
    shop.run("truncate fault_odd", "insert into fault_odd select * from fault_copy order by n desc")
    shop.run("drop table fault_copy")
    assert whole_state(asked, ODD) == before
    asked.commit()
    shop.run(change.format("fault_odd"))
    assert whole_state(asked, ODD) != before
