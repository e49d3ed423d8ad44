"""The page of a run of several days."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from daybook.ledger.left_out import LeftOut, leave_out
from daybook.ledger.receipt import STEPS, Rows
from daybook.pages.days_page import days_page
from daybook.pages.run_state import days_of, read_day
from daybook.pipelines import load_pipelines
from tests.support.files import CANARY, DAY, data_folder, leave_canary, leave_receipt, leave_wait, publish

FLIGHTS = load_pipelines().good["flights"]
RUN = "backfill:1"
DAYS = [DAY + timedelta(days=number) for number in range(5)]
READ = {"flights": Rows(read=1842, kept=1838, refused={"a": 3}, dropped={"blank": 1})}


@pytest.fixture
def page(tmp_path: Path) -> str:
    """The page of a batch: a day that is published, one under way, one that waits, one left out, one not begun."""
    data_folder(tmp_path).note_days_of_run("flights", RUN, DAYS)
    for step in STEPS:
        leave_receipt(tmp_path, RUN, step, DAYS[0], run_id=7, rows=READ if step == "load" else {})
    publish(tmp_path, 7, day=DAYS[0])
    leave_receipt(tmp_path, RUN, "extract_tables", DAYS[1])
    leave_wait(tmp_path, RUN, DAYS[2])
    leave_out(
        data_folder(tmp_path).run("flights", DAYS[3], RUN), LeftOut("load", "BadData", f"line 17 is bad {CANARY}")
    )
    publish(tmp_path, 3, day=DAYS[4])
    return shown(tmp_path, RUN)


def test_each_day_of_the_run_has_its_line_with_state_rows_and_reason(page: str) -> None:
    assert [words(page, day)[0] for day in DAYS] == ["Published", "Not published", "Waiting", "Left out", "Not begun"]
    assert words(page, DAYS[0])[1:4] == ["1,842", "3", "1"]
    assert "Next is extract_files." in words(page, DAYS[1])[4]
    assert "extract_files waits for flights since " in words(page, DAYS[2])[4]
    assert "load: line 17 is bad " in words(page, DAYS[3])[4]
    assert f"daybook day {DAYS[3]} --pipeline flights." in words(page, DAYS[3])[4]
    assert "Readers see run 3; this one has saved nothing yet." in words(page, DAYS[4])[4]
    assert "5 days: 1 published, 1 not published, 1 waiting, 1 left out, 1 not begun." in page


def test_a_day_that_the_run_has_not_begun_has_no_report_of_it_and_a_published_one_has(page: str) -> None:
    assert f'href="report?day={DAYS[0]}"' in page
    assert f'href="report?day={DAYS[4]}"' not in page
    assert all(f'href="../day/{day}"' in page and f'href="run?day={day}"' in page for day in DAYS)


def test_nothing_in_a_note_or_a_receipt_becomes_markup(page: str, tmp_path: Path) -> None:
    leave_canary(tmp_path, "hostile")
    data_folder(tmp_path).note_days_of_run("flights", "hostile", DAYS[:2])
    for told in (page, shown(tmp_path, "hostile")):
        assert "&lt;script&gt;" in told
        assert "<script" not in told
        assert "<img" not in told


def test_a_note_of_the_days_that_is_damaged_leaves_the_first_day_that_is_found(page: str, tmp_path: Path) -> None:
    [noted] = tmp_path.glob("days/flights/of_runs/*.json")
    noted.write_bytes(b'["2013-13-45"]')
    assert days_of(data_folder(tmp_path), FLIGHTS, RUN) == [DAYS[3]]


def shown(data: Path, run: str) -> str:
    """Return the page of a run as text."""
    states = [read_day(data_folder(data), FLIGHTS, run, day) for day in days_of(data_folder(data), FLIGHTS, run)]
    return days_page("flights", states).decode()


def words(page: str, day: date) -> list[str]:
    """Return the cells of a day's line, after the day, without markup."""
    [line] = [row for row in page.split("<tr>") if f'href="run?day={day}"' in row]
    cells = re.findall("<td[^>]*>(.*?)</td>", line, re.DOTALL)
    return [re.sub("<[^>]*>", " ", cell).strip().replace(" .", ".") for cell in cells[1:]]
