"""`./daybook rollback DAY --to nothing`: what the commands say of a day whose first publication was taken back."""

import json

import pytest

from daybook.errors import Implausible

from .conftest import Days

FIRST, SECOND, LAST = "2013-01-01", "2013-01-02", "2013-01-04"


@pytest.fixture
def taken_back(days: Days) -> Days:
    """Four days, of which the second was taken back."""
    for day in (FIRST, SECOND, "2013-01-03", LAST):
        days.run(day)
    code, printed = days.command("rollback", SECOND, "--to", "nothing", "--why", "wrong prices", "--who", "ann")
    assert code == 0, printed
    assert f"{days.pipeline.name} {SECOND}: readers see no run of the day now; they saw run" in printed
    return days


def test_status_counts_it_as_rolled_back_and_neither_as_published_nor_as_missing(taken_back: Days) -> None:
    status = taken_back.json("status")
    assert (status["rolled_back"], status["missing"], status["failed"]) == ([SECOND], [], [])
    assert status["published"] == [FIRST, "2013-01-03", LAST]
    assert taken_back.command("status")[0] == 0


def test_the_plan_skips_it_and_says_who_and_why_until_its_source_changes(taken_back: Days) -> None:
    planned = taken_back.planned()
    assert planned[FIRST] == "skip: nothing changed"
    assert " was rolled back to nothing by ann at " in planned[SECOND]
    assert (planned[SECOND][:8], planned[SECOND][-14:]) == ("skip: ru", ": wrong prices")
    assert taken_back.planned("--force")[SECOND] == "run: forced"
    with taken_back.file(SECOND).open("rb+") as file:
        lines = file.readlines()
        file.seek(0)
        file.truncate()
        file.writelines(lines[:-1])
    assert taken_back.planned()[SECOND] == "run: input changed: file flights"


def test_why_says_what_was_decided_and_that_the_day_is_not_published(taken_back: Days) -> None:
    code, printed = taken_back.command("why", SECOND)
    assert code == 1
    assert f"{SECOND}: not published\n" in printed
    assert ", by ann: wrong prices (readers saw run " in printed
    assert "; they see no run now)" in printed
    assert "the plan now: skip, run " in printed


def test_the_doctor_finds_nothing_and_a_restore_does_nothing(taken_back: Days) -> None:
    told = json.loads(taken_back.command_alone("doctor", "--json")[1])["findings"]
    of_ours = [
        one for one in told if one["check"] in ("published", "receipts") and taken_back.pipeline.name in str(one)
    ]
    assert [one for one in of_ours if one["state"] == "mend"] == []
    assert f"{taken_back.pipeline.name} {SECOND}" not in taken_back.command_alone("restore")[1]
    assert taken_back.json("status")["rolled_back"] == [SECOND]


def test_the_same_content_is_held_and_the_status_says_so(taken_back: Days) -> None:
    with pytest.raises(Implausible, match="was rolled back to nothing by ann"):
        taken_back.run(SECOND)
    assert taken_back.json("status")["held"] == [SECOND]
    assert taken_back.planned()[SECOND].startswith("blocked: held: ")


def test_the_number_that_the_command_says_shows_the_run_again(taken_back: Days) -> None:
    why = taken_back.json("why", SECOND)
    run_id = str(why["decisions"][-1]["run_id"])
    code, printed = taken_back.command("rollback", SECOND, "--to", run_id, "--why", "they were right")
    assert code == 0
    assert f"readers see run {run_id} now; they saw no run of the day before.\n" in printed
    assert taken_back.planned()[SECOND] == "skip: nothing changed"
    assert taken_back.json("status")["rolled_back"] == []


@pytest.mark.parametrize("word", ["none", "0", "-1", "²", "1.5"])
def test_a_word_that_is_no_run_changes_nothing(days: Days, word: str) -> None:
    days.run(FIRST)
    code, printed = days.command("rollback", FIRST, f"--to={word}")
    assert code == 2
    assert f"--to {word} is no run; nothing was changed; expected a run's number" in printed
    assert days.json("status")["published"] == [FIRST]
