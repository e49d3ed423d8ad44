"""What a person rolled back stays away from readers: no run undoes it by itself, and who releases it is kept."""

from dataclasses import replace
from typing import Any

import pytest

from daybook.errors import Implausible
from daybook.ledger.decisions import Release
from tests.support.bench import DAY, Bench
from tests.support.runner import do_steps

from .test_rollback import SECOND_DAY, roll_back, thrice  # noqa: F401 - a fixture

GOOD, BAD, OTHER = 42, 43, 44


@pytest.fixture
def rolled_back(thrice: Bench) -> Bench:  # noqa: F811
    """A bench with a day of 43 rows that Ann rolled back to one of 42."""
    roll_back(thrice)
    return thrice


def run_again(bench: Bench, run: str, rows: int = BAD, **words: Any) -> None:
    """Run the day on so many rows, as the scheduler, a backfill or the form would."""
    bench.deliver(DAY, rows)
    do_steps(replace(bench.servers.work(bench.pipeline, DAY, run), **words))


def decisions(bench: Bench) -> list[tuple[str, ...]]:
    """Return what was decided about the day: what, who, why."""
    query = "select what, who, why from daybook.decision where pipeline = %s order by decided_at"
    return bench.rows(query, bench.pipeline.name)


@pytest.mark.parametrize("run", ["scheduled__2013-01-06", "backfill__2013-01-05"])
def test_a_run_that_comes_to_what_was_rolled_back_is_held_and_says_who_and_why(rolled_back: Bench, run: str) -> None:
    before = rolled_back.seen(DAY)
    with rolled_back.reader(DAY) as reader, pytest.raises(Implausible) as held:
        run_again(rolled_back, run)
    assert "was rolled back by ann@desk at 20" in str(held.value)
    assert ": wrong prices; the day is held, nothing was changed for readers" in str(held.value)
    assert reader.seen == {before}
    assert rolled_back.seen(DAY)[0] == GOOD
    rolled_back.check()


def test_it_is_held_again_each_time_and_other_days_go_on(rolled_back: Bench) -> None:
    for run in ("first", "second"):
        with pytest.raises(Implausible):
            run_again(rolled_back, run)
    rolled_back.publish(SECOND_DAY, "next day", 40)
    assert rolled_back.seen(DAY)[0] == GOOD
    rolled_back.check()


def test_a_run_with_other_numbers_is_published_and_what_was_rolled_back_is_held_after_it_too(
    rolled_back: Bench,
) -> None:
    run_again(rolled_back, "mended", OTHER)
    assert rolled_back.seen(DAY)[0] == OTHER
    with pytest.raises(Implausible):
        run_again(rolled_back, "the old file again", BAD)
    assert rolled_back.seen(DAY)[0] == OTHER
    rolled_back.check()


def test_a_run_that_finds_what_readers_see_changes_nothing(rolled_back: Bench) -> None:
    run_again(rolled_back, "as they see it", GOOD)
    assert rolled_back.seen(DAY)[0] == GOOD
    rolled_back.check()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"release": Release("bob", "the prices were right")}, ("release", "bob", "the prices were right")),
        ({"is_forced": True, "started_by": "manual by bob"}, ("release", "manual by bob", "forced")),
    ],
)
def test_a_person_releases_it_and_the_ledger_says_who_and_why(
    rolled_back: Bench, words: dict[str, Any], said: tuple[str, ...]
) -> None:
    run_again(rolled_back, "released", **words)
    assert rolled_back.seen(DAY)[0] == BAD
    assert decisions(rolled_back) == [("rollback", "ann@desk", "wrong prices"), said]
    run_again(rolled_back, "after", OTHER)
    run_again(rolled_back, "the same again")
    assert rolled_back.seen(DAY)[0] == BAD, "released once, it is held no more"
    rolled_back.check()


def test_a_release_of_what_nobody_rolled_back_leaves_no_word(rolled_back: Bench) -> None:
    run_again(rolled_back, "other", OTHER, release=Release("bob", "just in case"))
    assert decisions(rolled_back) == [("rollback", "ann@desk", "wrong prices")]


def test_going_back_to_the_run_that_was_rolled_back_releases_it(rolled_back: Bench) -> None:
    roll_back(rolled_back, to=max(rolled_back.run_ids(DAY)))
    run_again(rolled_back, "other", OTHER)
    run_again(rolled_back, "again")
    assert rolled_back.seen(DAY)[0] == BAD
    roll_back(rolled_back)
    with pytest.raises(Implausible):
        run_again(rolled_back, "and again")


def test_what_a_person_typed_makes_no_second_line_of_the_message(thrice: Bench) -> None:  # noqa: F811
    roll_back(thrice, why="a\nb\x1b[31m\u202e")
    with pytest.raises(Implausible, match=r"a\\nb\\x1b\[31m\\u202e; the day is held"):
        run_again(thrice, "again")
