"""How groups roll up to summaries, and how means and shares are rounded; on all three engines."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.errors import BadData
from daybook.rules import aggregate
from daybook.rules.frames import rows_schema
from daybook.rules.per_summary import per_summary
from daybook.rules.ratios import ratio_of
from daybook.rules.recompute import recomputed
from daybook.rules.summarize import summarize
from daybook.spec import Measure, Ratio, Summary, fact_columns
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


def ratio_over(top: list[Any], bottom: list[Any], **words: Any) -> list[Decimal | None]:
    """Return the ratio of a column of hundredths over one of thousandths."""
    columns = [pa.array(top, pa.decimal128(38, 2)), pa.array(bottom, pa.decimal128(38, 3)), [1] * len(top)]
    measured = pa.table(columns, names=["top", "bottom", "row_count"])
    found = ratio_of(measured, Ratio(name="r", of="top", over="bottom", **words), "shop")
    return [value for value in found.to_pylist()]


def parts(places: int) -> st.SearchStrategy[Decimal | None]:
    """Return numbers small and large with so many digits after the point, and nothing."""
    sizes = st.integers(-30, 30) | st.integers(-(10**7), 10**7) | st.integers(-(2**63), 2**63)
    return st.none() | sizes.map(lambda number: Decimal(number).scaleb(-places))


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(parts(2), parts(3))), scale=st.integers(0, 20), times=st.sampled_from([1, 100]))
def test_every_ratio_is_the_exact_quotient_rounded_once(pairs: list[Any], scale: int, times: int) -> None:
    exact = [None if a is None or not b else Fraction(a) * times / Fraction(b) for a, b in pairs]
    wanted = [
        None if one is None else (abs(one) * 10**scale + Fraction(1, 2)) // 1 * (-1 if one < 0 else 1) for one in exact
    ]
    tops, bottoms = [top for top, _ in pairs], [bottom for _, bottom in pairs]
    if any(abs(number or 0) >= 10 ** (18 + scale) for number in wanted):
        with pytest.raises(
            BadData, match=r"shop: ratio 'r' has more than 18 digits before the point; nothing was publ"
        ):
            ratio_over(tops, bottoms, scale=scale, times=times)
    else:
        found = ratio_over(tops, bottoms, scale=scale, times=times)
        assert [None if one is None else Fraction(one) * 10**scale for one in found] == wanted


def test_a_ratio_over_zero_is_nothing_or_refused_as_the_spec_says() -> None:
    assert ratio_over([1, 1, 0], [0, None, 0]) == [None, None, None]
    assert ratio_over([1, None], [4, None], by_zero="refuse", scale=4) == [Decimal("0.2500"), None]
    with pytest.raises(BadData, match="shop: ratio 'r' is over zero in 1 of 3 groups, none expected; nothing was publ"):
        ratio_over([1, 2, 3], [1, 0, 2], by_zero="refuse")


def test_ratios_may_be_of_measures_that_do_not_add_up() -> None:
    measures = (
        *shop().measures,
        Measure(name="median_eur", how="median", of="amount_eur"),
        Measure(name="spread_eur", how="stddev_pop", of="amount_eur", scale=6),
    )
    pipeline = shop(
        measures=measures,
        ratios=(
            Ratio(name="skew", of="largest_eur", over="median_eur", scale=4),
            Ratio(name="relative_spread", of="spread_eur", over="amount_eur", times=100, scale=3),
        ),
        summaries=(Summary(name="by_city", by=("city",), columns=("skew", "relative_spread")),),
    )
    drawn = "| line | city | amount_eur |\n| 1 | Vigo | -3.00 |\n| 2 | Vigo | 2.00 |\n| 3 | Vigo | -4.01 |"
    facts = table(drawn, rows_schema(list(fact_columns(pipeline).values())))
    found = summarize(aggregate.aggregate(facts, pipeline), pipeline, DAY, per_summary(facts, pipeline))["by_city"]
    # 2.00 / -3.00; the root of ((-1.33)^2 + 3.67^2 + (-2.34)^2) / 3 = 2.628..., over -5.01
    assert drawing(found, "city", "skew", "relative_spread") == [
        ["city", "skew", "relative_spread"],
        ["Vigo", "-0.6667", str(recomputed(facts, pipeline, "relative_spread"))],
    ]


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
