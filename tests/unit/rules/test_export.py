"""What a spreadsheet would run becomes text in the CSV files that people open, and nothing else of them changes."""

from decimal import Decimal

import pyarrow as pa
import pytest

from daybook.storage.tables import csv_bytes, without_formulas


@pytest.mark.parametrize("cell", ["=1+1", "=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_C65_G16_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert without_formulas(pa.table({"text": [cell]})).to_pydict() == {"text": [f"'{cell}"]}


@pytest.mark.parametrize("cell", ["", None, "1+1", "a=1", " =1", "'=1", "null", "a\n=b", "é", "\u202e=1", "😀"])
def test_C65_G16_any_other_text_stays_as_it_is(cell: str | None) -> None:
    rows = pa.table({"text": pa.array([cell], pa.string())})
    assert without_formulas(rows).equals(rows)


def test_C65_G16_numbers_stay_numbers_and_the_table_that_was_given_stays_as_it_was() -> None:
    rows = pa.table({"-name": ["-a"], "whole": [-1], "exact": pa.array([Decimal("-1.50")], pa.decimal128(4, 2))})
    assert csv_bytes(rows).decode() == '"\'-name","whole","exact"\n"\'-a",-1,-1.50\n'
    assert rows["-name"].to_pylist() == ["-a"]
