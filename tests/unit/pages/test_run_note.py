"""The note of a run in Airflow's list: its days, and its receipt in one line."""

from datetime import date, timedelta
from pathlib import Path

from daybook.ledger.receipt import Rows
from daybook.pages.run_note import days_note, done_note
from daybook.pages.run_state import RunState, read_day
from daybook.pipelines import load_pipelines
from tests.support.files import DAY, data_folder, leave_receipt

FLIGHTS = load_pipelines().good["flights"]
RUN = "manual__2026-11-22T17:26:36.935014+00:00"
NEXT = DAY + timedelta(days=1)


def done(folder: Path, day: date, outcome: str) -> RunState:
    """Return the state of a day that a run has done."""
    leave_receipt(folder, RUN, "load", day, rows={"flights": Rows(read=900, kept=897, refused={"a: b": 3})})
    leave_receipt(folder, RUN, "clean", day, rows={"flights": Rows(read=897, kept=895, dropped={"twin": 2})})
    leave_receipt(folder, RUN, "deploy", day, outcome=outcome, run_id=7)
    return read_day(data_folder(folder), FLIGHTS, RUN, day)


def test_one_day_is_its_outcome_and_its_rows(tmp_path: Path) -> None:
    note = done_note([done(tmp_path, DAY, "published")])
    assert note == "2013-01-05: published; 900 rows read, 3 refused, 2 dropped"


def test_several_days_are_counted_by_outcome_without_those_left_out(tmp_path: Path) -> None:
    left_out = read_day(data_folder(tmp_path), FLIGHTS, RUN, DAY + timedelta(days=5))
    states = [done(tmp_path, DAY, "published"), done(tmp_path, NEXT, "unchanged"), left_out]
    assert done_note(states) == (
        "2013-01-05 to 2013-01-06: 1 published, 1 unchanged; 1,800 rows read, 6 refused, 4 dropped"
    )


def test_a_run_that_published_no_day_has_no_receipt(tmp_path: Path) -> None:
    assert done_note([read_day(data_folder(tmp_path), FLIGHTS, RUN, DAY)]) == ""


def test_a_run_that_begins_is_noted_by_its_days() -> None:
    assert days_note([NEXT, DAY]) == "2013-01-05 to 2013-01-06"
