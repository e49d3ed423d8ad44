"""The page of the refused rows of a day, in each of its states, and for people who may see the rows and who may not."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from daybook.ledger.receipt import Origin, Receipt, Rows
from daybook.pages.refused_page import SHOWN_ROWS, refused_page
from daybook.refused.rows import STEP_SCHEMA, LastRun
from pipelines.flights import PIPELINE
from tests.support.files import CANARY, data_folder
from tests.support.html_page import read_page

DAY = date(2013, 1, 5)
Words = tuple[str, str, int, str | None, str, str, bytes]
VALUE = "517 Baker Street"


def row(step: str, line: int, reason: str, raw: str, column: str | None = "dep_time", source: str = "flights") -> Words:
    """Return a refused row."""
    return (
        step,
        source,
        line,
        column,
        reason,
        f"{len(raw)} signs that are no integer",
        raw.encode(errors="surrogateescape"),
    )


def table(*rows: Words) -> pa.Table:
    """Return refused rows as the steps keep them."""
    return pa.Table.from_pylist([dict(zip(STEP_SCHEMA.names, words, strict=True)) for words in rows], STEP_SCHEMA)


@pytest.fixture
def last(tmp_path: Path) -> LastRun:
    """The last run of a day, which was published."""
    known = {"pipeline": "flights", "day": DAY, "run": "run_1", "seconds": 0.1, "peak_memory_mib": 1}
    origins = {f"flights.{number}": Origin(place="ftp", name=f"part_{number}.csv") for number in (1, 2)}
    receipts = {
        "extract_files": Receipt(**known, step="extract_files", origins=origins),
        "load": Receipt(**known, step="load", rows={"flights": Rows(read=9, kept=5, dropped={"equal_row": 2})}),
    }
    return LastRun("run_1", data_folder(tmp_path).run("flights", DAY, "run_1"), "deployed (published)", receipts, None)


def page(last: LastRun, rows: pa.Table, *, shows_text: bool = True) -> tuple[list[list[str]], str]:
    """Return the page: the rows of its tables, and all of it."""
    told = refused_page(PIPELINE, DAY, last, rows, shows_text=shows_text)
    return [row for table in read_page(told).all("table") for row in table.rows()], told.decode()


def test_rows_are_counted_by_rule_in_the_order_of_the_work_with_their_lines(last: LastRun) -> None:
    rows = table(
        row("load", 2, "not_an_integer", "five"),
        row("load", 3, "not_an_integer", "two\nlines"),
        row("load", 9, "required", "x", "carrier"),
        row("index", 6, "unknown_key", "ZZ", None),
    )
    found, told = page(last, rows)
    assert found[0:3] == [
        ["load", "flights", "dep_time", "not_an_integer", "2", "2-4"],
        ["load", "flights", "carrier", "required", "1", "9"],
        ["index", "flights", "-", "unknown_key", "1", "6"],
    ]
    assert "4 refused rows, of 5 lines" in told
    assert ["3 to 4", "9 signs that are no integer", "two lines"] in found
    assert ["load", "flights", "equal_row", "2"] in found


def test_who_may_not_read_the_logs_sees_no_value_and_no_download(last: LastRun) -> None:
    rows = table(row("load", 2, "not_an_integer", VALUE))
    assert VALUE in page(last, rows)[1]
    found, told = page(last, rows, shows_text=False)
    assert found[0] == ["load", "flights", "dep_time", "not_an_integer", "1", "2"]
    assert (VALUE in told, 'refused.csv"' in told, 'href="#rule' in told) == (False, False, False)


def test_a_day_without_refused_rows_says_so(last: LastRun) -> None:
    told = page(last, table())[1]
    assert "No row was refused." in told
    assert "refused.csv" not in told


def test_the_rows_of_a_part_are_told_by_its_file_and_its_own_line(last: LastRun) -> None:
    found, _ = page(last, table(row("load", 2 * 10**12 + 17, "not_an_integer", "five")))
    assert found[0] == ["load", "flights, part_2.csv", "dep_time", "not_an_integer", "1", "17"]


def test_many_rows_and_long_ones_are_shown_in_part_and_counted_whole(last: LastRun) -> None:
    many = [row("load", line, "not_an_integer", "x" * 5_000) for line in range(2, 2 + SHOWN_ROWS + 5)]
    found, told = page(last, table(*many))
    assert found[0][4:] == [str(SHOWN_ROWS + 5), f"2-{SHOWN_ROWS + 6}"]
    assert told.count("the file has all of it") == SHOWN_ROWS
    assert "5 more are in the file to download." in told


@pytest.mark.parametrize("text", [CANARY, "a\u202eb", "\x1b[31mred", "\x00", "\udcff", "{{ 77 * 77 }}", "=1+1"])
def test_no_text_of_a_row_or_a_message_does_anything(last: LastRun, text: str) -> None:
    failed = last._replace(became=f"failed at load, BadData: {text}" if text.isprintable() else "failed at load")
    told = page(failed, table(row("load", 2, "r", text)))[1]
    assert not [sign for sign in ("<script", "<img", "\u202e", "\x1b", "\x00", "5929") if sign in told]
