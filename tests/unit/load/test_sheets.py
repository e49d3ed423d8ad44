"""Sheets of a workbook by the contract: what Excel stores, which is not always what it shows."""

import zipfile
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from daybook.loader.load import layout_of
from daybook.loader.mended import mended_records
from daybook.spec import Column, Form, Limits, boolean, clock_time, day_date, decimal, integer, text, timestamp
from tests.support.drawn import loaded, refusal, with_columns
from tests.support.workbooks import edited, workbook

XLSX = Form(format="xlsx")
AMOUNT = decimal("x", digits=15, scale=2)
NOON = datetime(2024, 7, 1, 12, 0, 0, 250_000)  # noqa: DTZ001 - a sheet's times have no zone
MANY = Limits(refused_rows=50)


def form(**words: Any) -> Form:
    """Return the form of a sheet with these words."""
    return Form(format="xlsx", **words)


def cell(column: Column, value: Any, number_format: str | None = None, **words: Any) -> Any:
    """Return what a cell is read as: its value, or the reason why its row is refused."""

    def shown_as(sheet: Any) -> None:
        sheet["A5"] = value
        if number_format:
            sheet["A5"].number_format = number_format

    file = workbook([["x", "n"], [None, 1], [None, 2], [None, 3], [None, 4]], shown_as)
    found = loaded(file, with_columns(column, integer("n"), form=XLSX, **words))
    return found.kept[3]["x"] if len(found.kept) == 4 else found.refused[0][2]


def xml_cell(column: Column, xml: str) -> Any:
    """Return what a cell that openpyxl does not write is read as. xml: the cell, without its tag's name and place."""
    file = workbook([["x", "n"], [77777, 1], [None, 2], [None, 3]])
    changed = edited(file, ('<c r="A2" t="n"><v>77777</v></c>', f'<c r="A2" {xml}</c>'))
    found = loaded(changed, with_columns(column, integer("n"), form=XLSX))
    return found.kept[0]["x"] if len(found.kept) == 3 else found.refused[0][2]


@pytest.mark.parametrize(
    ("column", "value", "number_format", "expected"),
    [
        (integer("x"), 5, None, 5),
        (integer("x"), "5", None, 5),
        (integer("x"), " 5 ", None, 5),
        (integer("x"), 5.5, None, "not_an_integer"),
        (integer("x"), 999_999_999_999_999, None, 999_999_999_999_999),
        (integer("x"), 1_000_000_000_000_000, None, "not_a_value"),
        (integer("x"), True, None, "not_an_integer"),
        (AMOUNT, 12.5, "0.00%", Decimal("12.50")),
        (AMOUNT, "12.5 EUR", None, "not_a_decimal"),
        (AMOUNT, 1e-2, None, Decimal("0.01")),
        (AMOUNT, 10_000_000_000_000.25, None, "not_a_value"),
        (AMOUNT, datetime(2024, 3, 5), None, "not_a_decimal"),  # noqa: DTZ001
        (text("x"), "007", None, "007"),
        (text("x"), 7, "000", "7"),
        (text("x"), 7.25, None, "7.25"),
        (text("x"), date(2024, 3, 1), None, "not_a_text"),
        (text("x"), True, None, "not_a_text"),
        (text("x"), "a\nb\tc", None, "a\nb\tc"),
        (text("x"), "", None, None),
        (text("x"), "_x0041_ and _x005F_x0041_", None, "A and _x0041_"),
        (boolean("x", true_tokens=("1",), false_tokens=("",)), True, None, True),
        (boolean("x", true_tokens=("1",), false_tokens=("",)), 1, None, True),
        (boolean("x", true_tokens=("1",), false_tokens=("",)), None, None, False),
        (boolean("x", true_tokens=("yes",)), "yes", None, True),
        (day_date("x", format="%d.%m.%Y"), date(2024, 3, 5), "dd/mm/yyyy", date(2024, 3, 5)),
        (day_date("x", format="%d.%m.%Y"), "05.03.2024", None, date(2024, 3, 5)),
        (day_date("x"), 45356, '[$-409]d" day of "mmm;@', date(2024, 3, 5)),
        (day_date("x"), 45356, '0" days"', "not_a_date"),
        (day_date("x", format="excel"), 45356, None, date(2024, 3, 5)),
        (day_date("x", format="excel"), date(2024, 3, 5), None, date(2024, 3, 5)),
        (day_date("x"), NOON, None, "not_a_date"),
        (day_date("x"), 60, "yyyy-mm-dd", "not_a_value"),
        (day_date("x"), 61, "yyyy-mm-dd", date(1900, 3, 1)),
        (day_date("x"), -1, "yyyy-mm-dd", "not_a_value"),
        (day_date("x"), 2_958_466, "yyyy-mm-dd", "not_a_value"),
        (day_date("x"), 1e300, "yyyy-mm-dd", "not_a_value"),
        (timestamp("x"), NOON, None, NOON.replace(tzinfo=UTC)),
        (timestamp("x"), date(2024, 7, 1), None, datetime(2024, 7, 1, tzinfo=UTC)),
        (timestamp("x", time_zone="Europe/Madrid"), NOON, None, NOON.replace(hour=10, tzinfo=UTC)),
        (timestamp("x"), time(6), None, "not_a_timestamp"),
        (clock_time("x"), time(7, 45), None, 27900),
        (clock_time("x"), time(7, 45, 0, 500_000), None, "not_a_clock_time"),
        (clock_time("x"), "07:45", None, 27900),
        (clock_time("x"), NOON, None, "not_a_clock_time"),
        (clock_time("x"), 0.25, "0.00", "not_a_clock_time"),
        (decimal("x", digits=9, scale=4), timedelta(hours=30), None, "not_a_value"),
    ],
)
def test_a_cell_is_read_by_what_the_sheet_stores(
    column: Column, value: Any, number_format: str | None, expected: Any
) -> None:
    assert cell(column, value, number_format) == expected


@pytest.mark.parametrize(
    ("column", "xml", "expected"),
    [
        (AMOUNT, 't="n"><v>0.30000000000000004</v>', "too_many_decimals"),
        (AMOUNT, "><v>1.1000000000000001</v>", Decimal("1.10")),
        (AMOUNT, "><v>1.0E2</v>", Decimal("100.00")),
        (integer("x"), "><f>1+1</f><v>2</v>", 2),
        (integer("x"), "><f>1+1</f>", "not_a_value"),
        (text("x"), 't="str"><f>""</f><v></v>', None),
        (text("x"), 't="str"><f>A1</f><v>a</v>', "a"),
        (text("x"), 't="e"><f>1/0</f><v>#DIV/0!</v>', "not_a_value"),
        (integer("x"), 't="e"><v>#N/A</v>', "not_a_value"),
        (text("x"), 't="inlineStr"><is><r><t>a</t></r><r><t xml:space="preserve"> b</t></r></is>', "a b"),
        (text("x"), 't="inlineStr"><is><t>a</t><rPh sb="0" eb="1"><t>x</t></rPh></is>', "a"),
        (day_date("x"), 't="d"><v>2024-03-05</v>', date(2024, 3, 5)),
    ],
)
def test_a_cell_that_other_programs_write_is_read_by_its_type(column: Column, xml: str, expected: Any) -> None:
    assert xml_cell(column, xml) == expected


def test_an_error_is_refused_by_row_and_column() -> None:
    source = with_columns(integer("id"), text("name"), form=XLSX)
    found = loaded(workbook([["id", "name"], [1, "a"], [2, "#N/A"], [3, "c"]]), source)
    assert found.refused == [(3, "name", "not_a_value")]
    assert found.details == ["#N/A is an error of the sheet"]
    assert found.raw == [b'{"id": 2, "name": {"wrong": "#N/A is an error of the sheet"}}']


def test_the_workbook_says_from_which_day_on_it_counts() -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    for row in (["a", "b"], [date(2024, 3, 5), 43894]):
        book.worksheets[0].append(row)
    file = BytesIO()
    book.save(file)
    source = with_columns(day_date("a"), day_date("b", format="excel"), form=XLSX)
    assert loaded(file.getvalue(), source).kept == [{"line": 2, "a": date(2024, 3, 5), "b": date(2024, 3, 5)}]


def test_rows_are_numbered_as_in_the_sheet_and_empty_ones_at_the_end_are_none() -> None:
    def styled(sheet: Any) -> None:
        sheet["A9"].number_format = "0.00"
        sheet["A1048576"].number_format = "0.00"

    source = with_columns(integer("id"), text("name"), form=XLSX)
    found = loaded(workbook([["id", "name"], [1, "a"], [], [None, None], ["x", "b"], [2, "c"]], styled), source)
    assert [row["line"] for row in found.kept] == [2, 6]
    assert (found.refused, found.blank) == ([(5, "id", "not_an_integer")], 2)


def test_a_merged_cell_of_the_contract_refuses_each_of_its_rows() -> None:
    form = Form(format="xlsx", header_line=2, extra_columns="ignore")
    rows = [["Sales of March"], ["id", "name", "note"], [1, "a", "x"], [2, None, "y"], [3, "b", "z"], [4, "c", None]]

    def merge(sheet: Any) -> None:
        sheet.merge_cells("A1:C1")
        sheet.merge_cells("B3:B4")
        sheet.merge_cells("C5:C6")

    found = loaded(workbook(rows, merge), with_columns(integer("id"), text("name"), form=form, limits=MANY))
    assert found.refused == [(3, "name", "merged_cell"), (4, "name", "merged_cell")]
    assert found.column("id") == [3, 4]


def test_a_header_below_titles_with_units_and_a_footer() -> None:
    rows = [
        ["Sales"],
        [],
        ["id", None, "amount"],
        ["", None, "EUR"],
        [1, None, 1.5],
        [2, None, 2.5],
        [],
        ["Sum", None, 4],
    ]
    columns = integer("id"), decimal("amount", digits=9, scale=2)
    words: dict[str, Any] = {"lines_below_header": 1, "footer_lines": 1}
    for header_line in (3, "find"):
        found = loaded(workbook(rows), with_columns(*columns, form=form(header_line=header_line, **words)))
        assert [row["line"] for row in found.kept] == [5, 6]
        assert (found.skipped, found.blank, found.refused) == ({"lines_below_header": 1, "footer": 1}, 1, [])
    assert "the header is on row 3, 1 agreed; declare header_line=3" in refusal(
        workbook(rows), with_columns(*columns, form=form())
    )
    cut = with_columns(*columns, form=form(header_line=3, **words))
    assert "row 6: it is a row by the contract, and should be none (footer)" in refusal(workbook(rows[:6]), cut)


def test_without_a_header_the_columns_have_places() -> None:
    source = with_columns(text("name", position=3), integer("id", position=1), form=form(
        header_line=0, extra_columns="ignore"))  # fmt: skip
    assert loaded(workbook([[1, "x", "a", 7], [2, None, "b"]]), source).kept == [
        {"line": 1, "name": "a", "id": 1}, {"line": 2, "name": "b", "id": 2}
    ]  # fmt: skip


def test_a_value_beside_the_named_columns_and_a_repeated_header_are_refused() -> None:
    source = with_columns(integer("id"), text("name"), form=XLSX, limits=Limits(repeated_headers=1))
    found = loaded(workbook([["id", "name"], [1, "a"], [2, "b", "c"], ["id", "name"], [3, "d"]]), source)
    assert found.refused == [(3, None, "too_many_fields"), (4, None, "repeated_header")]
    assert found.raw[0] == b'{"id": 2, "name": "b", "field 3": "c"}'


def test_a_date_and_a_time_in_two_cells_are_one_instant() -> None:
    source = with_columns(
        day_date("d", format="%d.%m.%Y"), timestamp("t", format="%d.%m.%Y %H:%M", date_column="d"), form=XLSX
    )
    found = loaded(workbook([["d", "t"], [date(2024, 3, 5), time(6, 30)], ["05.03.2024", "06:30"]]), source)
    assert found.column("t") == [datetime(2024, 3, 5, 6, 30, tzinfo=UTC)] * 2


def test_the_sheet_is_the_one_agreed_or_the_only_one() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id"])
    book.create_sheet("März 2024").append(["id"])
    file = BytesIO()
    book.save(file)
    columns = integer("id"), text("name")
    assert "which sheet? declare sheet; the workbook has 'Sheet', 'März 2024'" in refusal(
        file.getvalue(), with_columns(*columns, form=XLSX)
    )
    assert "no sheet 'Marz 2024'; did you mean 'März 2024'?; the workbook has 'Sheet', 'März 2024'" in refusal(
        file.getvalue(), with_columns(*columns, form=form(sheet="Marz 2024"))
    )
    assert "missing column 'name'" in refusal(file.getvalue(), with_columns(*columns, form=form(sheet="März 2024")))


def test_a_mended_row_may_hold_what_the_sheet_holds() -> None:
    source = with_columns(integer("id"), day_date("on", format="%d.%m.%Y"), form=XLSX)
    file = workbook([["id", "on"], ["x", date(2024, 3, 5)]])
    mend = b'{"id": 1, "on": {"local": "2024-03-05T00:00:00.000"}}'
    assert loaded(file, source, mends={2: mend}).kept == [{"line": 2, "id": 1, "on": date(2024, 3, 5)}]
    assert loaded(file, source, mends={2: b'{"id": 1, "on": "05.03.2024"}'}).column("on") == [date(2024, 3, 5)]


def test_a_row_that_is_mended_is_judged_before_it_is_kept() -> None:
    file, source = workbook([["on"], ["x"]]), with_columns(day_date("on"), form=XLSX)
    layout = layout_of(BytesIO(file), source, "f")
    records = mended_records({2: b'{"on": "2024-03-05"}', 3: b'{"on": {"wrong": "x"}}', 4: b"2024-03-05x"}, layout)
    assert [record.refusal and record.refusal.reason for record in records] == [None, "not_a_value", "not_json"]


GOOD = workbook([["id"], [1], [2]])


@pytest.mark.parametrize(
    ("file", "what"),
    [
        (GOOD[: len(GOOD) // 2], "it is not a whole workbook"),
        (b"", "the file is empty (0 bytes)"),
        (b"id\n1\n", 'it is text, format="xlsx" agreed; ask the sender'),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook, or one with a password"),
        (edited(GOOD, ('r="A3"', 'r="A2"')), "it is not a whole workbook"),
        (edited(GOOD, ('<row r="3">', '<row r="2">'), ('r="A3"', 'r="A2"')), "row 2 after row 2"),
        (edited(GOOD, ("<v>2</v>", "<v>2x</v>")), "it is not a whole workbook"),
        (edited(GOOD, ('<c r="A3" t="n">', '<c r="A3" t="s">')), "no text 2"),
        (edited(GOOD, ("<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet')), "its XML has a DOCTYPE"),
        (edited(GOOD, ("</sheetData>", "")), "it is not a whole workbook"),
    ],
)
def test_a_file_that_is_no_whole_workbook_is_refused(file: bytes, what: str) -> None:
    assert what in refusal(file, with_columns(integer("id"), form=XLSX))


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    packed = BytesIO(workbook([["id"], [1]]))
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings2.xml", b"")
    small = with_columns(integer("id"), form=XLSX, limits=Limits(unpacked_bytes=500))
    assert "it unpacks to more than 500 bytes, the limit of the contract" in refusal(packed.getvalue(), small)
