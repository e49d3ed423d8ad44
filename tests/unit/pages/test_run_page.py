"""What pages say of a run, from its files alone."""

from pathlib import Path

import pytest

from daybook.ledger.receipt import STEPS, Output, Receipt, Rows
from daybook.pages.run_page import Lost, lost_rows, message_page, readers_see, step_lines
from daybook.pages.run_state import RunState, read_day
from daybook.pipelines import load_pipelines
from tests.support.days import page_of
from tests.support.files import CANARY, DAY, MADE, data_folder, leave_canary, leave_receipt, leave_wait, publish

BOB = {"who": "bob", "rows": {"flights": 1}}


@pytest.mark.parametrize(
    ("own", "seen", "label", "says"),
    [
        (None, None, "Not published", "Readers see nothing of this day yet."),
        (7, None, "Not published", "Readers see nothing of this day yet."),
        (7, 7, "Published", "Readers see this run, number 7."),
        (None, 6, "Not published", "Readers see run 6; this one has saved nothing yet."),
        (7, 6, "Not published", "Readers see an earlier run, number 6; this is number 7."),
        (7, 8, "Replaced", "Readers see a newer run, number 8; this is number 7."),
    ],
)
def test_it_says_which_run_readers_see(
    tmp_path: Path, own: int | None, seen: int | None, label: str, says: str
) -> None:
    state = run(tmp_path, own, seen)
    assert readers_see(state)[1:] == (label, says)
    assert f">{label}</span> {says}" in shown(state)


def test_a_run_that_found_nothing_changed_is_told_from_one_that_waits(tmp_path: Path) -> None:
    leave_receipt(tmp_path, "run_1", "deploy", outcome="unchanged", run_id=6)
    assert readers_see(run(tmp_path, own=7, seen=6)).label == "Unchanged"
    assert readers_see(run(tmp_path, own=7, seen=8)).label == "Replaced"


def test_a_run_that_was_published_and_rolled_back_is_told_from_one_that_waits(tmp_path: Path) -> None:
    leave_receipt(tmp_path, "run_1", "deploy", outcome="published", run_id=7)
    assert readers_see(run(tmp_path, own=7, seen=6)).label == "Rolled back"
    assert readers_see(run(tmp_path, own=7, seen=7)).label == "Published"


def test_a_run_that_was_published_and_taken_back_is_told_from_one_that_waits(tmp_path: Path) -> None:
    leave_receipt(tmp_path, "run_1", "deploy", outcome="published", run_id=7)
    taken_back = readers_see(run(tmp_path, own=7, seen=None))
    assert taken_back[1:] == ("Rolled back", "Readers see nothing of this day: run 7 was taken back.")


def test_a_finished_run_shows_the_report_and_names_no_next_step(tmp_path: Path) -> None:
    for step in STEPS:
        leave_receipt(tmp_path, "run_1", step)
    page = shown(run(tmp_path, own=7, seen=7))
    assert 'src="report"' in page
    assert "Saturday, 5 January 2013" in page
    assert page.count(">done</td>") == len(STEPS)
    assert "next is" not in page


def test_an_unfinished_run_names_the_next_step(tmp_path: Path) -> None:
    for step in ("extract_tables", "extract_files", "load"):
        leave_receipt(tmp_path, "run_1", step)
    page = shown(run(tmp_path, own=None, seen=None))
    assert "next is clean." in page
    assert page.count(">not done</td>") == 6
    assert "<iframe" not in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"rows": {"flights": Rows(read=720, kept=720)}}, ["flights 720"]),
        (
            {"rows": {"flights": Rows(read=1842, kept=1838, refused={"a": 2, "b": 1}, dropped={"blank": 1})}},
            ["flights 1,842, 1,838 kept, 3 refused, 1 dropped"],
        ),
        (
            {
                "rows": {"by_airline": Rows(read=720, kept=720)},
                "outputs": {"by_airline.parquet": Output(rows=14, size_bytes=1, sha256="")},
            },
            ["by_airline 720 into 14"],
        ),
        ({"outputs": {"flights.csv": Output(size_bytes=65784, sha256="")}}, ["flights.csv 65,784 bytes"]),
        ({"outcome": "already_published", "run_id": 7}, ["already published, run 7"]),
        ({"rows": {"a": Rows(read=1, kept=1)}, "reused_from": "run_0"}, ["a 1", "taken over from run_0"]),
        ({}, []),
    ],
)
def test_a_step_is_told_in_counts(words: dict[str, object], says: list[str]) -> None:
    assert step_lines(receipt("load", **words)) == says


def test_lost_rows_are_listed_by_step_source_and_reason() -> None:
    loaded = Rows(read=10, kept=7, refused={"dep_time_not_integer": 2}, dropped={"blank": 1})
    cleaned = Rows(read=7, kept=6, refused={"other_day": 1})
    receipts = {"load": receipt("load", rows={"flights": loaded}), "clean": receipt("clean", rows={"flights": cleaned})}
    assert lost_rows(receipts) == [
        Lost("load", "flights", "refused", "dep_time_not_integer", 2),
        Lost("load", "flights", "dropped", "blank", 1),
        Lost("clean", "flights", "refused", "other_day", 1),
    ]


def test_rows_without_a_match_are_told(tmp_path: Path) -> None:
    state = run(tmp_path, own=None, seen=None)
    rows = {"flights": Rows(read=1112, kept=1112)}
    leave_receipt(tmp_path, "run_1", "load", rows=rows)
    leave_receipt(tmp_path, "run_1", "index", rows=rows, unknown={"planes": 1112, "airlines": 0})
    page = shown(read_day(data_folder(tmp_path), state.pipeline, "run_1", DAY))
    assert "1,112 unknown in planes" in page
    assert "unknown in airlines" not in page


def test_mended_rows_and_mends_that_are_set_aside_are_told(tmp_path: Path) -> None:
    assert "mended by" not in shown(run(tmp_path, own=None, seen=None))
    mended = [{"who": "ann", "why": "typed twice", "rows": {"flights": 2, "planes": 1}}, {**BOB, "why": CANARY}]
    leave_receipt(tmp_path, "run_1", "load", mended=mended, mends_set_aside="4 mends of flights are set aside")
    page = shown(read_day(data_folder(tmp_path), load_pipelines().good["flights"], "run_1", DAY))
    assert "<p>3 rows mended by ann: typed twice (flights 2, planes 1).</p>" in page
    assert "<p>1 row mended by bob: &lt;script&gt;" in page
    assert "<p>4 mends of flights are set aside.</p>" in page
    assert "<script" not in page


def test_a_word_that_needs_it_is_explained(tmp_path: Path) -> None:
    assert "outdated: made from files" not in shown(run(tmp_path, own=None, seen=None))
    leave_receipt(tmp_path, "run_1", "clean", inputs={"load/flights.parquet": MADE.sha256})
    assert "outdated: made from files" in shown(run(tmp_path, own=None, seen=None))


def test_nothing_in_a_receipt_becomes_markup(tmp_path: Path) -> None:
    leave_canary(tmp_path, "run_1")
    page = shown(run(tmp_path, own=None, seen=None))
    assert page.count("&lt;script&gt;") >= 5
    assert "<script" not in page
    assert "<img" not in page


def test_a_run_that_waits_says_for_what_since_when_until_when_and_when_it_looks_next(tmp_path: Path) -> None:
    leave_wait(tmp_path, "run_1")
    page = shown(read_day(data_folder(tmp_path), load_pipelines().good["flights"], "run_1", DAY))
    assert (
        "<p>extract_files waits for flights since 2013-01-06 06:00:00, until 2013-01-06 12:00:00 "
        "(America/New_York); the last look, at 2013-01-06 06:00:00, found: ftp: flights/a.csv is not there.</p>"
    ) in page
    assert "the next look was due at 2013-01-06 06:01:00 and has not come" in page


def test_a_message_is_escaped() -> None:
    page = message_page(CANARY, CANARY).decode()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 3


def receipt(step: str, **words: object) -> Receipt:
    """Return a receipt with these words."""
    return Receipt(pipeline="flights", day=DAY, run="run_1", step=step, seconds=0.5, peak_memory_mib=200, **words)


def run(data: Path, own: int | None, seen: int | None) -> RunState:
    """Return the state of a run that saved its rows under one number, while readers see another."""
    leave_receipt(data, "run_1", "load")
    if own:
        leave_receipt(data, "run_1", "save", run_id=own)
    if seen:
        publish(data, seen)
    return read_day(data_folder(data), load_pipelines().good["flights"], "run_1", DAY)


def shown(state: RunState) -> str:
    """Return the page as text."""
    return page_of(state)
