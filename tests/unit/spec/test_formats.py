"""Words of a column that would read a value wrongly without a word: refused where the spec is built."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.spec import (
    Column,
    Lookup,
    Schedule,
    Table,
    boolean,
    col,
    day_date,
    decimal,
    integer,
    text,
    timestamp,
)
from tests.support.drawn import with_columns
from tests.support.shop import CUSTOMERS, SALES, SHOPS, shop


@pytest.mark.parametrize(
    "zone",
    [
        "+02",
        " +02:00",
        "+0530",
        "-05",
        " EST",
        " est",
        " CEST",
        " MEZ",
        " UTC+2",
        " GMT-03:00",
        " Europe/Zurich",
        "\u221205",
    ],
)
def test_case_29_an_offset_or_a_zone_as_a_text_of_a_format_is_refused(zone: str) -> None:
    with pytest.raises(BadSpec, match=r"looks like an offset or a time zone.*%z"):
        timestamp("at", format=f"%Y-%m-%d %H:%M:%S{zone}")


def test_case_29_it_may_stand_before_the_time() -> None:
    with pytest.raises(BadSpec, match="'CET' looks like"):
        timestamp("at", format="CET %Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize("zone", ["", "Z", " UTC", " GMT", "+00", "+00:00", "-0000", " UTC+00", "%z", " GMT%z (CET)"])
def test_a_text_that_says_utc_is_meant_and_an_offset_that_is_read_too(zone: str) -> None:
    assert timestamp("at", format=f"%Y-%m-%dT%H:%M:%S{zone}").kind == "timestamp"


@pytest.mark.parametrize(
    "form", ["%d. de %B %Y, %H Uhr %M", "%Y-%m-%dT%Hh%M", "%Y年%m月%d日 %H:%M", "%d-%m-%Y at %H:%M"]
)
def test_other_texts_of_a_format_stay_what_they_are(form: str) -> None:
    assert timestamp("at", format=form).format == form


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("%Y-%m-%d %I:%M:%S", "%I tells the hour only with %p"),
        ("%Y-%m-%d %H:%M %p", "%p tells the hour only with %I"),
        ("%Y-%m-%d %H %I %p", "%H and %I tell the same"),
        ("%Y-%m-%d %j", "%m and %j tell the same"),
        ("%Y %y-%m-%d", "%Y and %y tell the same"),
        ("%Y %b %m %d", "%m and %b tell the same"),
    ],
)
def test_a_format_that_tells_half_an_hour_or_the_same_twice_is_refused(form: str, says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        timestamp("at", format=form)


def table(*columns: Column) -> Table:
    """Return a table with these columns."""
    return Table(name="orders", connection="source_db", relation="public.orders", columns=columns)


@pytest.mark.parametrize(
    ("given", "copied"),
    [
        ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"),
        ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f"),
        ("%d %b %Y %I:%M:%S %p", "%d %b %Y %I:%M:%S.%f %p"),
    ],
)
def test_case_51_a_table_is_copied_with_the_fraction_of_its_seconds(given: str, copied: str) -> None:
    assert table(timestamp("at", format=given)).columns[0].format == copied


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%d %H", "%Y-%m-%d %H:%M"])
def test_a_format_that_would_cut_a_tables_times_is_refused(form: str) -> None:
    with pytest.raises(BadSpec, match=r"Table 'orders', column 'at', format: .* would be cut; leave it out"):
        table(timestamp("at", format=form))


@pytest.mark.parametrize("column", [day_date("at", format="%d.%m.%y"), timestamp("at", format="%y-%m-%d %H:%M:%S")])
def test_a_format_that_would_cut_a_tables_centuries_is_refused(column: Column) -> None:
    with pytest.raises(BadSpec, match="%y would cut the century"):
        table(column)


@pytest.mark.parametrize(
    ("kind", "words", "says"),
    [
        (text, {"minimum": 1}, "the column is text; minimum is for integer and decimal"),
        (boolean, {"maximum": 1}, "the column is boolean; maximum is for"),
        (day_date, {"allowed": ("2024-01-01",)}, "the column is date; allowed is for text and integer and decimal"),
        (integer, {"pattern": "[0-9]"}, "the column is integer; pattern is for text"),
        (integer, {"allowed": ("1", "1.5")}, "'1.5' is not a number with at most 0 digits"),
        (integer, {"allowed": ("one",)}, "'one' is not a number"),
        (integer, {"minimum": 2**63}, "it does not fit 64 bits"),
        (integer, {"maximum": Decimal("-1e30")}, "it does not fit 64 bits"),
        (boolean, {"true_tokens": ("1", "y"), "false_tokens": ("0", "y")}, "'y' is in true_tokens too"),
    ],
)
def test_a_rule_that_no_value_can_be_compared_with_is_refused(
    kind: Callable[..., Column], words: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadSpec, match=says):
        kind("x", **words)


def test_a_decimals_allowed_values_are_no_finer_than_its_scale() -> None:
    assert decimal("x", digits=5, scale=2, allowed=("1.5", "2.50", "-3")).allowed == ("1.5", "2.50", "-3")
    with pytest.raises(BadSpec, match=r"'1\.505' is not a number with at most 2 digits"):
        decimal("x", digits=5, scale=2, allowed=("1.5", "1.505"))


@pytest.mark.parametrize("words", [{"true_tokens": ("1", "?")}, {"false_tokens": ("", "0")}])
def test_a_token_that_is_a_value_and_a_missing_one_is_refused(words: dict[str, Any]) -> None:
    with pytest.raises(BadSpec, match=r"column 'flag': .* is in null_tokens, and in true_tokens or false_tokens too"):
        with_columns(boolean("flag", **words), null_tokens=("?", ""))
    assert with_columns(boolean("flag", null_tokens=(), **words), null_tokens=("?", ""))


def test_a_derived_value_that_no_column_can_hold_is_refused() -> None:
    with pytest.raises(BadSpec, match=f"{10**19} in an expression is refused: it does not fit 64 bits"):
        shop(derived={"is_large": col("amount_eur") > 10**19})


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M UTC"])
def test_case_48_the_day_of_an_instant_is_not_a_local_day(form: str) -> None:
    columns = tuple(day_date("day", "sold_on", format=form) if c.name == "sold_on" else c for c in SALES.columns)
    files = (SALES.model_copy(update={"columns": columns}),)
    with pytest.raises(BadSpec, match="may be another one in the schedule's time zone, Europe/Madrid"):
        shop(files=files)
    assert shop(files=files, schedule=Schedule(start=date(2026, 1, 10)))


def test_keys_of_another_scale_never_meet_so_they_are_refused() -> None:
    prices = Table(
        name="prices",
        connection="source_db",
        relation="public.prices",
        columns=(decimal("amount", "amount_eur", digits=9, scale=3), text("band")),
        key=("amount_eur",),
    )
    lookup = Lookup(source="prices", key="amount_eur", gives={"band": "band"}, when_unknown="keep")
    with pytest.raises(BadSpec, match="'amount_eur' has 2 digits after the point in the facts and 3 in prices"):
        shop(tables=(SHOPS, CUSTOMERS, prices), lookups=(lookup,))
