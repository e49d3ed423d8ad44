"""What a spreadsheet would run becomes text in the CSV files that people open, and nothing else of them changes."""

from decimal import Decimal

import pyarrow as pa
import pytest

from daybook.pages.templates import template
from daybook.storage.tables import csv_bytes, harmless

UNSEEN = {
    "blank": " ",
    "blanks": "   ",
    "no-break space": "\u00a0",
    "byte order mark": "\ufeff",
    "zero width space": "\u200b",
    "word joiner": "\u2060",
    "ideographic space": "\u3000",
    "several": "\ufeff \u200b",
}


@pytest.mark.parametrize("cell", ["=1+1", "=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_C65_G16_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert harmless(pa.table({"text": [cell]})).to_pydict() == {"text": [f"'{cell}"]}


@pytest.mark.parametrize("cell", ["", None, "1+1", "a=1", " a=1", "'=1", "null", "a\n=b", "é", "😀", "a\ufeff=1"])
def test_C65_G16_any_other_text_stays_as_it_is(cell: str | None) -> None:
    rows = pa.table({"text": pa.array([cell], pa.string())})
    assert harmless(rows).equals(rows)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "\u2212"])
@pytest.mark.parametrize("unseen", ["", *UNSEEN.values()], ids=["nothing", *UNSEEN])
def test_C65_G16_a_formula_in_full_width_or_behind_signs_that_nobody_sees_gets_an_apostrophe(
    unseen: str, sign: str
) -> None:
    cell = f"{unseen}{sign}1+1"
    assert harmless(pa.table({"text": [cell, "a"]})).to_pydict() == {"text": [f"'{cell}", "a"]}


@pytest.mark.parametrize(
    ("sign", "written"),
    [
        ("\x7f", "\\x7f"),
        ("\x1b", "\\x1b"),
        ("\x85", "\\x85"),
        ("\x9b", "\\x9b"),
        ("\u200e", "\\u200e"),
        ("\u200f", "\\u200f"),
        ("\u061c", "\\u061c"),
        ("\u202e", "\\u202e"),
        ("\u2028", "\\u2028"),
        ("\u2069", "\\u2069"),
    ],
)
def test_a_sign_that_turns_a_line_around_or_rules_a_terminal_is_written_as_its_escape(sign: str, written: str) -> None:
    rows = pa.table({"text": [f"a{sign}b{sign}", None, "plain"]})
    assert harmless(rows)["text"].to_pylist() == [f"a{written}b{written}", None, "plain"]
    assert rows["text"].to_pylist()[0] == f"a{sign}b{sign}"
    page = template("message_page").render(title=f"a{sign}b", sentences=["<b>"])
    assert f"a{written}b" in page
    assert sign not in page
    assert "&lt;b&gt;" in page


def test_C65_G16_numbers_stay_numbers_and_the_table_that_was_given_stays_as_it_was() -> None:
    rows = pa.table({"-name": ["-a"], "whole": [-1], "exact": pa.array([Decimal("-1.50")], pa.decimal128(4, 2))})
    assert csv_bytes(rows).decode() == '"\'-name","whole","exact"\n"\'-a",-1,-1.50\n'
    assert rows["-name"].to_pylist() == ["-a"]
