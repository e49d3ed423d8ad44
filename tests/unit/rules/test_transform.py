"""A transform that goes wrong is named with its file, line and column, and without a value of a row."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from daybook.errors import BadSpec
from daybook.rules.clean import clean
from daybook.spec import decimal, integer
from tests.support.shop import DAY, SALES, shop

EURO = decimal("euro", digits=9, scale=2)


def in_euro(frame: Any) -> Any:
    """Use a column that is not there."""
    return frame.assign(euro=frame["amount_euro"])


def by_customer(frame: Any) -> Any:
    """Look a value of a row up where it is not."""
    names = {1: "ann"}
    return frame.assign(euro=[names[customer] for customer in frame["customer"]])


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
