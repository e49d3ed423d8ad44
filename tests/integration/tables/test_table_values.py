"""Values of PostgreSQL's types as the loader gets them: none is cut, rounded or shifted on the way."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from psycopg import sql

from daybook.errors import BadSpec
from daybook.loader.load import load
from daybook.spec import Column, Table, clock_time, day_date, decimal, integer, text, timestamp
from tests.support.orders import Shop, refused

TYPES = (
    "create type mood as enum ('glad', 'sad')",
    "create domain postcode as char(8)",
    "create domain price as numeric(10,2)",
    "create domain low_price as price check (value < 100)",
)


@pytest.fixture
def typed(shop: Shop) -> Any:
    """The shop, with types of its own."""
    shop.run(*TYPES)
    yield shop
    shop.run(
        "drop table if exists fault_typed", "drop domain low_price", "drop domain price, postcode", "drop type mood"
    )


Values = tuple[list[Any], list[str]]


def values(shop: Shop, type: str, column: Column, *written: str) -> Values:
    """Store values in a column of that type, copy and load it; return those kept and the reasons for the others."""
    fill_table(shop, type, *written)
    table = Table(name="orders", connection="source_db", relation="public.fault_typed", columns=(column,))
    shop.copy(table)
    with shop.path.open("rb") as file:
        batches = list(load(file, patient(table)))
    kept = [value for batch in batches for value in batch.kept[column.name].to_pylist()]
    return kept, [row["reason"] for batch in batches for row in batch.refused.to_pylist()]


def patient(table: Table) -> Table:
    """Return the table with limits that any number of refused rows keeps to."""
    return table.model_copy(update={"limits": table.limits.model_copy(update={"refused_rows": 1000, "at_least": 1000})})


def fill_table(shop: Shop, type: str, *written: str) -> None:
    """Make a table of one column of that type, in the order of its values."""
    shop.run("drop table if exists fault_typed", f"create table fault_typed (x {type}, n serial)")
    with shop.owner() as connection:
        for value in written:
            connection.execute(sql.SQL("insert into fault_typed (x) values ({})").format(sql.Literal(value)))
    shop.run("grant select on fault_typed to source_reader")


def instant(*words: int) -> datetime:
    """Return an instant in UTC."""
    return datetime(*words, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%d.%m.%Y %H:%M:%S.%f",
        "%d %b %Y, %I:%M:%S %p",
        "%B %d, %Y at %H:%M:%S",
        "%Y/%j %H:%M:%S",
        "%Y-%m-%d %H:%M:%S%z",
        '%Y"M\\%m-%d D %H:%M:%S %%',
    ],
)
@pytest.mark.parametrize("type", ["timestamp", "timestamptz"])
def test_case_51_a_tables_times_come_to_the_microsecond_whatever_the_format(typed: Shop, type: str, form: str) -> None:
    written = ["2024-03-05 10:00:00.123456", "2024-12-31 23:59:59.999999", "2024-05-01 00:30:00", "1000-01-01 12:00:00"]
    wanted = [
        instant(2024, 3, 5, 10, 0, 0, 123456),
        instant(2024, 12, 31, 23, 59, 59, 999999),
        instant(2024, 5, 1, 0, 30),
        instant(1000, 1, 1, 12),
    ]
    assert values(typed, type, timestamp("x", format=form), *written) == (wanted, [])


def test_a_format_without_a_fraction_that_escaped_the_spec_refuses_the_row(typed: Shop) -> None:
    column = timestamp("x")
    table = Table(name="orders", connection="source_db", relation="public.fault_typed", columns=(column,))
    fill_table(typed, "timestamp", "2024-03-05 10:00:00", "2024-03-05 10:00:00.5")
    assert typed.copy(table.model_copy(update={"columns": (column,)}))[1:] == [
        "2024-03-05 10:00:00",
        "2024-03-05 10:00:00.5",
    ]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_an_instant_is_the_same_whatever_the_time_zone_of_the_role(typed: Shop, zone: str) -> None:
    with typed.owner() as connection:
        connection.execute(sql.SQL("set timezone = {}").format(sql.Literal(zone)))
        connection.execute("create table fault_typed (x timestamptz)")
        connection.execute("insert into fault_typed values ('2024-03-05 10:00:00+05:30')")
        connection.execute("grant select on fault_typed to source_reader")
    table = Table(name="orders", connection="source_db", relation="public.fault_typed", columns=(timestamp("x"),))

    def elsewhere() -> Any:
        session = typed.reader()
        session.execute(sql.SQL("set timezone = {}").format(sql.Literal(zone)))
        session.execute("set datestyle = 'German'")
        session.commit()
        return session

    assert typed.copy(table, connect=elsewhere) == ["x", "2024-03-05 04:30:00.000000"]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d %b %Y", "%Y%j", "%d. %B %Y"])
def test_a_tables_dates_come_whole_whatever_the_format(typed: Shop, form: str) -> None:
    written = ["2024-02-29", "1924-12-31", "9999-12-31"]
    wanted = [date(2024, 2, 29), date(1924, 12, 31), date(9999, 12, 31)]
    assert values(typed, "date", day_date("x", format=form), *written) == (wanted, [])


def test_a_tables_clock_times_are_seconds_and_no_part_of_one_is_cut(typed: Shop) -> None:
    written = ["07:45", "23:59:59", "24:00", "07:45:00.5"]
    column = clock_time("x", hour_24="next_day")
    assert values(typed, "time", column, *written) == ([27900, 86399, 86400], ["not_a_clock_time"])
    with refused(BadSpec, "x is text, time agreed"):
        values(typed, "text", column, *written)


@pytest.mark.parametrize(("type", "column"), [("date", day_date("x")), ("timestamp", timestamp("x"))])
def test_case_56_days_that_no_calendar_of_ours_holds_are_refused_and_not_cut(
    typed: Shop, type: str, column: Column
) -> None:
    written = ["0044-03-15 BC", "infinity", "-infinity", "12024-03-05", "0999-12-31"]
    kept, reasons = values(typed, type, column, *written, *["2024-03-05"] * 5)
    assert len(kept) == 5
    assert len(reasons) == 5


def amount(scale: int) -> Column:
    """Return a decimal of 12 digits."""
    return decimal("x", digits=12, scale=scale)


D = Decimal


@pytest.mark.parametrize(
    ("type", "column", "written", "wanted"),
    [
        ("double precision", amount(6), ["0.1", "1e-6", "123456.123456"], ["0.1", "0.000001", "123456.123456"]),
        ("double precision", amount(0), ["-2", "1e5"], ["-2", "100000"]),
        ("real", amount(2), ["1.1", "12345.67", "0.25"], ["1.1", "12345.67", "0.25"]),
        ("numeric", amount(2), ["2.0000", "1.5", "-0.10", "100"], ["2", "1.5", "-0.1", "100"]),
        ("numeric(12,1)", amount(2), ["2.0", "1.5"], ["2", "1.5"]),
        ("money", amount(2), ["12.34", "-1000.00"], ["12.34", "-1000"]),
        ("low_price", amount(2), ["12.34", "99.99"], ["12.34", "99.99"]),
        ("smallint", amount(0), ["12", "-1"], ["12", "-1"]),
    ],
)
def test_case_52_a_number_comes_exactly_at_the_declared_scale(
    typed: Shop, type: str, column: Column, written: list[str], wanted: list[str]
) -> None:
    assert values(typed, type, column, *written) == ([D(number) for number in wanted], [])


@pytest.mark.parametrize(
    ("type", "written"),
    [
        ("double precision", ["0.125", "0.30000000000000004", "1e-7", "NaN", "Infinity", "-Infinity", "1e300"]),
        ("real", ["0.125", "1.001", "NaN", "Infinity"]),
        ("numeric", ["0.125", "2.0001", "NaN", "Infinity", "-Infinity", "12345678901"]),
    ],
)
def test_case_56_a_number_that_is_finer_or_none_is_refused_and_not_rounded(
    typed: Shop, type: str, written: list[str]
) -> None:
    kept, reasons = values(typed, type, amount(2), *written, *["1.5"] * len(written))
    assert kept == [D("1.5")] * len(written)
    assert set(reasons) <= {"too_many_decimals", "too_many_digits", "not_a_decimal"}
    assert len(reasons) == len(written)


@pytest.mark.parametrize("type", ["numeric(10,0)", "numeric(20)", "numeric", "oid", "smallint", "bigint"])
def test_case_52_whole_numbers_of_any_type_are_integers(typed: Shop, type: str) -> None:
    assert values(typed, type, integer("x"), "12", "1000") == ([12, 1000], [])


def test_a_whole_number_beyond_64_bits_is_refused(typed: Shop) -> None:
    kept = values(typed, "numeric(20,0)", integer("x"), "9223372036854775807", "9223372036854775808")
    assert kept == ([9223372036854775807], ["integer_out_of_range"])


def test_a_numeric_without_a_scale_gives_its_whole_numbers_and_refuses_the_others(typed: Shop) -> None:
    kept, reasons = values(typed, "numeric", integer("x"), "7.000", "-12", "1e3", "0.5", "NaN", *["1"] * 5)
    assert kept == [7, -12, 1000, *[1] * 5]
    assert reasons == ["not_an_integer"] * 2


def test_local_times_are_the_instants_at_which_the_clock_of_their_zone_showed_them(typed: Shop) -> None:
    written = ["2024-03-05 10:00:00.5", "2024-11-03 00:59", "2024-11-03 01:30", "2024-11-03 02:00", "2024-03-10 02:30"]
    wanted = [
        instant(2024, 3, 5, 15, 0, 0, 500000),
        instant(2024, 11, 3, 4, 59),
        instant(2024, 11, 3, 6, 30),
        instant(2024, 11, 3, 7),
        instant(2024, 3, 10, 7, 30),
    ]
    column = timestamp("x", time_zone="America/New_York", repeated_hour="second", skipped_hour="shift")
    assert values(typed, "timestamp", column, *written) == (wanted, [])
    column = timestamp("x", time_zone="America/New_York")
    kept, reasons = values(typed, "timestamp", column, *written, *["2024-03-05 12:00"] * 5)
    assert (len(kept), reasons) == (8, ["repeated_hour", "skipped_hour"])


@pytest.mark.parametrize(
    ("type", "written", "wanted"),
    [
        ("mood", "sad", "sad"),
        ("postcode", "8001", "8001"),
        ("char(5)", "AA", "AA"),
        ("bpchar", "AA  ", "AA"),
        ("varchar(5)", "AA  ", "AA  "),
        ("text", " AA ", " AA "),
        ("jsonb", '{"b": 1, "a": "x,y"}', '{"a": "x,y", "b": 1}'),
        ("text[]", '{a,"b,c"}', '{a,"b,c"}'),
        ("int[]", "{1,2}", "{1,2}"),
        ("uuid", "6d9f3a1e-0000-4000-8000-000000000001", "6d9f3a1e-0000-4000-8000-000000000001"),
        ("inet", "10.0.0.1", "10.0.0.1"),
        ("bytea", "\\x00ff", "\\x00ff"),
        ("time", "24:00:00", "24:00:00"),
        ("interval", "1 month -2 days 03:04:05.6", "1 mon -2 days +03:04:05.6"),
        ("int4range", "[1,3)", "[1,3)"),
    ],
)
def test_case_52_what_is_no_number_or_day_is_text_as_it_is_written(
    typed: Shop, type: str, written: str, wanted: str
) -> None:
    assert values(typed, type, text("x"), written) == ([wanted], [])


def test_a_citext_is_text_as_it_is_written(typed: Shop) -> None:
    typed.run("create extension citext")
    try:
        assert values(typed, "citext", text("x"), "Ann") == (["Ann"], [])
    finally:
        typed.run("drop table fault_typed", "drop extension citext")


def test_a_key_of_char_n_meets_one_without_blanks(typed: Shop) -> None:
    fill_table(typed, "char(6)", "BB", "AA")
    table = Table(
        name="orders", connection="source_db", relation="public.fault_typed", columns=(text("x"),), key=("x",)
    )
    assert typed.copy(table) == ["x", "AA", "BB"]


@pytest.mark.parametrize(
    ("type", "column", "says"),
    [
        ("integer", text("x"), "x is integer, text agreed"),
        ("timestamp", text("x"), "x is timestamp without time zone, text agreed"),
        ("boolean", text("x"), "x is boolean, text agreed"),
        ("numeric(10,2)", integer("x"), "x is numeric(10,2), integer agreed"),
        ("double precision", integer("x"), "x is double precision, integer agreed (write decimal('x', digits=…, scale"),
        (
            "numeric(12,3)",
            amount(2),
            "x is numeric(12,3), numeric(12,2) agreed (write decimal('x', digits=12",
        ),
        ("timestamptz", timestamp("x", time_zone="Asia/Tokyo"), "x is timestamp with time zone, an instant, and"),
        ("bigint", text("x"), "x is bigint, text agreed (write integer('x'))"),
        ("jsonb", integer("x"), "x is jsonb, integer agreed (write text('x'))"),
        ("timestamp", day_date("x"), "x is timestamp without time zone, date agreed"),
        ("date", timestamp("x"), "x is date, timestamp agreed"),
        ("price", amount(1), "x is numeric(10,2), numeric(12,1) agreed"),
        ("mood", integer("x"), "x is public.mood, integer agreed"),
        ("jsonb", amount(2), "x is jsonb, numeric(12,2) agreed"),
    ],
)
def test_case_52_a_type_whose_values_would_be_cut_or_lose_their_meaning_is_refused(
    typed: Shop, type: str, column: Column, says: str
) -> None:
    fill_table(typed, type)
    table = Table(name="orders", connection="source_db", relation="public.fault_typed", columns=(column,))
    with refused(BadSpec, f"public.fault_typed.{says}"):
        typed.copy(table)


def test_case_55_relations_of_every_kind_are_read(typed: Shop) -> None:
    typed.run(
        'create table "Mixed" ("Id" int, "My Col" text, g int generated always as ("Id" * 2) stored)',
        "insert into \"Mixed\" values (1, null), (2, '')",
        "create table fault_parted (d date, v int) partition by range (d)",
        "create table fault_part partition of fault_parted for values from ('2024-01-01') to ('2025-01-01')",
        "insert into fault_parted values ('2024-03-05', 1)",
        "create materialized view fault_kept as select * from fault_parted",
        'grant select on "Mixed", fault_parted, fault_kept to source_reader',
    )
    mixed = (integer("Id", "id"), text("My Col", "my_col"), integer("g"))
    parted = (day_date("d"), integer("v"))

    def copied(relation: str, columns: tuple[Column, ...]) -> list[str]:
        return typed.copy(Table(name="orders", connection="source_db", relation=f"public.{relation}", columns=columns))

    try:
        assert copied("Mixed", mixed) == ["Id,My Col,g", "1,,2", '2,"",4']
        assert copied("fault_parted", parted) == ["d,v", "2024-03-05,1"]
        assert copied("fault_kept", parted) == ["d,v", "2024-03-05,1"]
    finally:
        typed.run("drop materialized view fault_kept", 'drop table "Mixed", fault_parted')
