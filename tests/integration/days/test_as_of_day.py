"""A lookup as of the day: a day keeps the rows that it had when it was first published, whatever becomes of them."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daybook.errors import BrokenChain
from daybook.pages.run_page import step_lines
from daybook.publish.cleanup import Deployed, clean_up
from daybook.run.day_run import DayRun
from daybook.spec import File, integer, text

from .conftest import Days

FIRST, SECOND = "2013-01-01", "2013-01-02"
SAME = "skip: nothing changed"
Change = Callable[[str], None]


def as_of_day(days: Days) -> None:
    """Let the pipeline's second lookup, that of planes, be as of the day."""
    known, by_plane = days.pipeline.lookups
    days.change(lookups=(known, by_plane.model_copy(update={"as_of": "day"})))


@pytest.fixture
def change(days: Days) -> Iterator[Change]:
    """One day was made from a table of planes of the test's own, as of the day; a way to change it."""
    with days.own_table("planes", "select * from public.planes order by tailnum") as change:
        as_of_day(days)
        days.run(FIRST)
        yield change


def seats(days: Days, day: str = FIRST) -> int:
    """Return the seats of all flights of a day, as readers see them."""
    found = days.servers.rows(f"select sum(seats) from {days.pipeline.name}.by_airline where day = %s", day)
    return int(found[0][0])


def leave_out_a_flight(days: Days) -> None:
    """Deliver the first day anew, without its last flight, whose plane is unknown."""
    lines = days.file(FIRST).read_bytes().splitlines(keepends=True)
    days.file(FIRST).write_bytes(b"".join(lines[:-1]))


def says(run: DayRun) -> str:
    """Return what the page of a run says of its tables."""
    return "; ".join(step_lines(run.receipt("extract_tables")))


def test_a_day_that_is_done_again_has_the_rows_of_its_first_publication(days: Days, change: Change) -> None:
    before = seats(days)
    change("update {} set seats = seats + 100")
    assert days.planned("--from", FIRST, "--to", SECOND) == {FIRST: SAME, SECOND: "run: never done"}
    assert days.run(FIRST).receipt("deploy").outcome == "unchanged"
    days.run(SECOND)
    assert seats(days, SECOND) > 100 * len(days.file(SECOND).read_text().splitlines()) // 2
    # The copy goes on from run to run, and the first run's folder may go.
    days.change(keep_runs=0)
    folder = Path(days.servers.work(days.pipeline, FIRST, "run_1").folder.path)
    for file in [folder, *folder.rglob("*")]:
        os.utime(file, (time.time() - 8 * 86_400,) * 2)
    leave_out_a_flight(days)
    second = days.run(FIRST)
    assert second.receipt("deploy").outcome == "published"
    assert not folder.exists()
    assert abs(seats(days) - before) < 600
    leave_out_a_flight(days)
    third = days.run(FIRST)
    assert "planes as of the run of run_1" in says(third)
    assert "\nplanes as of the run of run_1\n" in days.command("why", FIRST)[1]
    assert "as it was when the day was first published" in third.data.published_files(
        days.pipeline.name, third.day, third.receipt("deploy").saved_as
    ).text("report.html")
    change("alter table {} rename column tailnum to plane")
    assert days.run(FIRST).receipt("deploy").outcome == "unchanged"


def test_a_forced_run_takes_the_rows_of_now_and_a_rollback_those_of_then(days: Days, change: Change) -> None:
    before = seats(days)
    change("update {} set seats = seats + 100")
    assert "planes as it is now, forced, and no longer as of the run of run_1" in says(days.run(FIRST, is_forced=True))
    after = seats(days)
    assert after > before + 10_000
    change("update {} set seats = seats + 100")
    assert days.planned("--from", FIRST, "--to", FIRST) == {FIRST: SAME}
    assert "planes as of the run of run_2" in says(days.run(FIRST))
    assert seats(days) == after
    days.command("rollback", FIRST, "--why", "the planes were right before")
    leave_out_a_flight(days)
    last = days.run(FIRST)
    assert "planes as of the run of run_1" in says(last)
    assert seats(days) < after
    # Of a day that is taken back the last publication stays, even if none is to be kept.
    days.command("rollback", FIRST, "--to", "nothing", "--why", "the day was no day")
    number = last.receipt("deploy").saved_as
    left_over = Deployed(days.pipeline.model_copy(update={"keep_runs": 0}), last.day, "another", number)
    clean_up(left_over, last.data, lambda: days.servers.connect_postgres("warehouse"))
    kept = "select run_id from daybook.run where pipeline = %s and day = %s and removed_at is null"
    assert days.servers.rows(kept, days.pipeline.name, last.day, role="warehouse_owner") == [(number,)]


def test_without_its_copy_a_day_is_not_done_again_and_says_what_to_do(days: Days, change: Change) -> None:
    copy = Path(days.servers.work(days.pipeline, FIRST, "run_1").folder.path) / "extract_tables" / "planes.csv"
    airlines, planes = days.pipeline.tables
    wider = planes.model_copy(update={"columns": (*planes.columns, text("model"))})
    days.change(tables=(airlines, wider))
    with pytest.raises(BrokenChain, match=r"planes: its copy \(as_of='day', .*run_1\) has no column 'model'"):
        days.run(FIRST)
    days.change(tables=(airlines, planes))
    shutil.copy(copy, copy.with_suffix(".damaged"))
    os.replace(copy.with_suffix(".damaged"), copy)
    copy.write_bytes(copy.read_bytes()[:-9])
    with pytest.raises(BrokenChain, match=r"as of the run of run_1\) was changed or damaged; nothing was read; force"):
        days.run(FIRST)
    copy.unlink()
    assert days.planned("--from", FIRST, "--to", FIRST)[FIRST].startswith("run: failed before: extract_tables")
    with pytest.raises(BrokenChain, match=r"planes.csv: the copy of planes .* is gone; nothing was read; force the da"):
        days.run(FIRST)
    days.run(FIRST, is_forced=True)
    days.run(FIRST)
    assert days.planned("--from", FIRST, "--to", FIRST) == {FIRST: SAME}


def test_a_file_may_be_a_lookup_as_of_the_day_and_is_neither_fetched_nor_missed(days: Days) -> None:
    fleet = days.files / "fleet.csv"
    fleet.write_text("tailnum,seats\nN14228,40\nN24211,50\n")
    columns = (text("tailnum", is_required=True), integer("seats"))
    words = {"name": "planes", "connection": "ftp", "path": f"{days.pipeline.name}/fleet.csv", "is_written_whole": True}
    days.change(tables=days.pipeline.tables[:1], files=(*days.pipeline.files, File(columns=columns, **words)))
    days.change(files=(days.pipeline.files[0], days.pipeline.files[1].model_copy(update={"key": ("tailnum",)})))
    as_of_day(days)
    days.run(FIRST)
    before = seats(days)
    fleet.unlink()
    assert days.planned("--from", FIRST, "--to", SECOND) == {
        FIRST: SAME,
        SECOND: f"blocked: file not there: {days.pipeline.name}/fleet.csv",
    }
    assert before > 0
    again = days.run(FIRST)
    assert again.receipt("deploy").outcome == "unchanged"
    assert again.receipt("extract_files").as_of == ["planes as of the run of run_1"]
    fleet.write_text("tailnum,seats\nN14228,400\nN24211,500\n")
    days.run(FIRST, is_forced=True)
    assert seats(days) == 10 * before
