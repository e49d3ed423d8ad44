"""A transform that goes wrong is named with its file, line and column, and without a value of a row."""

from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa
import pytest

from daybook.errors import BadSpec
from daybook.ledger.fingerprint import libraries_of, spec_of
from daybook.rules.clean import clean
from daybook.spec import decimal, integer, narwhals_transform
from tests.support.shop import DAY, SALES, shop

EURO = decimal("euro", digits=9, scale=2)


def in_euro(frame: Any) -> Any:
    """Use a column that is not there."""
    return frame.assign(euro=frame["amount_euro"])


def by_customer(frame: Any) -> Any:
    """Look a value of a row up where it is not."""
    names = {1: "ann"}
    return frame.assign(euro=[names[customer] for customer in frame["customer"]])


@narwhals_transform
def by_card(facts: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Give each amount again, and drop what is not paid by card."""
    paid = facts.filter(nw.col("kind") == "card")
    return paid.with_columns(nw.col("amount_eur").alias("euro"), nw.col("customer") + 1)


@narwhals_transform
def as_float(facts: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Give a float that no decimal is."""
    return facts.with_columns((nw.col("id").cast(nw.Float64) / 3).alias("euro"))


@narwhals_transform
def of_nothing(facts: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Use a column that is not there."""
    return facts.with_columns(nw.col("amount_euro").alias("euro"))


@narwhals_transform
def doubled(facts: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Give rows that it did not get."""
    return facts.with_columns(nw.col("amount_eur").alias("euro"), nw.col("line") * 2)


@narwhals_transform
def nothing(facts: nw.LazyFrame[Any]) -> None:
    """Give no frame."""


def sales() -> pa.Table:
    """Return two sales, the later line first."""
    columns = [[3, 2], [1, 2], [DAY, DAY], ["A1", "A1"], [7, 987654], ["cash", "card"], [None, Decimal("10.50")]]
    kinds = (pa.int64(), pa.int64(), pa.date32(), pa.string(), pa.int64(), pa.string(), pa.decimal128(9, 2))
    names = ["line", *(column.header for column in SALES.columns)]
    return pa.table([pa.array(value, kind) for value, kind in zip(columns, kinds, strict=True)], names=names)


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_a_narwhals_function_gets_a_frame_of_the_engine_and_keeps_the_same_contract(engine: str) -> None:
    cleaned = clean(sales(), SALES, shop(engine=engine, transform=by_card, transform_gives=(EURO,)), DAY)
    assert cleaned.dropped == {"transform": 1}
    (kept,) = cleaned.kept.select(["line", "customer", "euro", "is_large"]).to_pylist()
    assert kept == {"line": 2, "customer": 987655, "euro": Decimal("10.50"), "is_large": False}
    for transform, says in (
        (as_float, "gave in 'euro' values that the declared kind or scale would round or cut"),
        (of_nothing, f"line {of_nothing.__code__.co_firstlineno}) raised ColumnNotFoundError"),
        (doubled, "gave rows that it did not get, or one twice"),
        (nothing, "gave the columns []; declared are"),
    ):
        with pytest.raises(BadSpec) as raised:
            clean(sales(), SALES, shop(engine=engine, transform=transform, transform_gives=(EURO,)), DAY)
        assert says in str(raised.value)
        assert "987654" not in str(raised.value)


def test_pandas_is_a_part_of_the_fingerprint_only_of_a_transform_that_takes_it() -> None:
    own = shop(transform=by_card, transform_gives=(EURO,))
    assert "pandas" not in libraries_of("clean", own)
    assert "pandas" in libraries_of("clean", shop(transform=in_euro, transform_gives=(EURO,)))
    assert spec_of("clean", own) != spec_of("clean", shop(transform=as_float, transform_gives=(EURO,)))


def called(transform: Any, column: Any = EURO) -> str:
    """Return what is said of a transform that adds a column to one sale."""
    row = [[2], [1], [DAY], ["A1"], [987654], ["cash"], [Decimal("10.00")]]
    kinds = (pa.int64(), pa.int64(), pa.date32(), pa.string(), pa.int64(), pa.string(), pa.decimal128(9, 2))
    names = ["line", *(column.header for column in SALES.columns)]
    sales = pa.table([pa.array(value, kind) for value, kind in zip(row, kinds, strict=True)], names=names)
    with pytest.raises(BadSpec) as raised:
        clean(sales, SALES, shop(transform=transform, transform_gives=(column,)), DAY)
    return str(raised.value)


def test_an_error_in_it_has_the_place_and_the_nearest_column() -> None:
    first = in_euro.__code__.co_firstlineno
    assert called(in_euro) == (
        f"shop: transform in_euro (test_transform.py, line {first}) raised KeyError in line {first + 2}; nothing was "
        "cleaned; mend it; did you mean the column 'amount_eur'?"
    )


def test_an_error_about_a_row_shows_no_value_of_it() -> None:
    first = by_customer.__code__.co_firstlineno
    said = called(by_customer)
    assert f"raised KeyError in line {first + 3}; nothing was cleaned; mend it" in said
    assert "987654" not in said


def test_a_column_of_another_kind_is_named_with_both_kinds() -> None:
    said = called(lambda frame: frame.assign(euro="many"), integer("euro"))
    assert "another kind than declared: 'euro' is " in said
    assert ", int64 declared (" in said
