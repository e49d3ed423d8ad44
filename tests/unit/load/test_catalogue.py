"""The catalogue of bad input, C1 to C20: fields of a row, encodings, line ends and quotes.

test_headers.py has C21 to C31, test_values.py C32 to C47, C65 and C66, test_whole_files.py the rest, to C69.
Not here: C37, C50, C63 and C64 are rules over clean rows; C52, C53, C59 to C62 and C70 to C73 are about delivery.
"""

import pytest

from daybook.spec import Form, Limits
from tests.support.drawn import PEOPLE, SALES, drawn, loaded, refusal, sales, sales_lines, with_columns


def test_C1_a_row_with_more_fields_is_refused() -> None:
    result = loaded("""
        id,name
        1,ann
        2,bob,x,y
        3,cleo
    """)
    assert result.refused == [(3, None, "too_many_fields")]
    assert result.details == ["4 fields, 2 expected"]
    assert result.raw == [b"2,bob,x,y"]
    assert result.column("name") == ["ann", "cleo"]


def test_C2_a_row_with_fewer_fields_is_refused() -> None:
    result = loaded(sales({11: "10,00010,name10,1.00"}), SALES)
    assert result.refused == [(11, None, "too_few_fields")]
    assert result.details == ["4 fields, 7 expected"]


def test_C3_an_extra_empty_field_is_refused_and_shifts_nothing() -> None:
    result = loaded(b"id,name\n1,ann\n2,bob,\n,4,\n5,eve\n6,joe\n")
    assert result.refused == [(3, None, "too_many_fields"), (4, None, "too_many_fields")]
    assert result.column("id") == [1, 5, 6]


def test_C4_a_delimiter_at_the_end_of_every_row_is_refused_unless_declared() -> None:
    file = b"id,name,\n1,ann,\n2,bob,x\n3,,\n4,joe,\n"
    assert "extra ','; declare has_trailing_delimiter" in refusal(file)
    declared = with_columns(*PEOPLE.columns, form=Form(has_trailing_delimiter=True))
    assert loaded(file, declared).column("name") == ["ann", None, "joe"]
    assert loaded(file, declared).refused == [(3, None, "too_many_fields")]


def test_C4_it_may_be_missing_in_the_header() -> None:
    file = b"id,name\n1,ann,\n2,bob,\n"
    assert "too_many_fields: 2" in refusal(file)
    assert loaded(file, with_columns(*PEOPLE.columns, form=Form(has_trailing_delimiter=True))).column("id") == [1, 2]


def test_C5_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert loaded(b"\xef\xbb\xbfid,name\n1,ann\n").kept == [{"line": 2, "id": 1, "name": "ann"}]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_C6_a_file_with_another_mark_is_named(encoding: str) -> None:
    file = ("\ufeff" + drawn("id,name\n1,ann")).encode(encoding)
    assert f"it is {encoding[:6].upper()}, utf-8 agreed" in refusal(file)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_C6_it_is_read_where_it_is_declared(encoding: str) -> None:
    declared = with_columns(*PEOPLE.columns, form=Form(encoding=encoding))
    assert loaded("\ufeffid,name\n1,äöü€\n".encode(encoding), declared).column("name") == ["äöü€"]


@pytest.mark.parametrize(("encoding", "place"), [("utf-16-le", "odd"), ("utf-16-be", "even")])
def test_C7_UTF_16_without_a_mark_is_guessed_from_its_zeros(encoding: str, place: str) -> None:
    assert f"NUL bytes at {place} places: it looks like UTF-16" in refusal(sales().decode().encode(encoding), SALES)


def test_C8_a_row_in_latin_1_is_refused_and_its_neighbours_kept() -> None:
    result = loaded(sales().replace(b"name5,", b"no\xebl,"), SALES)
    assert result.refused == [(6, None, "wrong_encoding")]
    assert result.details == ["byte 0xEB at offset 10 is not utf-8"]
    assert len(result.kept) == 39


def test_C9_a_file_in_cp1252_is_refused_with_a_hint() -> None:
    file = sales().replace(b"name", b"n\xe4me").replace(b"id,code,n\xe4me", b"id,code,name")
    assert "the file may be cp1252 or Latin-1" in refusal(file, SALES)


def test_C9_it_is_read_where_it_is_declared() -> None:
    declared = with_columns(*PEOPLE.columns, form=Form(encoding="cp1252"))
    assert loaded(b"id,name\n1,\x80 no\xebl\n", declared).column("name") == ["€ noël"]


def test_C9_a_byte_that_the_declared_encoding_does_not_know_refuses_its_row() -> None:
    declared = with_columns(*PEOPLE.columns, form=Form(encoding="cp1252"))
    result = loaded(b"id,name\n1,\xe4\n2,\xe4\x81\n3,\xe4\n", declared)
    assert result.refused == [(3, None, "wrong_encoding")]
    assert result.details == ["byte 0xFF at offset 4 is not cp1252"]


def test_C10_mixed_encodings_refuse_the_rows_that_are_not_UTF_8() -> None:
    file = sales().replace(b"name5,", "noël,".encode()).replace(b"name9,", b"no\xebl,")
    result = loaded(file, SALES)
    assert result.refused == [(10, None, "wrong_encoding")]
    assert result.kept[4]["name"] == "noël"


@pytest.mark.parametrize(
    "damage", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"], ids=["overlong", "surrogate", "high"]
)
def test_C11_overlong_and_surrogate_bytes_are_not_UTF_8(damage: bytes) -> None:
    assert loaded(b"id,name\n1,ann\n2," + damage + b"\n3,joe\n").refused == [(3, None, "wrong_encoding")]


def test_C11_replacement_characters_are_text() -> None:
    assert loaded("id,name\n1,a\ufffdb\n".encode()).column("name") == ["a\ufffdb"]


def test_C12_a_NUL_byte_refuses_its_row() -> None:
    result = loaded(sales().replace(b"name7,", b"na\0e7,"), SALES)
    assert result.refused == [(8, None, "nul_byte")]
    assert len(result.kept) == 39


@pytest.mark.parametrize("code", [1, 8, 11, 12, 27, 31])
def test_C13_a_control_byte_refuses_its_row_unless_declared(code: int) -> None:
    file = b"id,name\n1,ann\n2,b" + bytes([code]) + b"b\n3,joe\n"
    assert loaded(file).refused == [(3, None, "control_byte")]
    kept = loaded(file, with_columns(*PEOPLE.columns, form=Form(are_control_bytes_kept=True)))
    assert kept.column("name") == ["ann", f"b{chr(code)}b", "joe"]


def test_C14_LF_and_CRLF_may_be_mixed() -> None:
    file = b"id,name\r\n1,ann\n2,bob\r\n3,\n4,\r\n"
    assert loaded(file).column("name") == ["ann", "bob", None, None]


def test_C14_a_lone_carriage_return_refuses_its_line() -> None:
    result = loaded(b"id,name\n1,ann\n2,b\r3,b\n4,joe\n")
    assert result.refused == [(3, None, "lone_carriage_return")]
    assert result.raw == [b"2,b\r3,b"]


def test_C14_many_of_them_refuse_the_file() -> None:
    lines = sales_lines()
    ends = ["\n", "\r\n", "\r"]
    file = "".join(line + ends[number % 3] for number, line in enumerate(lines)).encode()
    assert "lone_carriage_return: 13" in refusal(file, SALES)
    assert "the line ends may be mixed" in refusal(file, SALES)


def test_C15_carriage_returns_alone_are_refused_unless_declared() -> None:
    assert "the line ends are CR" in refusal(b"id,name\r1,ann\r2,bob\r")
    declared = with_columns(*PEOPLE.columns, form=Form(line_end="cr"))
    assert loaded(b"id,name\r1,ann\r2,bob\r", declared).column("name") == ["ann", "bob"]


def test_C16_a_quote_that_is_never_closed_refuses_the_file_and_names_its_line() -> None:
    file = "id,name\n" + '1,"ann\n' + "2,bob\n" * 40
    assert refusal(file.encode()) == "people, line 2: a quote opened here is never closed; nothing is loaded"


def test_C16_a_quote_is_not_followed_for_ever() -> None:
    lines = ["id,name", '1,"ann', *["2,bob"] * 2000, '3,cleo"']
    assert "line 2: a quote opened here is not closed within 1,000 lines" in refusal("\n".join(lines).encode())
    long = b'id,name\n1,"' + b"x" * 2**20 + b'"\n'
    assert "line 2: a quote opened here is not closed" in refusal(long)


@pytest.mark.parametrize("most", [50, 1000])
def test_C16_a_quoted_text_may_have_fifty_line_ends_or_as_many_as_are_declared(most: int) -> None:
    source = with_columns(*PEOPLE.columns, limits=Limits(field_line_ends=most, refused_rows=2000, structural_share=1))
    rows = b"2,bob\n" * 2000
    kept = loaded(b'id,name\n1,"' + b"\n" * most + b'"\n' + rows, source).kept
    assert len(kept[0]["name"]) == most
    if most < 1000:
        result = loaded(b'id,name\n1,"' + b"\n" * (most + 1) + b'"\n' + rows, source)
        assert result.refused == [(2, None, "too_many_line_ends")]
        assert result.details == ["51 line ends in a field, limit 50"]


def test_C16_a_text_of_more_than_a_thousand_line_ends_refuses_the_file() -> None:
    source = with_columns(*PEOPLE.columns, limits=Limits(field_line_ends=1000))
    file = b'id,name\n1,"' + b"\n" * 1001 + b'"\n'
    assert "line 2: a quote opened here is not closed within 1,000 lines" in refusal(file, source)


def test_C17_text_after_a_closing_quote_is_refused() -> None:
    result = loaded(sales({13: '12,00012,"na"me12",1.00,1,2026-01-01,note'}), SALES)
    assert result.refused == [(13, None, "text_after_closing_quote")]
    assert len(result.kept) == 39


def test_C17_the_record_goes_to_the_end_of_its_line_and_the_next_is_read() -> None:
    result = loaded(b'id,name\n1,"a\nb"c,"d\n2,joe\n3,eve\n')
    assert result.refused == [(2, None, "text_after_closing_quote")]
    assert result.raw == [b'1,"a\nb"c,"d']
    assert [(row["line"], row["id"]) for row in result.kept] == [(4, 2), (5, 3)]


def test_C18_a_quote_inside_of_an_unquoted_field_is_refused() -> None:
    result = loaded(b'id,name\n1,ann\n2,5" pipe\n3,joe\n')
    assert result.refused == [(3, None, "quote_in_unquoted_field")]


def test_C19_a_quoted_line_end_is_text_and_lines_stay_physical() -> None:
    result = loaded(b'id,name\n1,"a\nb"\n2,"c\r\nd"\nx,bad\n3,joe\n')
    assert result.column("name") == ["a\nb", "c\r\nd", "joe"]
    assert result.column("line") == [2, 4, 7]
    assert result.refused == [(6, "id", "not_an_integer")]


def test_C20_backslash_quotes_are_refused_with_a_hint() -> None:
    changes = {number: rf'{number},1,"a \"b\" c",1.00,1,2026-01-01,n' for number in range(2, 30)}
    assert "if quotes are escaped by a backslash, declare escape" in refusal(sales(changes), SALES)
