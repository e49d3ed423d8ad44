"""The catalogue of bad input (evidence/reliability.md, 2a), case by case, as far as it is the loader's.

Not here: C37, C50, C63 and C64 are rules over clean rows; C52, C53, C59 to C62 and C70 to C73 are about delivery.
"""

import gzip
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from daybook.spec import Form, Limits, boolean, day_date, decimal, integer, text, timestamp
from tests.support.drawn import HEADER, PEOPLE, SALES, drawn, loaded, refusal, sales, sales_lines, with_columns


def refused_values(column: Any, values: list[str], good: str, **words: Any) -> list[str]:
    """Return the reasons for which values are refused in a column; good rows around them must be kept."""
    rows = [f"{n},{value}" for n, value in enumerate([good, *values, *[good] * (len(values) + 1)])]
    patient = Limits(refused_rows=100, at_least=100)
    file = "\n".join([f"n,{column.header}", *rows, ""])
    result = loaded(file.encode(), with_columns(integer("n"), column, limits=patient, **words))
    assert len(result.kept) == len(values) + 2
    assert [line for line, _, _ in result.refused] == list(range(3, 3 + len(values)))
    assert {name for _, name, _ in result.refused} <= {column.header}
    return [reason for _, _, reason in result.refused]


def kept_values(column: Any, values: list[str], **words: Any) -> list[Any]:
    """Return what values become in a column that takes all of them."""
    file = "\n".join([f"n,{column.header}", *(f"1,{value}" for value in values), ""])
    result = loaded(file.encode(), with_columns(integer("n"), column, **words))
    assert result.refused == []
    return result.column(column.header)


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
    message = refusal(sales({13: '12,00012,"name12,1.00,1,2026-01-01,note'}), SALES)
    assert message == "sales, line 13: a quote opened here is never closed; nothing is loaded"


def test_C16_a_quote_is_not_followed_for_ever() -> None:
    lines = sales_lines(3000)
    lines[12] = '12,00012,"name12,1.00,1,2026-01-01,note'
    lines[2500] = '12,00012,name12",1.00,1,2026-01-01,note'
    assert "line 13: a quote opened here is not closed within 1,000 lines" in refusal("\n".join(lines).encode(), SALES)
    long = b'id,name\n1,"' + b"x" * 2**20 + b'"\n'
    assert "line 2: a quote opened here is not closed" in refusal(long)


@pytest.mark.parametrize(("lines", "is_kept"), [(1000, True), (1001, False)])
def test_C16_a_quoted_text_may_have_a_thousand_line_ends(lines: int, is_kept: bool) -> None:
    file = b'id,name\n1,"' + b"\n" * lines + b'"\n'
    if is_kept:
        assert len(loaded(file).kept[0]["name"]) == 1000
    else:
        assert "line 2: a quote opened here is not closed within 1,000 lines" in refusal(file)


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
    assert "quotes may be escaped by a backslash" in refusal(sales(changes), SALES)


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
    assert "missing column 'id'; missing column 'name' (did you mean ' Name'?); unknown column 'ID'" in message


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


AMOUNT = decimal("amount", digits=12, scale=2)


def test_C32_decimal_commas_and_thousands_are_refused() -> None:
    assert refused_values(AMOUNT, ['"1.234,56"', '"1,234.56"', '"99,5"'], "1.00") == ["not_a_decimal"] * 3


def test_C32_many_of_them_refuse_the_file_with_a_hint() -> None:
    changes = {number: f'{number},1,n,"1,50",1,2026-01-01,n' for number in range(2, 14)}
    message = refusal(sales(changes), SALES)
    assert "12 of 40 rows are refused for one reason, limit 5.00%" in message
    assert "decimal commas" in message


def test_C33_signs_of_currency_units_and_parentheses_are_refused() -> None:
    values = ["$45.39", "45.39 EUR", "12%", "(12.00)", "12.00-"]
    assert refused_values(AMOUNT, values, "1.00") == ["not_a_decimal"] * 5


def test_C34_dates_in_other_formats_are_refused() -> None:
    values = ["02/01/2026", "3-Jan-26", "20260104", "2026-1-4", " 2026-01-04", "2026-01-04 ", "2026-01-04T00:00"]
    assert refused_values(day_date("day"), values, "2026-01-01") == ["not_a_date"] * 7


@pytest.mark.parametrize(
    ("form", "value"),
    [("%d.%m.%Y", "04.01.2026"), ("%Y%m%d", "20260104"), ("%d-%b-%y", "04-JAN-26"), ("%Y-%j", "2026-004")],
)
def test_C34_each_column_has_one_format(form: str, value: str) -> None:
    assert kept_values(day_date("day", format=form), [value]) == [date(2026, 1, 4)]


def test_C35_days_that_do_not_exist_are_refused() -> None:
    values = ["2026-02-30", "2025-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "0026-01-01", "0000-00-00"]
    assert refused_values(day_date("day"), values, "2024-02-29") == ["no_such_date"] * 7
    assert refused_values(day_date("day"), ["46023"], "2026-01-01") == ["not_a_date"]


def test_C36_times_that_do_not_exist_are_refused() -> None:
    values = ["2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "2026-02-29T00:00:00Z"]
    column = timestamp("at", format="%Y-%m-%dT%H:%M:%SZ")
    assert refused_values(column, values, "2026-01-01T00:00:00Z") == ["no_such_time"] * 4


@pytest.mark.parametrize("fraction", ["1", "12", "123", "1234", "12345", "123456"])
def test_C36_fractions_of_a_second_have_one_to_six_digits(fraction: str) -> None:
    column = timestamp("at", format="%Y-%m-%dT%H:%M:%S.%fZ")
    kept = kept_values(column, [f"2026-01-01T00:00:01.{fraction}Z", "2026-01-01T00:00:01.5Z"])
    assert kept[0] == datetime(2026, 1, 1, 0, 0, 1, int(fraction.ljust(6, "0")), tzinfo=UTC)
    assert kept[1].microsecond == 500_000
    assert refused_values(column, ["2026-01-01T00:00:01.Z", "2026-01-01T00:00:01.1234567Z"], "2026-01-01T00:00:01.1Z")


def test_C36_an_instant_needs_the_offset_that_was_agreed() -> None:
    column = timestamp("at", format="%Y-%m-%dT%H:%M:%S%z")
    kept = kept_values(column, ["2026-03-29T02:30:00+0200", "2026-03-29T02:30:00+01:00", "2026-03-29T02:30:00Z"])
    assert kept == [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
    assert refused_values(column, ["2026-03-29T02:30:00"], "2026-03-29T02:30:00Z") == ["not_a_timestamp"]


def test_C38_integers_over_64_bits_are_refused() -> None:
    values = ["9223372036854775808", "-9223372036854775809", "9" * 60_000]
    assert refused_values(integer("qty"), values, "9223372036854775807") == ["integer_out_of_range"] * 3
    assert kept_values(integer("qty"), ["9223372036854775807", "-9223372036854775808"]) == [2**63 - 1, -(2**63)]


def test_C39_only_digits_are_an_integer() -> None:
    values = ["1.0", "1.5", "1e3", "0x1F", "1_000", "\u0661", "--1", "+", "1-", "0b1", "1 000", "\u00a05"]
    assert refused_values(integer("qty"), values, "1") == ["not_an_integer"] * 12


def test_C40_decimals_are_never_rounded() -> None:
    assert refused_values(AMOUNT, ["12.345", "0.001"], "12.34") == ["too_many_decimals"] * 2
    assert refused_values(AMOUNT, ["12345678901.00", "99999999999"], "1234567890.12") == ["too_many_digits"] * 2
    assert kept_values(AMOUNT, ["12.340", "12.3", "007", "-0.10"]) == [
        Decimal("12.34"),
        Decimal("12.30"),
        Decimal("7.00"),
        Decimal("-0.10"),
    ]


def test_C41_what_is_not_a_finite_number_is_refused() -> None:
    assert refused_values(AMOUNT, ["NaN", "inf", "-Infinity", "1e400", "1E2", ".5", "5."], "1") == ["not_a_decimal"] * 7


def test_C42_words_for_nothing_are_text_in_text() -> None:
    words = ["NA", "null", "-", "None", "NaN", "N/A"]
    assert kept_values(text("name"), words, null_tokens=("NA", "-")) == words


def test_C43_words_for_nothing_in_numbers_must_be_declared() -> None:
    assert refused_values(AMOUNT, ["-", "null", "NA"], "1.00") == ["not_a_decimal"] * 3
    assert kept_values(AMOUNT, ["-", "NA", " NA ", "1"], null_tokens=("NA", "-")) == [None, None, None, Decimal(1)]
    assert kept_values(integer("qty"), ["-999", "-99", "7"], null_tokens=("-999",)) == [None, -99, 7]
    assert (
        kept_values(day_date("day"), ["0000-00-00", "1900-01-01"], null_tokens=("0000-00-00", "1900-01-01"))
        == [None] * 2
    )


def test_C43_a_column_may_have_its_own_words_for_nothing() -> None:
    column = integer("qty", null_tokens=("?",))
    assert kept_values(column, ["?"], null_tokens=("NA",)) == [None]
    assert refused_values(column, ["NA"], "1", null_tokens=("NA",)) == ["not_an_integer"]


def test_C43_nothing_is_an_empty_field_without_quotes() -> None:
    assert kept_values(text("name"), ["", '""']) == [None, ""]
    assert kept_values(integer("qty"), ["", "1"]) == [None, 1]
    assert refused_values(integer("qty"), ['""', " "], "1") == ["not_an_integer"] * 2
    assert kept_values(integer("qty"), ['""', " "], null_tokens=("",)) == [None, None]


def test_C44_blanks_stay_round_text_and_go_from_round_numbers() -> None:
    assert kept_values(text("name"), [" a ", "\u00a0b\u200b"]) == [" a ", "\u00a0b\u200b"]
    assert kept_values(integer("qty"), [" 5", "5 ", "\t+5 "]) == [5, 5, 5]
    assert kept_values(AMOUNT, [" 5.1 "]) == [Decimal("5.10")]


def test_C45_leading_zeros_of_a_code_stay() -> None:
    assert kept_values(text("code"), ["007", "0"]) == ["007", "0"]
    assert kept_values(integer("qty"), ["007", "0" * 30 + "5"]) == [7, 5]


def test_C46_an_id_that_Excel_destroyed_is_refused() -> None:
    assert refused_values(integer("id"), ["1.23457E+15"], "1234571234567890") == ["not_an_integer"]


def test_C47_booleans_have_the_spellings_that_were_declared() -> None:
    column = boolean("active", true_tokens=("ja", "1"), false_tokens=("nein", "0"))
    assert kept_values(column, ["ja", "nein", "1", "0", ""]) == [True, False, True, False, None]
    assert refused_values(column, ["oui", "true", "Ja", " ja"], "ja") == ["not_a_boolean"] * 4


def test_C48_an_empty_file_is_refused() -> None:
    assert refusal(b"") == "people: the file is empty (0 bytes); have it delivered again"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_C49_a_header_alone_is_no_rows(end: str) -> None:
    result = loaded(f"id,name{end}".encode())
    assert (result.kept, result.refused) == ([], [])


@pytest.mark.parametrize(
    "stump", [b"40,00040,name40,40.50,5,202", b"40,00040,name40,40.50,5,2026-01-13,a no", b'40,"x', b"40,x\r"]
)
def test_C51_a_last_line_without_a_line_end_is_refused(stump: bytes) -> None:
    result = loaded(sales(count=39) + stump, SALES)
    assert result.refused == [(41, None, "no_line_end")]
    assert result.raw == [stump]
    assert len(result.kept) == 39


def test_C51_it_is_taken_where_that_is_declared() -> None:
    declared = with_columns(*PEOPLE.columns, form=Form(is_last_line_end_needed=False))
    assert loaded(b"id,name\n1,ann\n2,bob", declared).column("name") == ["ann", "bob"]
    assert loaded(b'id,name\n1,ann\n2,"bob', declared).refused == [(3, None, "open_quote")]


def test_C54_gzip_is_named_unless_declared() -> None:
    file = gzip.compress(sales())
    assert "it is gzip data; declare the compression 'gzip'" in refusal(file, SALES)
    declared = with_columns(*SALES.columns, form=Form(compression="gzip"))
    assert len(loaded(file, declared).kept) == 40
    assert (
        len(
            loaded(
                gzip.compress(b"id,") + gzip.compress(b"name\n1,x\n"), with_columns(*PEOPLE.columns, form=declared.form)
            ).kept
        )
        == 1
    )
    assert "the packed data are damaged" in refusal(sales(), declared)


def test_C55_gzip_that_ends_early_is_refused() -> None:
    declared = with_columns(*SALES.columns, form=Form(compression="gzip"))
    packed = gzip.compress(sales(count=5000))
    assert "the packed data end early" in refusal(packed[: len(packed) // 2], declared)
    assert "the packed data end early" in refusal(packed[:-4], declared)
    damaged = packed[:-8] + bytes(4) + packed[-4:]
    assert "the packed data are damaged" in refusal(damaged, declared)


def zipped(**members: bytes) -> bytes:
    """Return a zip of files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_C56_G14_a_zip_of_one_file_is_read_where_it_is_declared() -> None:
    assert "it is a zip file; declare the compression 'zip'" in refusal(zipped(sales=sales()), SALES)
    declared = with_columns(*SALES.columns, form=Form(compression="zip"))
    assert len(loaded(zipped(sales=sales()), declared).kept) == 40
    assert "the zip holds 2 files, 1 agreed" in refusal(zipped(a=sales(), b=b""), declared)
    assert "it is a zip file" in refusal(zipped(a=zipped(b=sales())), declared)
    assert "it is no whole zip file" in refusal(zipped(a=sales())[:-30], declared)
    damaged = bytearray(zipped(a=sales(count=3000)))
    damaged[len(damaged) // 2] ^= 255
    assert "the packed data are damaged" in refusal(bytes(damaged), declared)


def test_C56_G14_an_encrypted_zip_is_refused() -> None:
    file = bytearray(zipped(a=sales()))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        file[file.index(mark) + offset] |= 1
    declared = with_columns(*SALES.columns, form=Form(compression="zip"))
    assert "the zip is encrypted" in refusal(bytes(file), declared)


@pytest.mark.parametrize("compression", ["gzip", "zip"])
def test_C56_G14_what_unpacks_to_too_much_is_refused(compression: Any) -> None:
    bomb = b"id,name\n" + b"1,x\n" * 5_000_000
    packed = gzip.compress(bomb) if compression == "gzip" else zipped(a=bomb)
    form = Form(compression=compression)
    assert "more than 200 times its size" in refusal(packed, with_columns(*PEOPLE.columns, form=form))
    few = with_columns(*PEOPLE.columns, form=form, limits=Limits(unpacked_times=10_000, unpacked_bytes=1_000_000))
    assert "more than 1,000,000 bytes" in refusal(packed, few)


@pytest.mark.parametrize("start", ["<!DOCTYPE html>\n<html>", "<html>", "\n\n <HTML lang='en'>"])
def test_C57_an_HTML_page_is_named_with_its_title(start: str) -> None:
    page = f"{start}<head><title>403 Forbidden</title></head><body>no</body></html>\n"
    assert "it is an HTML page with the title '403 Forbidden', CSV agreed" in refusal(page.encode())


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b'{"error": "no"}', "JSON"),
        (b'[{"id": 1}]', "JSON"),
        (b'<?xml version="1.0"?><r/>', "XML"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"\x28\xb5\x2f\xfd\x24", "zstandard data"),
        (zipped(**{"[Content_Types].xml": b"", "xl/workbook.xml": b""}), "a workbook"),
    ],
)
def test_C58_other_kinds_of_file_are_named(start: bytes, kind: str) -> None:
    assert f"it is {kind}" in refusal(start)


def test_C65_what_a_spreadsheet_would_run_is_text_here() -> None:
    values = ["=cmd|'/c calc'!A1", "@SUM(A1)", "+1", "-1"]
    assert kept_values(text("name"), values) == values


def test_C66_markup_is_text_here() -> None:
    assert kept_values(text("name"), ["<script>alert(1)</script>"]) == ["<script>alert(1)</script>"]


@pytest.mark.parametrize("field", ["x" * 65_537, f'"{"x" * 65_537}"'])
def test_C67_G14_a_field_over_the_limit_is_refused_and_its_raw_bytes_are_cut(field: str) -> None:
    result = loaded(sales({5: f"4,4,{field},1.00,1,2026-01-01,n"}), SALES)
    assert result.refused == [(5, "name", "field_too_long")]
    assert len(result.raw[0]) == 2**16
    assert len(result.kept) == 39


def test_C67_G14_a_field_of_3_MB_is_refused_and_one_of_the_limit_is_kept() -> None:
    file = b"id,name\n1,ann\n2," + b"x" * 3_000_000 + b"\n3," + b"y" * 65_536 + b"\n"
    result = loaded(file)
    assert result.refused == [(3, "name", "field_too_long")]
    assert result.details == ["3,000,000 bytes, limit 65,536"]
    assert len(result.kept[1]["name"]) == 65_536


def test_C67_G14_a_line_without_an_end_is_not_followed_for_ever() -> None:
    assert "line 3: a line is longer than 4,194,304 bytes" in refusal(b"id,name\n1,ann\n2," + b"x" * 2**23 + b"\n3,z\n")


def test_C68_G14_ten_thousand_columns_are_refused_by_their_header() -> None:
    header = ",".join(["id", "name", *(f"c{n}" for n in range(9_998))])
    message = refusal(f"{header}\n1,2\n".encode())
    assert "the file has 10,000 columns, 2 agreed" in message
    assert len(message) < 2000


def test_C69_empty_lines_are_counted_and_lines_of_blanks_refused() -> None:
    result = loaded(b"id,name\n\n1,ann\n\r\n  \n2,bob\n3,eve\n \t \n\n")
    assert result.blank == 3
    assert result.refused == [(5, None, "only_blanks"), (8, None, "only_blanks")]
    assert result.column("line") == [3, 6, 7]


def test_C69_also_where_there_is_one_column_or_the_delimiter_is_a_tab() -> None:
    assert loaded(b"a\nx\n \n\ny\n", with_columns(text("a"))).refused == [(3, None, "only_blanks")]
    assert loaded(b"a\tb\n\t\n1\t2\n", with_columns(text("a"), text("b"), delimiter="\t")).column("a") == [None, "1"]
