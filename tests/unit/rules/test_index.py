"""How facts meet their lookups, drawn as tables; on all three engines."""

import pyarrow as pa
import pytest

from daybook.rules.frames import rows_schema
from daybook.rules.index import Indexed, index
from daybook.spec import clean_columns
from tests.support.shop import CUSTOMERS, SHOPS, shop

from .drawn import cells, drawing, table

SALES = """
    | line | id | shop | customer | amount_eur |
    |    2 |  3 | A1   |        7 |      10.00 |
    |    3 |  1 | B2   |        8 |      20.00 |
    |    4 |  2 | A1   |          |      30.00 |
    """


def indexed(sales: str, engine: str) -> Indexed:
    """Index drawn sales: shop A1 and customer 7 are known."""
    pipeline = shop(engine=engine)
    known = {
        "shops": table("| line | shop | city |\n| 2 | A1 | Bilbao |", rows_schema(SHOPS.columns)),
        "customers": table("| line | customer | age_years |\n| 2 | 7 | 41 |", rows_schema(CUSTOMERS.columns)),
    }
    return index(table(sales, rows_schema(clean_columns(pipeline))), known, pipeline)


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_C64_facts_are_matched_ordered_by_key_and_the_unmatched_counted(engine: str) -> None:
    result = indexed(SALES, engine)
    assert drawing(result.facts, "id", "city", "age_years", "is_customer_unknown") == cells(
        """
        | id | city   | age_years | is_customer_unknown |
        | 2  | Bilbao | -         | yes                 |
        | 3  | Bilbao | 41        | no                  |
        """
    )
    assert drawing(result.refused, "line", "column", "reason")[1:] == [["3", "shop", "unknown_in_shops"]]
    assert result.unknown == {"customers": 1}


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_without_a_fact_nothing_is_matched(engine: str) -> None:
    result = indexed("| line | id |", engine)
    assert (result.facts.num_rows, result.refused.num_rows, result.unknown) == (0, 0, {})
    assert result.facts.schema.field("city").type == pa.string()
