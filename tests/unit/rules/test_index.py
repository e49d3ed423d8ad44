"""How facts meet their lookups, drawn as tables; on all three engines."""

import pyarrow as pa
import pytest

from daybook.errors import BadData
from daybook.rules.frames import rows_schema
from daybook.rules.index import Indexed, index
from daybook.spec import Lookup, Summary, Table, clean_columns, day_date, decimal, text
from tests.support.shop import CUSTOMERS, DAY, SHOPS, shop

from .drawn import cells, drawing, table

SALES = """
    | line | id | shop | customer | amount_eur |
    |    2 |  3 | A1   |        7 |      10.00 |
    |    3 |  1 | B2   |        8 |      20.00 |
    |    4 |  2 | A1   |          |      30.00 |
    """
BY_SHOP = Summary(name="by_shop", by=("shop",), columns=("sales",))


def indexed(sales: str, engine: str) -> Indexed:
    """Index drawn sales: shop A1 and customer 7 are known."""
    pipeline = shop(engine=engine)
    known = {
        "shops": table("| line | shop | city |\n| 2 | A1 | Bilbao |", rows_schema(SHOPS.columns)),
        "customers": table("| line | customer | age_years |\n| 2 | 7 | 41 |", rows_schema(CUSTOMERS.columns)),
    }
    return index(table(sales, rows_schema(clean_columns(pipeline))), known, pipeline, DAY)


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_C64_facts_are_matched_in_the_order_of_their_lines_and_the_unmatched_counted(engine: str) -> None:
    result = indexed(SALES, engine)
    assert drawing(result.facts, "id", "city", "age_years", "is_customer_unknown") == cells(
        """
        | id | city   | age_years | is_customer_unknown |
        | 3  | Bilbao | 41        | no                  |
        | 2  | Bilbao | -         | yes                 |
        """
    )
    assert drawing(result.refused, "line", "column", "reason")[1:] == [["3", "shop", "unknown_in_shops"]]
    assert result.unknown == {"customers": 1}


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_without_a_fact_nothing_is_matched(engine: str) -> None:
    result = indexed("| line | id |", engine)
    assert (result.facts.num_rows, result.refused.num_rows, result.unknown) == (0, 0, {})
    assert result.facts.schema.field("city").type == pa.string()


def prices(**changes: object) -> Lookup:
    """Return a lookup of prices that hold for some days."""
    words = {"source": "prices", "key": ("shop", "kind"), "gives": {"price_eur": "price_eur"}, "when_unknown": "keep"}
    return Lookup(**(words | {"valid_from": "first_on", "valid_to": "last_on"} | changes))


PRICES = Table(
    name="prices",
    connection="source_db",
    relation="public.prices",
    columns=(
        text("shop"),
        text("kind"),
        day_date("first_on"),
        day_date("last_on"),
        decimal("price", "price_eur", digits=9, scale=2),
    ),
    key=("shop", "kind", "first_on"),
)
PRICED = """
    | line | shop | kind | first_on   | last_on    | price_eur |
    |    2 | A1   | cash | 2025-01-01 | 2026-01-09 |      1.00 |
    |    3 | A1   | cash | 2026-01-10 |            |      2.00 |
    |    4 | A1   | card | 2025-01-01 | 2026-01-10 |      3.00 |
    |    5 | B2   | cash | 2026-01-11 |            |      4.00 |
    """
SOLD = """
    | line | id | shop | kind |
    |    2 |  1 | A1   | cash |
    |    3 |  2 | A1   | card |
    |    4 |  3 | B2   | cash |
    |    5 |  4 | A1   |      |
    """


def priced(rows: str, lookup: Lookup, engine: str) -> Indexed:
    """Index what is sold on the day with drawn prices."""
    pipeline = shop(engine=engine, tables=(PRICES,), lookups=(lookup,), summaries=(BY_SHOP,))
    facts = table(SOLD, rows_schema(clean_columns(pipeline)))
    return index(facts, {"prices": table(rows, rows_schema(PRICES.columns))}, pipeline, DAY)


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ["2.00", "3.00", "-", "-"]),
        ({"is_valid_to_included": False}, ["2.00", "-", "-", "-"]),
        # Without an end, the row that began last before the day.
        ({"valid_to": None}, ["2.00", "3.00", "-", "-"]),
    ],
)
def test_a_fact_is_matched_by_all_columns_of_the_key_to_the_row_of_its_day(
    engine: str, changes: dict[str, object], found: list[str]
) -> None:
    result = priced(PRICED, prices(**changes), engine)
    assert [row[0] for row in drawing(result.facts, "price_eur")[1:]] == found
    assert result.unknown == {"prices": found.count("-")}
    assert drawing(result.keys["prices"], "shop", "kind")[1:] == [["A1", "card"], ["A1", "cash"], ["B2", "cash"]]


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_two_rows_that_hold_on_the_day_are_refused_by_their_lines(engine: str) -> None:
    touching = PRICED.replace("2026-01-09", "2026-01-10")
    with pytest.raises(BadData, match=r"prices: 1 key has .* on 2026-01-10 \(lines 2 and 3\).*is_valid_to_included"):
        priced(touching, prices(), engine)
    assert priced(touching, prices(is_valid_to_included=False), engine).unknown == {"prices": 3}


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_one_source_is_looked_up_twice_under_other_names_and_a_lookup_follows_another(engine: str) -> None:
    cities = Table(
        name="cities", connection="c", relation="public.cities", columns=(text("city"), text("next")), key=("city",)
    )
    near = Lookup(source="cities", key="city", gives={"next": "next_city"}, when_unknown="refuse")
    far = Lookup(
        source="cities",
        name="far",
        key={"city": "next_city"},
        gives={"next": "far_city"},
        when_unknown="keep",
        unknown_flag="is_far_unknown",
    )
    pipeline = shop(engine=engine, tables=(SHOPS, cities), lookups=(shop().lookups[0], near, far), summaries=(BY_SHOP,))
    known = {
        "shops": table("| line | shop | city |\n| 2 | A1 | Bilbao |\n| 3 | B2 | Vigo |", rows_schema(SHOPS.columns)),
        "cities": table(
            "| line | city | next |\n| 2 | Bilbao | Vigo |\n| 3 | Vigo | Lugo |", rows_schema(cities.columns)
        ),
    }
    result = index(table(SALES, rows_schema(clean_columns(pipeline))), known, pipeline, DAY)
    assert drawing(result.facts, "id", "city", "next_city", "far_city", "is_far_unknown") == cells(
        """
        | id | city   | next_city | far_city | is_far_unknown |
        | 3  | Bilbao | Vigo      | Lugo     | no             |
        | 1  | Vigo   | Lugo      | -        | yes            |
        | 2  | Bilbao | Vigo      | Lugo     | no             |
        """
    )
    assert result.unknown == {"far": 1}
    assert {name: keys.column_names for name, keys in result.keys.items()} == {
        "shops": ["shop"],
        "cities": ["city"],
        "far": ["next_city"],
    }
