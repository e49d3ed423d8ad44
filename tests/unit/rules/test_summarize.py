"""How groups roll up to summaries, and how means and shares are rounded; on all three engines."""

from decimal import ROUND_HALF_UP, Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.errors import BadData
from daybook.rules import aggregate
from daybook.rules.summarize import summarize
from tests.support.shop import DAY, shop

from .drawn import cells, drawing, table

ENGINES = ("polars", "pandas", "duckdb")


@pytest.mark.parametrize("engine", ENGINES)
def test_summaries_are_sums_of_groups_and_ratios_of_sums(engine: str) -> None:
    pipeline = shop(engine=engine)
    groups = table(
        """
        | city   | row_count | sales | large | with_amount | amount_eur | smallest_eur | largest_eur |
        | Bilbao |         3 |     3 |     1 |           2 |     210.05 |        10.05 |      200.00 |
        | Vigo   |         1 |     1 |     0 |           0 |       0.00 |            - |           - |
        """,
        aggregate.schema(pipeline),
    )
    summaries = summarize(groups, pipeline, DAY)
    assert drawing(summaries["by_city"], "day", "city", "sales", "amount_eur", "mean_eur", "large_pct") == cells(
        """
        | day        | city   | sales | amount_eur | mean_eur | large_pct |
        | 2026-01-10 | Bilbao | 3     | 210.05     | 105.03   | 33.33     |
        | 2026-01-10 | Vigo   | 1     | 0.00       | -        | 0.00      |
        """
    )
    assert drawing(summaries["by_day"], "sales", "smallest_eur", "largest_eur", "mean_eur") == cells(
        """
        | sales | smallest_eur | largest_eur | mean_eur |
        | 4     | 10.05        | 200.00      | 105.03   |
        """
    )


def one_group(engine: str, amount: Decimal, count: int) -> pa.Table:
    """Return the aggregates of one group with that sum over that count."""
    schema = aggregate.schema(shop(engine=engine))
    values = {"city": "Vigo", "amount_eur": amount, "with_amount": count}
    return pa.table([[values.get(name, 1)] for name in schema.names], schema=schema)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("amount", "count", "mean"),
    [("0.01", 2, "0.01"), ("-0.01", 2, "-0.01"), ("0.03", 2, "0.02"), ("1.00", 3, "0.33"), ("-2.00", 3, "-0.67")],
)
def test_a_half_is_rounded_away_from_zero(engine: str, amount: str, count: int, mean: str) -> None:
    summaries = summarize(one_group(engine, Decimal(amount), count), shop(engine=engine), DAY)
    assert summaries["by_city"]["mean_eur"].to_pylist() == [Decimal(mean)]


@settings(deadline=None)
@given(cents=st.integers(-(10**12), 10**12), count=st.integers(1, 10**6))
def test_every_mean_is_the_exact_quotient_rounded_once(cents: int, count: int) -> None:
    summaries = summarize(one_group("polars", Decimal(cents).scaleb(-2), count), shop(), DAY)
    exact = (Decimal(cents) / 100 / count).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert summaries["by_city"]["mean_eur"].to_pylist() == [exact]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_without_a_row_has_counts_and_sums_of_zero_and_nothing_else(engine: str) -> None:
    pipeline = shop(engine=engine)
    summaries = summarize(aggregate.schema(pipeline).empty_table(), pipeline, DAY)
    assert summaries["by_city"].num_rows == 0
    assert summaries["by_day"].to_pylist() == [
        {
            "day": DAY,
            "sales": 0,
            "amount_eur": Decimal("0.00"),
            "smallest_eur": None,
            "largest_eur": None,
            "mean_eur": None,
            "row_count": 0,
        }
    ]


def test_a_ratio_that_could_leave_64_bits_is_refused() -> None:
    with pytest.raises(BadData, match="ratio 'mean_eur' could leave 64 bits"):
        summarize(one_group("polars", Decimal("9999999999999999.99"), 1), shop(), DAY)
