"""The catalogue of bad input, C21 to C31: headers, lines around the table, delimiters."""

import pytest

from daybook.errors import BadSpec
from daybook.spec import Form, Limits, integer, text
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
    assert (
        "missing column 'id' (did you mean 'ID'?); missing column 'name' (did you mean ' Name'? it differs" in message
    )
    assert "unknown column 'ID'; unknown column ' Name'" in message


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


@pytest.mark.parametrize("again", [HEADER, "\ufeff" + HEADER, HEADER.replace("id,code", "code,id")])
def test_C28_a_header_that_stands_in_the_file_once_more_refuses_it(again: str) -> None:
    """What is below it is another delivery, or a page of a print: eighty good rows may be forty, twice."""
    assert refusal(sales({16: again}), SALES) == (
        "sales: the header is repeated 1 time, limit 0 (repeated_header: 1), from line 16 on; nothing is loaded; "
        "several files may be joined in one"
    )


@pytest.mark.parametrize("again", ['"a",b', "b,a", '\ufeff"a",b'])
def test_C28_also_where_every_column_is_text_or_quoted(again: str) -> None:
    file = f"a,b\n1,2\n{again}\n3,4\n".encode()
    assert "the header is repeated 1 time" in refusal(file, with_columns(text("a"), text("b")))


def test_C28_it_is_refused_as_a_row_as_often_as_the_limits_say() -> None:
    allowed = with_columns(*SALES.columns, limits=Limits(repeated_headers=1))
    assert loaded(sales({16: HEADER}), allowed).refused == [(16, None, "repeated_header")]
    assert "the header is repeated 2 times, limit 1" in refusal(sales({16: HEADER, 30: HEADER}), allowed)


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
    assert "1 field; ';' stands 6 times in it" in refusal(sales().upper().replace(b",", b";"), SALES)


def test_C31_a_delimiter_that_changes_half_way_refuses_the_file() -> None:
    lines = sales_lines()
    message = refusal("\n".join(lines[:20] + [line.replace(",", ";") for line in lines[20:]]).encode() + b"\n", SALES)
    assert "too_few_fields: 21), from line 21 on" in message


@pytest.mark.parametrize("delimiter", ["||", "::", "~|~", ";;", "\t\t"])
@pytest.mark.parametrize("agreed", [",", "|", ";", "~"])
def test_C30_a_delimiter_of_several_bytes_is_named(delimiter: str, agreed: str) -> None:
    file = sales().replace(b",", delimiter.encode())
    message = refusal(file, with_columns(*SALES.columns, delimiter=agreed))
    assert f"the delimiter is {delimiter!r}, {agreed!r} agreed; declare delimiter={delimiter!r}" in message
    assert len(loaded(file, with_columns(*SALES.columns, delimiter=delimiter)).kept) == 40


@pytest.mark.parametrize("delimiter", ["^", "~", "\x01", ":", "#"])
def test_C30_any_sign_between_all_the_names_is_named(delimiter: str) -> None:
    assert f"the delimiter is {delimiter!r}, ',' agreed" in refusal(sales().replace(b",", delimiter.encode()), SALES)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_C30_also_where_names_are_in_quotes(delimiter: str) -> None:
    for header in ('"id"{}"name"', '"id"{}name', 'id{}"name"'):
        file = f"{header}\n1{{}}ann\n".format(*[delimiter] * 2).encode()
        mend = f"declare delimiter={delimiter!r} if that is meant"
        assert refusal(file) == f"people: the delimiter is {delimiter!r}, ',' agreed; {mend}"


def test_C30_columns_of_fixed_width_are_named() -> None:
    assert "the columns stand at fixed places" in refusal(b"id        name\n1         ann\n2         bob\n")


@pytest.mark.parametrize("delimiter", ["|a|", "§", "", "a", "5", '"', "\n", "," * 9])
def test_a_delimiter_that_is_none_is_refused_by_the_spec_with_the_reason(delimiter: str) -> None:
    with pytest.raises(BadSpec, match="up to eight, none a letter, digit, quote or line end"):
        with_columns(text("a"), delimiter=delimiter)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("NAME", "(did you mean 'NAME'?)"),
        (" name", "(did you mean ' name'? it differs in blanks)"),
        ("name\u00a0", "(did you mean 'name\\xa0'? it differs in blanks)"),
        ("na\u200bme", "(did you mean 'na\\u200bme'? it differs in signs that look alike or do not show)"),
        ("\uff4eame", "(did you mean '\\uff4eame'? it differs in signs that look alike or do not show)"),
        ("Nmae", "(did you mean 'Nmae'?)"),
    ],
)
def test_C25_the_difference_between_two_names_is_shown(name: str, says: str) -> None:
    assert f"missing column 'name' {says}" in refusal(f"id,{name}\n1,ann\n".encode())


def test_a_column_may_be_called_line() -> None:
    source = with_columns(text("line"), integer("stop"), limits=Limits(structural_share=1))
    result = loaded(b'line,stop\na,1\n"b\nc",2\nd,x\n\xef\xbb\xbfe,3\n', source)
    assert [list(row.values()) for row in result.kept] == [[2, "a", 1], [3, "b\nc", 2], [6, "e", 3]]
    assert result.refused == [(5, "stop", "not_an_integer")]
    mended = loaded(b"line,stop\na,1\nd,x\n", source, mends={3: b"d,4"})
    assert [list(row.values()) for row in mended.kept] == [[2, "a", 1], [3, "d", 4]]
