"""The catalogue of bad input, C32 to C47, C65, C66: values that are not what their column takes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from daybook.spec import Limits, boolean, clock_time, day_date, decimal, integer, text, timestamp
from tests.support.drawn import SALES, loaded, refusal, sales, with_columns

AMOUNT = decimal("amount", digits=12, scale=2)


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


def test_a_clock_time_is_its_seconds_since_midnight() -> None:
    column = clock_time("at")
    assert kept_values(column, ["00:00", "07:45", " 23:59 "]) == [0, 27900, 86340]
    odd = ["7:45", "07:45:00", "0745", "27900", "07:45 pm", "-07:45", "\u0660\u0667:45"]
    assert refused_values(column, odd, "07:45") == ["not_a_clock_time"] * 7
    assert refused_values(column, ["24:00", "23:60", "25:00"], "07:45") == ["no_such_time"] * 3
    midnight = clock_time("at", format="%-H:%M:%S", hour_24="next_day")
    assert kept_values(midnight, ["7:05:09", "24:00:00"]) == [25509, 86400]
    assert refused_values(midnight, ["24:00:01"], "7:05:09") == ["no_such_time"]
    assert kept_values(clock_time("at", format="%I:%M %p"), ["12:05 AM", "12:05 pm"]) == [300, 43500]


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
    assert kept_values(AMOUNT, ["12.34", "12.3", "007", "-0.10"]) == [
        Decimal("12.34"),
        Decimal("12.30"),
        Decimal("7.00"),
        Decimal("-0.10"),
    ]


@pytest.mark.parametrize("length", [*range(36, 42), 76, 77, 125, 126, 127, 128, 129, 255, 256, 257, 400])
def test_a_number_of_very_many_digits_is_refused_and_never_another_number(length: int) -> None:
    values = [f"{digit}{'0' * (length - 1)}" for digit in "123456789"]
    assert refused_values(AMOUNT, values, "1.00") == ["too_many_digits"] * 9
    assert refused_values(integer("amount"), values, "1") == ["integer_out_of_range"] * 9
    assert kept_values(AMOUNT, [f"{'0' * length}7.5"]) == [Decimal("7.50")]


def test_case_69_zeros_past_the_scale_are_refused_for_they_may_be_thousands() -> None:
    values = ["2.000", "12.340", "1.0000", "-3.000", "0.000", "+5.000"]
    assert refused_values(AMOUNT, values, "2.00") == ["too_many_decimals"] * 6
    assert refused_values(decimal("amount", digits=9, scale=0), ["2.0", "1.000"], "2") == ["too_many_decimals"] * 2
    assert refused_values(decimal("amount", digits=9, scale=3), ["2.0000"], "2.000") == ["too_many_decimals"]


def test_zeros_past_the_scale_are_no_digits_if_the_spec_says_so() -> None:
    column = decimal("amount", digits=12, scale=2, extra_zeros="ignore")
    assert kept_values(column, ["2.000", "12.3400", "-0.0000"]) == [Decimal("2.00"), Decimal("12.34"), Decimal("0.00")]
    assert refused_values(column, ["2.001", "2.0010"], "2.000") == ["too_many_decimals"] * 2


def test_case_21_an_integer_with_zeros_after_a_point_is_one_only_if_the_spec_says_so() -> None:
    column = integer("amount", extra_zeros="ignore")
    assert kept_values(column, ["12.0", "12", "-3.000"]) == [12, 12, -3]
    assert refused_values(column, ["12.", ".0", "12.5", "1.0.0"], "12.0") == ["not_an_integer"] * 4
    assert refused_values(integer("amount"), ["12.0"], "12") == ["not_an_integer"]


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


def test_C65_what_a_spreadsheet_would_run_is_text_here() -> None:
    values = ["=cmd|'/c calc'!A1", "@SUM(A1)", "+1", "-1"]
    assert kept_values(text("name"), values) == values


def test_C66_markup_is_text_here() -> None:
    assert kept_values(text("name"), ["<script>alert(1)</script>"]) == ["<script>alert(1)</script>"]


def test_case_08_an_offset_in_whole_hours_is_an_offset() -> None:
    column = timestamp("at", format="%Y-%m-%d %H:%M:%S%z")
    values = [
        "2024-03-05 10:00:00+00",
        "2024-03-05 10:00:00+02",
        "2024-03-05 10:00:00+05:30",
        "2024-03-05 10:00:00-0330",
    ]
    hours = [(10, 0), (8, 0), (4, 30), (13, 30)]
    assert kept_values(column, values) == [datetime(2024, 3, 5, *hour, tzinfo=UTC) for hour in hours]
    odd = ["2024-03-05 10:00:00+2", "2024-03-05 10:00:00+020", "2024-03-05 10:00:00", "2024-03-05 10:00:00 +02"]
    assert refused_values(column, odd, values[0]) == ["not_a_timestamp"] * 4


def test_an_offset_in_whole_hours_may_stand_anywhere() -> None:
    column = timestamp("at", format="%H:%M%z %d.%m.%Y")
    assert kept_values(column, ["10:00+02 05.03.2024"]) == [datetime(2024, 3, 5, 8, tzinfo=UTC)]


def test_case_41_seconds_since_1970_are_refused() -> None:
    assert (
        refused_values(timestamp("at"), ["1709632800", "1709632800000"], "2024-03-05 10:00:00")
        == ["not_a_timestamp"] * 2
    )


def test_day_366_of_a_year_without_it_is_not_the_next_years_first() -> None:
    assert refused_values(day_date("day", format="%Y-%j"), ["2023-366", "2023-000"], "2024-366") == ["no_such_date"] * 2
    assert kept_values(day_date("day", format="%Y%j"), ["2024366", "2023365"]) == [
        date(2024, 12, 31),
        date(2023, 12, 31),
    ]


def test_leap_seconds_and_the_24th_hour_are_refused() -> None:
    values = ["2016-12-31 23:59:60", "2016-12-31 23:59:61", "2016-12-31 24:00:00", "9999-12-31 24:00:00"]
    assert refused_values(timestamp("at"), values, "2016-12-31 23:59:59") == ["no_such_time"] * 4


FLAG = boolean("flag", true_tokens=("X",), false_tokens=("",))


def test_case_33_an_empty_field_is_a_token_of_a_boolean_in_quotes_or_not() -> None:
    assert kept_values(FLAG, ["X", "", '""']) == [True, False, False]
    assert kept_values(boolean("flag", true_tokens=("",), false_tokens=("N",)), ["N", "", '""']) == [False, True, True]
    assert refused_values(FLAG, [" ", "x"], "X") == ["not_a_boolean"] * 2


def test_a_missing_value_of_such_a_boolean_has_a_token_of_its_own() -> None:
    assert kept_values(FLAG, ["X", "", "?"], null_tokens=("?",)) == [True, False, None]


def test_without_such_a_token_an_empty_field_is_missing() -> None:
    assert kept_values(boolean("flag"), ["t", "", "f"]) == [True, None, False]


def test_a_date_and_a_time_in_two_columns_are_one_instant() -> None:
    source = with_columns(
        day_date("day", format="%-d/%-m/%Y"),
        timestamp("time", "sold_at", format="%-d/%-m/%Y %H:%M", date_column="day", time_zone="Europe/Madrid"),
    )
    result = loaded(
        """
        day,time
        5/3/2024,10:30
        5/3/2024,
        ,10:30
        5/3/2024,25:00
        27/10/2024,02:30
        6/3/2024,00:00
    """,
        source,
    )
    assert result.column("time") == [
        datetime(2024, 3, 5, 9, 30, tzinfo=UTC),
        None,
        None,
        datetime(2024, 3, 5, 23, tzinfo=UTC),
    ]
    assert result.refused == [(5, "time", "no_such_time"), (6, "time", "repeated_hour")]


def test_case_04_a_formula_that_keeps_zeros_is_its_text_if_declared() -> None:
    column = text("code", formulas="read")
    assert kept_values(column, ['"=""0012"""', "0012", '"="""""', '"=0012"']) == ["0012", "0012", "", "=0012"]
    assert kept_values(text("code"), ['"=""0012"""']) == ['="0012"']
    assert kept_values(integer("n_of", formulas="read"), ['"=""0012"""']) == [12]


def test_case_04_a_bare_formula_is_a_field_where_a_column_reads_formulas() -> None:
    column = text("code", formulas="read")
    bare = ['="0012"', '="a,b"', '="say ""hi"""', '=""', '="two\nlines"', "=0012"]
    assert kept_values(column, bare) == ["0012", "a,b", 'say "hi"', "", "two\nlines", "=0012"]
    assert kept_values(integer("n_of", formulas="read"), ['="0012"']) == [12]
    result = loaded('code,kept\n="1"x,a\n="2",="b"\nx="3",c\n4,d\n', with_columns(column, text("kept")))
    assert (result.column("code"), result.column("kept")) == (["2", "4"], ['="b"', "d"])
    reasons = [reason for _, _, reason in result.refused]
    assert reasons == ["text_after_closing_quote", "quote_in_unquoted_field"]
