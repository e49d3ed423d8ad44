"""Which mended rows may be kept, and what the others are told: no value of a row."""

import io

import pytest

from daybook.errors import BadData
from daybook.loader.load import opened
from daybook.refused.file import Filled
from daybook.refused.replay import Against, checked
from tests.support.shop import SALES

NOW, BEFORE = "a" * 64, "b" * 64
HEADER = b"id,day,shop,customer,kind,amount\n"
RAW = {("sales", 3): b"x,2026-01-10,A1,7,cash,1.00", ("sales", 9): b"9,2026-01-10,Caf\xe9,7,cash,2.00"}
GOOD = "3,2026-01-10,A1,7,cash,1.00"
CANARY = "canary"


def against() -> Against:
    """Return a file of sales of which the lines 3 and 9 were refused."""
    layout = opened(io.BytesIO(HEADER), SALES, "sales").layout
    return Against(RAW, {"sales": NOW, "shops": BEFORE}, {("sales", 0): layout})


def filled(row: int = 2, mended: str = GOOD, line: str = "3", source: str = "sales", sha256: str = NOW) -> Filled:
    """Return a filled row of the file."""
    return Filled(row, source, line, sha256, mended)


def refusal(*rows: Filled) -> str:
    """Return what is said where rows are not kept."""
    with pytest.raises(BadData) as caught:
        checked(list(rows), against(), "mended.csv")
    assert CANARY not in str(caught.value)
    return str(caught.value)


def test_good_rows_are_given_by_source_and_line() -> None:
    other = "9,2026-01-10,Café,7,cash,2.00"
    assert checked([filled(), filled(3, other, "9")], against(), "mended.csv") == {
        ("sales", 3): GOOD,
        ("sales", 9): other,
    }


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (filled(mended=f"{CANARY},2026-01-10,A1,7,cash,1.00"), "column 'id': not_an_integer"),
        (filled(mended=f"3,2026-02-30,{CANARY},7,cash,1.00"), "column 'day': no_such_date"),
        (filled(mended=f"3,2026-01-10,{CANARY}"), "too_few_fields (3 fields, 6 expected)"),
        (filled(mended=f"{GOOD},{CANARY}"), "too_many_fields (7 fields, 6 expected)"),
        (filled(mended=f'3,2026-01-10,"{CANARY},7,cash,1.00'), "open_quote"),
        (filled(mended=f'3,2026-01-10,{CANARY}" ",7,cash,1.00'), "quote_in_unquoted_field"),
        (filled(mended=f"{GOOD}\n{CANARY}"), "not_one_record"),
        (filled(mended=f"3,2026-01-10,{CANARY}\\xE9,7,cash,1.00", line="9"), "wrong_encoding"),
        (filled(source="saless", mended=CANARY), "no such source; did you mean 'sales'?; there are sales, shops"),
        (filled(line="4", mended=CANARY), "no row that was refused is on that line"),
        (filled(line="three", mended=CANARY), "no row that was refused is on that line"),
        (filled(sha256=BEFORE, mended=CANARY), "another file than the day was loaded from last"),
    ],
)
def test_a_row_that_may_not_be_kept_is_told_why(row: Filled, said: str) -> None:
    message = refusal(row)
    assert message.startswith("mended.csv: 1 of 1 mended row cannot be kept, so none was; row 2 (")
    assert said in message


def test_one_bad_row_keeps_all_others_back_and_all_bad_ones_are_named() -> None:
    message = refusal(filled(), filled(3, "9", "9"), filled(4, "", "5"))
    assert "2 of 3 mended rows" in message
    assert "row 3 (sales, line 9)" in message
    assert "row 4 (sales, line 5)" in message


def test_a_row_may_stand_twice_in_one_way_and_not_in_two() -> None:
    assert checked([filled(2), filled(3)], against(), "mended.csv") == {("sales", 3): GOOD}
    assert "mended in another way in row 2" in refusal(filled(2), filled(3, GOOD.replace("cash", "card")))


def test_no_mended_row_is_no_replay() -> None:
    assert refusal() == (
        "mended.csv: no row is mended; nothing was kept; fill the column `mended` with the whole record"
    )


def test_of_many_problems_ten_are_shown() -> None:
    message = refusal(*(filled(row, CANARY) for row in range(2, 15)))
    assert message.count("row ") == 10
    assert message.endswith("; and 3 more")
