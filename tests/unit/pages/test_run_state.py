"""What is found of a run in the files that its steps left."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from daybook.ledger.receipt import STEPS
from daybook.pages.run_page import readers_see
from daybook.pages.run_state import Progress, RunState, days_of, read_day
from daybook.pipelines import load_pipelines
from tests.support.days import page_of
from tests.support.files import DAY, MADE, MADE_ANEW, data_folder, leave_receipt, publish

FLIGHTS = load_pipelines().good["flights"]
RUN = "manual__2026-11-22T17:26:36.935014+00:00"


def test_a_run_is_found_with_its_day_and_the_steps_that_are_done(tmp_path: Path) -> None:
    for step in ("extract_tables", "extract_files", "load"):
        leave_receipt(tmp_path, RUN, step)
    state = found(tmp_path, RUN)
    assert state.day == DAY
    assert list(state.steps) == list(STEPS)
    assert progress(state)[:4] == [Progress.DONE] * 3 + [Progress.NOT_DONE]


def test_a_run_that_left_nothing_is_not_found(tmp_path: Path) -> None:
    assert days_of(data_folder(tmp_path), FLIGHTS, RUN) == []
    leave_receipt(tmp_path, "another_run", "load")
    assert days_of(data_folder(tmp_path), FLIGHTS, RUN) == []


def test_a_run_of_another_pipeline_is_not_found(tmp_path: Path) -> None:
    leave_receipt(tmp_path, RUN, "load")
    assert days_of(data_folder(tmp_path), FLIGHTS.model_copy(update={"name": "other"}), RUN) == []


def test_a_run_whose_name_shares_its_folder_with_another_is_not_taken_for_it(tmp_path: Path) -> None:
    leave_receipt(tmp_path, "a:b", "load")
    assert days_of(data_folder(tmp_path), FLIGHTS, "a_b") == []
    assert found(tmp_path, "a:b").day == DAY


@pytest.mark.parametrize("run", ["..", "."])
def test_a_name_that_would_lead_out_of_the_day_has_a_folder_in_it(tmp_path: Path, run: str) -> None:
    leave_receipt(tmp_path, RUN, "load")
    assert days_of(data_folder(tmp_path), FLIGHTS, run) == []
    leave_receipt(tmp_path, run, "load")
    assert len(list(tmp_path.glob("days/flights/2013-01-05/*/load/receipt.json"))) == 2
    assert found(tmp_path, run).folder.startswith("days/flights/2013-01-05/run~")


@pytest.mark.parametrize("run", ["../../other", "/etc", "a/../..", "", "\0"])
def test_a_strange_name_finds_nothing(tmp_path: Path, run: str) -> None:
    leave_receipt(tmp_path, RUN, "load")
    assert days_of(data_folder(tmp_path), FLIGHTS, run) == []


@pytest.mark.parametrize("stray", ["2013-01-06.tmp", "2013-13-45", "2013-02-30", "lost+found", "of_runs", "0000-00-00"])
def test_a_folder_that_is_no_day_is_passed_over(tmp_path: Path, stray: str) -> None:
    leave_receipt(tmp_path, RUN, "load")
    (tmp_path / "days/flights" / stray).mkdir()
    (tmp_path / "days/flights/2013-01-07").touch()
    assert found(tmp_path, RUN).day == DAY


def cut(receipt: bytes) -> bytes:
    return receipt[:20]


def empty(_receipt: bytes) -> bytes:
    return b""


def not_utf8(receipt: bytes) -> bytes:
    return receipt.replace(b"flights", b"fl\xffghts")


def other_json(_receipt: bytes) -> bytes:
    return b"5"


def a_list(_receipt: bytes) -> bytes:
    return b"[]"


def odd_notes(receipt: bytes) -> bytes:
    return receipt.replace(b"{", b'{"notes": 5, ', 1)


def of_another_step(receipt: bytes) -> bytes:
    return receipt.replace(b'"load"', b'"clean"')


def of_another_day(receipt: bytes) -> bytes:
    return receipt.replace(b"2013-01-05", b"2013-01-06")


def of_another_pipeline(receipt: bytes) -> bytes:
    return receipt.replace(b'"flights"', b'"weather"')


def of_another_run(receipt: bytes) -> bytes:
    return receipt.replace(RUN.encode(), b"another")


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        empty,
        not_utf8,
        other_json,
        a_list,
        odd_notes,
        of_another_step,
        of_another_day,
        of_another_pipeline,
        of_another_run,
    ],
)
def test_a_receipt_that_is_damaged_or_of_another_is_unreadable_and_hides_no_other(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    leave_receipt(tmp_path, RUN, "extract_tables")
    leave_receipt(tmp_path, RUN, "load")
    [damaged] = tmp_path.glob("days/flights/*/*/load/receipt.json")
    whole = damaged.read_bytes()
    damaged.write_bytes(damage(whole))
    assert damaged.read_bytes() != whole
    assert progress(found(tmp_path, RUN))[:3] == [Progress.DONE, Progress.NOT_DONE, Progress.UNREADABLE]
    assert "unreadable" in page_of(found(tmp_path, RUN))


def test_a_publication_whose_own_receipt_is_damaged_is_not_called_unpublished(tmp_path: Path) -> None:
    leave_receipt(tmp_path, RUN, "save", run_id=7)
    leave_receipt(tmp_path, RUN, "deploy", run_id=7, outcome="published")
    publish(tmp_path, 7, b"seven")
    [damaged] = tmp_path.glob("days/flights/*/*/save/receipt.json")
    damaged.write_bytes(b"")
    assert readers_see(found(tmp_path, RUN)).label == "Published"
    [damaged] = tmp_path.glob("days/flights/*/*/deploy/receipt.json")
    damaged.write_bytes(b"")
    leave_receipt(tmp_path, RUN, "load")
    seen = readers_see(found(tmp_path, RUN))
    assert (seen.label, seen.sentence) == (
        "Unknown",
        "Readers see run 7; the receipts do not say whether it is this one.",
    )


def test_a_folder_of_before_is_still_that_of_its_run(tmp_path: Path) -> None:
    leave_receipt(tmp_path, RUN, "load")
    [folder] = tmp_path.glob("days/flights/2013-01-05/*")
    folder.rename(folder.with_name("manual__2026-11-22T17_26_36.935014_00_00"))
    assert progress(found(tmp_path, RUN))[2] is Progress.DONE
    assert days_of(data_folder(tmp_path), FLIGHTS, RUN.replace("+", ":")) == []


def test_after_an_earlier_step_was_done_again_with_another_result_the_later_ones_are_outdated(tmp_path: Path) -> None:
    leave_receipt(tmp_path, RUN, "load", outputs={"flights.parquet": MADE_ANEW})
    leave_receipt(
        tmp_path, RUN, "clean", inputs={"load/flights.parquet": MADE.sha256}, outputs={"flights.parquet": MADE}
    )
    leave_receipt(tmp_path, RUN, "index", inputs={"clean/flights.parquet": MADE.sha256})
    assert progress(found(tmp_path, RUN))[2:5] == [Progress.DONE, Progress.OUTDATED, Progress.OUTDATED]


def test_after_an_earlier_step_was_done_again_with_the_same_result_the_later_ones_are_done(tmp_path: Path) -> None:
    leave_receipt(tmp_path, RUN, "load", outputs={"flights.parquet": MADE})
    leave_receipt(tmp_path, RUN, "clean", inputs={"load/flights.parquet": MADE.sha256})
    assert progress(found(tmp_path, RUN))[2:4] == [Progress.DONE, Progress.DONE]


def test_what_readers_see_is_what_the_day_points_to(tmp_path: Path) -> None:
    leave_receipt(tmp_path, RUN, "save", run_id=7)
    publish(tmp_path, 6, b"six")
    publish(tmp_path, 7, b"seven")
    publish(tmp_path, 8, b"of another day", day=date(2013, 1, 6))
    state = found(tmp_path, RUN)
    assert (state.run_id, state.seen_run_id, state.report) == (7, 7, b"seven")


@pytest.mark.parametrize("target", ["../../../secret/7", "/secret/7", ".runs/2013-01-06/7", ".runs/2013-01-05/7/.."])
def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path, target: str) -> None:
    leave_receipt(tmp_path, RUN, "load")
    publish(tmp_path, 7)
    link = tmp_path / "published/flights/2013-01-05"
    link.unlink()
    link.symlink_to(target)
    state = found(tmp_path, RUN)
    assert (state.seen_run_id, state.report) == (None, None)


def test_a_published_run_whose_files_were_removed_has_no_report(tmp_path: Path) -> None:
    leave_receipt(tmp_path, RUN, "load")
    publish(tmp_path, 7)
    (tmp_path / "published/flights/.runs/2013-01-05/7/report.html").unlink()
    state = found(tmp_path, RUN)
    assert (state.seen_run_id, state.report) == (7, None)


def found(data: Path, run: str) -> RunState:
    """Return the state of a run that must be there, on its one day."""
    [day] = days_of(data_folder(data), FLIGHTS, run)
    return read_day(data_folder(data), FLIGHTS, run, day)


def progress(state: RunState) -> list[Progress]:
    """Return how far each step is, in the order of the work."""
    return [step.progress for step in state.steps.values()]
