"""The catalogue of bad input, C21 to C31: headers, lines around the table, delimiters."""

import pytest

from daybook.spec import Form, text
from tests.support.drawn import HEADER, PEOPLE, SALES, loaded, refusal, sales, sales_lines, with_columns


def test_C21_a_name_that_stands_twice_in_the_header_is_refused() -> None:
    message = refusal(sales({1: "id,code,name,amount,qty,day,name"}), SALES)
    assert "missing column 'note'" in message
    assert "column 'name' stands 2 times (columns 3, 7)" in message


def test_C22_missing_columns_are_named_all_at_once() -> None:
    message = refusal(b"id,code,name,amount\n1,1,n,1.00\n", SALES)
    for name in ("qty", "day", "note"):
        assert f"missing column '{name}'" in message
    assert message.endswith("the file has 4 columns, 7 agreed: ['id', 'code', 'name', 'amount']")


def test_C23_extra_columns_are_refused_unless_declared() -> None:
    file = b"x,id,y,name\n1,2,3,ann\n4,5,6,bob\n7,8,9\n"
    message = refusal(file)
    assert "unknown column 'x'; unknown column 'y'" in message
    kept = loaded(file, with_columns(*PEOPLE.columns, form=Form(extra_columns="ignore")))
    assert kept.kept == [{"line": 2, "id": 2, "name": "ann"}, {"line": 3, "id": 5, "name": "bob"}]
    assert kept.refused == [(4, None, "too_few_fields")]


def test_C24_columns_are_found_by_name_in_any_order() -> None:
    assert loaded(b"name,id\nann,1\n").kept == [{"line": 2, "id": 1, "name": "ann"}]


def test_C25_a_renamed_column_is_refused_with_the_nearest_name() -> None:
    message = refusal(sales({1: HEADER.replace("amount", "Amount")}), SALES)
    assert "missing column 'amount' (did you mean 'Amount'?); unknown column 'Amount'" in message


def test_C25_a_header_in_capitals_is_seen_to_be_one() -> None:
    message = refusal(b"ID, Name\n1,ann\n")
    assert "missing column 'id' (did you mean 'ID'?); missing column 'name' (did you mean ' Name'?); unknown" in message


def test_C26_a_file_without_a_header_is_refused_and_shows_no_value() -> None:
    message = refusal("\n".join(sales_lines()[1:]).encode(), SALES)
    assert "line 1 is not the header: it has 7 fields, and none of the columns agreed: 'id', 'code'" in message
    assert "name1" not in message


@pytest.mark.parametrize("before", ["Sales of January\n\n", "a,b\nc,d\n"])
def test_C27_lines_before_the_header_are_refused_unless_declared(before: str) -> None:
    file = before.encode() + sales({5: "4,1,n,x,1,2026-01-01,n"})
    assert "the header is on line 3, 1 agreed; declare header_line" in refusal(file, SALES)
    result = loaded(file, with_columns(*SALES.columns, form=Form(header_line=3)))
    assert result.kept[0]["line"] == 4
    assert result.refused == [(7, "amount", "not_a_decimal")]


def test_C28_a_header_repeated_once_is_refused_as_a_row() -> None:
    assert loaded(sales({16: HEADER}), SALES).refused == [(16, None, "repeated_header")]


def test_C28_also_where_every_column_is_text_or_quoted() -> None:
    result = loaded(b'a,b\n1,2\n"a",b\n3,4\n', with_columns(text("a"), text("b")))
    assert result.refused == [(3, None, "repeated_header")]


def test_C28_repeated_more_often_it_refuses_the_file() -> None:
    assert "the header is repeated 2 times" in refusal(sales({16: HEADER, 30: HEADER}), SALES)


@pytest.mark.parametrize("footer", ["TOTAL,,,820.00,120,,", "# end", "(40 rows)"])
def test_C29_a_footer_is_refused(footer: str) -> None:
    result = loaded(sales() + footer.encode() + b"\n", SALES)
    assert [line for line, _, _ in result.refused] == [42]
    assert len(result.kept) == 40


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_C30_another_delimiter_is_named(delimiter: str) -> None:
    file = sales().replace(b",", delimiter.encode())
    assert f"the delimiter is {delimiter!r}, ',' agreed" in refusal(file, SALES)
    assert len(loaded(file, with_columns(*SALES.columns, delimiter=delimiter)).kept) == 40


def test_C30_also_where_the_header_is_another() -> None:
    assert "1 fields; ';' stands 6 times in it" in refusal(sales().upper().replace(b",", b";"), SALES)


def test_C31_a_delimiter_that_changes_half_way_refuses_the_file() -> None:
    lines = sales_lines()
    message = refusal("\n".join(lines[:20] + [line.replace(",", ";") for line in lines[20:]]).encode() + b"\n", SALES)
    assert "too_few_fields: 21), from line 21 on" in message
