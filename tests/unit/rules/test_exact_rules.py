"""Rules finer than their column compare exactly, on all three engines: checked against Python's own numbers."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.rules.clean import clean
from daybook.spec import Column, Measure, Summary, Table, arrow_type, col, decimal, integer
from tests.support.shop import DAY, SALES, shop

MEASURES = (Measure(name="sales", how="count"),)
BY = (Summary(name="by_day", columns=("sales",)),)
ENGINES = ("polars", "pandas", "duckdb")
LIMITS = st.decimals(-3, 3, places=4) | st.sampled_from([Decimal("0.001"), Decimal("-0.005"), Decimal("0.5")])


def amount(**rules: Any) -> Column:
    """Return a column of hundredths."""
    return decimal("x", digits=18, scale=2, **rules)


def count(**rules: Any) -> Column:
    """Return a column of whole numbers."""
    return integer("x", **rules)


def kept(column: Column, values: list[Decimal], engine: str) -> list[Decimal]:
    """Return those values that the column's rules keep."""
    table = Table(name="t", connection="source_db", relation="public.t", columns=(column,))
    numbers = pa.array([int(value) if column.kind == "integer" else value for value in values], arrow_type(column))
    rows = pa.table({"line": range(len(values)), "x": numbers})
    cleaned = clean(rows, table, shop(engine=engine), DAY)
    return [values[line] for line in cleaned.kept["line"].to_pylist()]


@pytest.mark.parametrize("engine", ENGINES)
def test_case_46_a_rule_between_two_values_keeps_those_on_its_right_side(engine: str) -> None:
    cents = [Decimal(value) for value in ("-0.01", "0.00", "0.01", "1.50", "1.51")]
    assert kept(amount(minimum=Decimal("0.001")), cents, engine) == cents[2:]
    assert kept(amount(minimum=Decimal("-0.005")), cents, engine) == cents[1:]
    assert kept(amount(maximum=Decimal("1.505")), cents, engine) == cents[:4]
    assert kept(amount(maximum=Decimal("-0.001")), cents, engine) == cents[:1]
    assert kept(amount(allowed=("1.5", "-0.010")), cents, engine) == [cents[0], cents[3]]
    whole = [Decimal(value) for value in (-1, 0, 1, 2)]
    assert kept(count(minimum=Decimal("0.5")), whole, engine) == whole[2:]
    assert kept(count(maximum=Decimal("-0.5")), whole, engine) == whole[:1]
    assert kept(count(allowed=("1", "+2")), whole, engine) == whole[2:]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("make", [amount, count])
@settings(max_examples=15, deadline=None)
@given(limit=LIMITS, numbers=st.lists(st.integers(-300, 300), min_size=1, max_size=20, unique=True))
def test_minimum_and_maximum_are_those_of_exact_numbers(
    engine: str, make: Callable[..., Column], limit: Decimal, numbers: list[int]
) -> None:
    values = [Decimal(number) if make is count else Decimal(number) / 100 for number in numbers]
    assert kept(make(minimum=limit), values, engine) == [value for value in values if value >= limit]
    assert kept(make(maximum=limit), values, engine) == [value for value in values if value <= limit]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("value", ["-0.005", "0.999", "1", "-1.005"])
def test_case_46_a_derived_flag_compares_exactly(engine: str, value: str) -> None:
    amounts = [Decimal(text) for text in ("-1.01", "-1.00", "-0.01", "0.00", "0.99", "1.00", "1.01")]
    flags = {"is_over": col("amount_eur") > Decimal(value), "is_at_most": col("amount_eur") <= Decimal(value)}
    columns = {column.header: pa.nulls(len(amounts), arrow_type(column)) for column in SALES.columns}
    columns["id"] = pa.array(range(len(amounts)), pa.int64())
    columns["day"] = pa.array([DAY] * len(amounts))
    columns["shop"] = pa.array(["A1"] * len(amounts))
    columns["amount"] = pa.array(amounts, pa.decimal128(9, 2))
    rows = pa.table({"line": range(len(amounts)), **columns})
    cleaned = clean(
        rows, SALES, shop(engine=engine, derived=flags, measures=MEASURES, ratios=(), summaries=BY), DAY
    ).kept
    assert cleaned["is_over"].to_pylist() == [amount > Decimal(value) for amount in amounts]
    assert cleaned["is_at_most"].to_pylist() == [amount <= Decimal(value) for amount in amounts]
