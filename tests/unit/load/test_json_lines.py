"""Files of JSON lines by the contract: an object on each line, whose keys are the columns."""

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from daybook.spec import Form, boolean, day_date, decimal, integer, text, timestamp
from tests.support.drawn import loaded, refusal, with_columns

LINES = Form(format="json_lines")
SALES = with_columns(
    integer("id"),
    text("name"),
    decimal("amount", digits=18, scale=2),
    day_date("day", format="%d.%m.%Y"),
    boolean("paid"),
    form=LINES,
)


def one(line: str, column: str = "amount") -> object:
    """Return what became of a row that is added to a whole one: a column's value, or the reason and column."""
    whole = '{"id": 1, "name": "a", "amount": 1, "day": "05.03.2024", "paid": true}\n' * 3
    found = loaded((whole + line + "\n").encode(), SALES)
    return found.kept[3][column] if len(found.kept) == 4 else found.refused[0][1:]


def test_keys_are_the_columns_in_any_order_and_line_numbers_are_physical() -> None:
    file = '{"paid": true, "day": "05.03.2024", "id": 1, "name": "x", "amount": 1.5}\r\n\n{"id": "x"}\n{"id": 3}'
    found = loaded(file.encode(), SALES)
    assert found.kept[0] == {
        "line": 1, "id": 1, "name": "x", "amount": Decimal("1.50"), "day": date(2024, 3, 5), "paid": True
    }  # fmt: skip
    assert found.kept[1] == dict.fromkeys(found.kept[0], None) | {"line": 4, "id": 3}
    assert (found.refused, found.raw, found.blank) == ([(3, "id", "not_an_integer")], [b'{"id": "x"}'], 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.1", Decimal("0.10")),
        ("9007199254740993.25", Decimal("9007199254740993.25")),
        ("2.000", Decimal("2.00")),
        ("1e2", Decimal("100.00")),
        ("-0.5E1", Decimal("-5.00")),
        ("null", None),
        ('"12.50"', Decimal("12.50")),
        ("0.30000000000000004", ("amount", "too_many_decimals")),
        ("1.2345678901234567e15", ("amount", "not_a_value")),
        ("1e400", ("amount", "not_a_value")),
        ("NaN", ("amount", "not_a_decimal")),
        ("-Infinity", ("amount", "not_a_decimal")),
        ("true", ("amount", "not_a_decimal")),
        ("[1]", ("amount", "not_a_value")),
        ('{"value": 1}', ("amount", "not_a_value")),
        ('{"number": "1"}', ("amount", "not_a_value")),
        ('{"local": "2024-03-05"}', ("amount", "not_a_value")),
        ('"1e2"', ("amount", "not_a_decimal")),
        ('""', ("amount", "not_a_decimal")),
    ],
)
def test_a_number_is_read_from_its_text_and_never_through_floating_point(value: str, expected: object) -> None:
    assert one(f'{{"id": 1, "amount": {value}}}') == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("9007199254740993", 9007199254740993),
        ("-9223372036854775808", -(2**63)),
        ("5.0", 5),
        ("1e3", 1000),
        ("9223372036854775808", ("id", "integer_out_of_range")),
        ("1" * 5000, ("id", "integer_out_of_range")),
        ("9007199254740993.0", ("id", "not_a_value")),
        ("1e16", ("id", "not_a_value")),
        ("5.5", ("id", "not_an_integer")),
    ],
)
def test_a_whole_number_is_exact_or_refused(value: str, expected: object) -> None:
    assert one(f'{{"id": {value}}}', "id") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"id": 1, "id": 2}', ("id", "repeated_key")),
        (b'{"id": 1, "nmae": "x"}', ("nmae", "unknown_column")),
        (b'{"id": 1} {"id": 2}', (None, "not_json")),
        (b'{"id": 01}', (None, "not_json")),
        (b"id,name", (None, "not_json")),
        (b'[{"id": 1}]', (None, "not_an_object")),
        (b'{"name": "\xe9"}', (None, "wrong_encoding")),
        (b'{"name": "\\ud800"}', (None, "wrong_encoding")),
        (b'{"name": "\\u0000"}', ("name", "nul_byte")),
        (b'{"name": "\\u0007"}', ("name", "control_byte")),
        (b'{"name": true}', ("name", "not_a_text")),
        (b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", (None, "not_json")),
        (b'{"name": "' + b"x" * 70_000 + b'"}', ("name", "field_too_long")),
    ],
)
def test_a_line_that_is_no_object_of_the_contract_is_refused(line: bytes, expected: object) -> None:
    whole = b'{"id": 1, "name": "a", "amount": 1, "day": "05.03.2024", "paid": true}\n' * 3
    found = loaded(whole + line + b"\n", SALES)
    assert (len(found.kept), found.refused) == (3, [(4, *expected)])  # type: ignore[misc]
    assert found.raw == [line[:65536]]


def test_a_last_line_that_is_cut_is_refused_and_a_whole_one_without_a_line_end_is_not() -> None:
    form = Form(format="json_lines", may_lack_keys=True)
    source = with_columns(integer("id"), text("name"), form=form)
    assert loaded(b'{"id": 1}\n{"id": 2}', source).column("id") == [1, 2]
    assert loaded(b'{"id": 1}\n{"id": 2', source).refused == [(2, None, "no_line_end")]


def test_typed_values_leave_the_words_about_spellings_to_texts() -> None:
    source = with_columns(
        decimal("amount", digits=12, scale=3, decimal_mark=",", percent="divide"),
        text("zip"),
        timestamp("at", format="unix", decimal_mark=","),
        boolean("flag", true_tokens=("1",), false_tokens=("",)),
        null_tokens=("-999",),
        form=LINES,
    )
    lines = [
        {"amount": "12,5%", "zip": 8001, "at": 1709618400, "flag": 1},
        {"amount": 0.12, "zip": "08001", "at": 1709618400.5, "flag": True},
        {"amount": -999, "at": "1709618400,25", "flag": ""},
        {"amount": None, "at": "-999"},
    ]
    found = loaded("\n".join(map(json.dumps, lines)).encode(), source)
    assert found.refused == []
    assert found.column("amount") == [Decimal("0.125"), Decimal("0.120"), None, None]
    assert found.column("zip") == ["8001", "08001", None, None]
    assert found.column("at")[:3] == [
        datetime(2024, 3, 5, 6, 0, 0, micros, UTC) for micros in (0, 500_000, 250_000)
    ]  # fmt: skip
    assert found.column("flag") == [True, True, False, False]


def test_a_date_and_a_time_in_two_columns_are_one_instant() -> None:
    source = with_columns(text("d"), timestamp("t", format="%d.%m.%Y %H:%M", date_column="d"), form=LINES)
    found = loaded(b'{"d": "05.03.2024", "t": "06:30"}\n{"d": "05.03.2024"}\n{"d": "x", "t": "06:30"}', source)
    assert found.column("t") == [datetime(2024, 3, 5, 6, 30, tzinfo=UTC), None]
    assert found.refused == [(3, "t", "not_a_timestamp")]


def test_a_key_that_no_row_has_is_a_missing_column_unless_declared() -> None:
    source = with_columns(integer("id"), text("name"), form=Form(format="json_lines", extra_columns="ignore"))
    assert refusal(b'{"id": 1, "nane": "x"}\n', source) == (
        "drawn: no row has the key 'name'; did you mean 'nane'?; nothing is loaded; if a key is left out when it is "
        "null, declare may_lack_keys=True"
    )
    taken = with_columns(
        integer("id"), text("name"), form=Form(format="json_lines", extra_columns="ignore", may_lack_keys=True)
    )
    assert loaded(b'{"id": 1, "nane": "x"}\n', taken).column("name") == [None]


def test_a_column_may_have_other_keys_over_time_and_not_two_at_once() -> None:
    source = with_columns(integer("id", aliases=("ID",)), text("name"), form=LINES)
    found = loaded(b'{"id": 1, "name": "a"}\n{"ID": 2}\n{"ID": 3, "id": 3}\n', source)
    assert (found.column("id"), found.refused) == ([1, 2], [(3, "id", "repeated_key")])


@pytest.mark.parametrize(
    ("file", "what"),
    [
        (b"", "the file is empty (0 bytes)"),
        (b'[\n{"id": 1}\n]', "it is an array of JSON, an object on each line agreed"),
        (b'{\n  "id": 1\n}\n' * 9, "an object may stand on several lines"),
        (b"PAR1....", 'it is a Parquet file, format="json_lines" agreed; declare format="parquet" if that is meant'),
        (b"\x1f\x8b..", 'it is gzip data, format="json_lines" agreed; declare compression="gzip"'),
        (b"<html><p>Moved", "it is an HTML page"),
        (b"{" + b" " * 2**23, "a line is longer than 4,194,304 bytes"),
    ],
)
def test_a_file_that_is_no_JSON_lines_is_refused_by_what_it_is(file: bytes, what: str) -> None:
    assert what in refusal(file, SALES)


def test_packed_lines_are_unpacked_and_those_that_are_cut_are_refused() -> None:
    source = with_columns(integer("id"), form=Form(format="json_lines", compression="gzip"))
    packed = gzip.compress(b"".join(b'{"id": %d}\n' % n for n in range(5000)), mtime=0)
    assert len(loaded(packed, source).kept) == 5000
    assert "the packed data end early" in refusal(packed[:-20], source)


def test_a_mended_row_is_an_object_on_one_line() -> None:
    source = with_columns(integer("id"), text("name"), form=LINES)
    file = b'{"id": 1, "name": "a"}\n{"id": "x", "name": "b"}\n'
    assert loaded(file, source, mends={2: b'{"id": 2, "name": "b"}'}).column("id") == [1, 2]
    found = loaded(file, source, mends={2: b'{"id": 2, "name": "b", "more": 1}'})
    assert found.refused == [(2, "more", "unknown_column")]
