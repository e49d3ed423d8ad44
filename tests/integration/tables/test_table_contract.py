"""Tables from PostgreSQL, P1 to P4, P14 to P16: what is not as agreed is said, and what is read is what is there."""

from datetime import date

import pytest
from psycopg import sql

from daybook.errors import BadSpec
from daybook.postgres.marks import LocalDay
from daybook.spec import day_date, integer, text, timestamp
from tests.support.orders import ORDERS, Shop, refused


def test_a_table_is_copied_as_it_is(shop: Shop) -> None:
    assert shop.copy() == [
        "id,amount,at,note",
        "1,1.50,2013-01-05 10:00:00.000000,a",
        "2,2.50,2013-01-05 11:00:00.000000,",
    ]


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
        ("amount", "numeric(14,4)", "amount is numeric(14,4), numeric(12,2) agreed"),
        ("amount", "text", "amount is text, numeric(12,2) agreed"),
        ("id", "numeric(9,2)", "id is numeric(9,2), integer agreed"),
        ("at", "date", "at is date, timestamp agreed"),
    ],
)
def test_p3_a_type_that_does_not_fit_is_named(shop: Shop, column: str, type: str, says: str) -> None:
    check_refused_unread(shop, f"alter table fault_orders alter {column} type {type}", says)


def test_p3_an_instant_needs_no_time_zone(shop: Shop) -> None:
    here = timestamp("at", time_zone="Europe/Madrid")
    table = ORDERS.model_copy(update={"columns": (integer("id"), here), "day": "at"})
    shop.run("alter table fault_orders alter at type timestamptz")
    for read in (table, table.model_copy(update={"day": None})):
        with refused(BadSpec, "public.fault_orders.at is timestamp with time zone, an instant, and needs no time_zone"):
            shop.copy(read, on=LocalDay(date(2013, 1, 5), "Europe/Madrid"))
    assert not shop.path.exists()


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
def test_G12_names_are_quoted_whatever_they_are(shop: Shop, name: str) -> None:
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
