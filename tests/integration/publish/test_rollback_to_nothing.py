"""A first publication that is taken back: readers see no run of the day, and it stays so until a person decides."""

from dataclasses import replace
from pathlib import Path

import pytest

from commands import rollback as rollback_command
from daybook.errors import BadSpec, Implausible
from daybook.ledger.decisions import Release
from daybook.storage.data_folder import DataFolder
from tests.support.bench import DAY, Bench
from tests.support.runner import do_steps

from .test_rollback import SECOND_DAY, roll_back
from .test_rollback_holds import decisions, run_again

ROWS, OTHER = 42, 44


def take_back(bench: Bench, day: str = DAY, *, at: Path | None = None) -> None:
    """Take the publication of a day back, as the command does."""
    dsn = bench.servers.postgres.dsn("warehouse", "warehouse_owner")
    work, data = bench.servers.work(bench.pipeline, day, "any"), DataFolder(at or bench.servers.data)
    rollback_command.roll_back(bench.pipeline, work.day, dsn, data, "ann@desk", "wrong prices", "nothing")


def count(bench: Bench, day: str = DAY) -> int | None:
    """Return how many flights readers see on a day; None if they see no row of it."""
    found: int | None = bench.seen(day)[0]
    return found


@pytest.fixture
def taken_back(bench: Bench) -> Bench:
    """A bench with a day of 42 rows that was published once and taken back, beside a day that was not."""
    bench.publish(DAY, "first", ROWS)
    bench.publish(SECOND_DAY, "other day", 40)
    take_back(bench)
    return bench


def test_readers_see_the_whole_day_or_nothing_and_its_link_is_gone(bench: Bench) -> None:
    bench.publish(DAY, "first", ROWS)
    bench.publish(SECOND_DAY, "other day", 40)
    before = bench.seen(DAY)
    with bench.reader(DAY) as reader:
        take_back(bench)
    assert count(bench) is None
    assert reader.seen <= {before, bench.seen(DAY)}
    assert not (bench.published / DAY).is_symlink()
    assert count(bench, SECOND_DAY) == 40
    bench.check()


def test_the_ledger_keeps_the_publication_and_says_who_took_it_back_and_why(taken_back: Bench) -> None:
    (run_id,) = taken_back.run_ids(DAY)
    assert decisions(taken_back) == [("rollback", "ann@desk", "wrong prices")]
    found = taken_back.rows("select run_id, found from daybook.decision where pipeline = %s", taken_back.pipeline.name)
    assert found == [(run_id, f"readers saw run {run_id}; they see no run now")]
    assert taken_back.rows("select 1 from daybook.ledger where run_id = %s", run_id) == [(1,)]


def test_a_day_taken_back_cannot_be_taken_back_again_and_the_kept_run_is_named(taken_back: Bench) -> None:
    (run_id,) = taken_back.run_ids(DAY)
    for again in (take_back, roll_back):
        with pytest.raises(BadSpec, match=rf"not published; nothing was changed; .* kept by `--to` \({run_id}\)"):
            again(taken_back)
    assert len(decisions(taken_back)) == 1


def test_a_run_that_comes_to_what_was_taken_back_is_held_each_time_and_says_who_and_why(taken_back: Bench) -> None:
    for run in ("scheduled__2013-01-06", "backfill__2013-01-05"):
        with pytest.raises(Implausible) as held:
            run_again(taken_back, run, ROWS)
        assert "was rolled back to nothing by ann@desk at 20" in str(held.value)
        assert ": wrong prices; the day is held, nothing was changed for readers" in str(held.value)
    assert count(taken_back) is None
    taken_back.check()


def test_a_try_of_deploy_of_the_run_that_was_taken_back_is_held(taken_back: Bench) -> None:
    assert "was rolled back to nothing" in taken_back.do(DAY, "first", first="deploy")["error"]
    assert count(taken_back) is None


def test_a_run_with_other_numbers_is_published_and_what_was_taken_back_is_held_after_it_too(taken_back: Bench) -> None:
    run_again(taken_back, "mended", OTHER)
    assert count(taken_back) == OTHER
    with pytest.raises(Implausible):
        run_again(taken_back, "the old file again", ROWS)
    assert count(taken_back) == OTHER
    taken_back.check()


def test_a_person_releases_it_by_a_new_run(taken_back: Bench) -> None:
    run_again(taken_back, "released", ROWS, release=Release("bob", "the prices were right"))
    assert count(taken_back) == ROWS
    assert decisions(taken_back)[-1] == ("release", "bob", "the prices were right")
    taken_back.check()


def test_a_person_releases_the_same_run_by_clearing_its_deploy(taken_back: Bench) -> None:
    work = taken_back.servers.work(taken_back.pipeline, DAY, "first")
    do_steps(replace(work, release=Release("bob", "the prices were right")), first="deploy")
    assert count(taken_back) == ROWS
    taken_back.check()


def test_the_run_that_was_taken_back_is_shown_again_by_its_number(taken_back: Bench) -> None:
    (run_id,) = taken_back.run_ids(DAY)
    roll_back(taken_back, to=run_id, why="the prices were right")
    assert count(taken_back) == ROWS
    assert decisions(taken_back)[-1] == ("rollback", "ann@desk", "the prices were right")
    run_again(taken_back, "the same again", ROWS)
    assert count(taken_back) == ROWS
    taken_back.check()
    take_back(taken_back)
    with pytest.raises(Implausible):
        run_again(taken_back, "and again", ROWS)


def test_an_earlier_run_is_shown_in_place_of_the_one_that_was_taken_back(bench: Bench) -> None:
    bench.publish(DAY, "good", 41)
    bench.publish(DAY, "bad", ROWS)
    take_back(bench)
    assert count(bench) is None
    roll_back(bench, to=min(bench.run_ids(DAY)))
    assert count(bench) == 41
    with pytest.raises(Implausible):
        run_again(bench, "the bad one again", ROWS)
    bench.check()


def test_a_link_that_a_crash_left_goes_with_the_next_deployment_of_any_day(bench: Bench, tmp_path: Path) -> None:
    bench.publish(DAY, "first", ROWS)
    # The folder that the decision's process did not get to: its crash came between the commit and the link.
    take_back(bench, at=tmp_path / "another")
    assert (bench.published / DAY).is_symlink()
    bench.publish(SECOND_DAY, "other day", 40)
    assert not (bench.published / DAY).is_symlink()
    bench.check()
