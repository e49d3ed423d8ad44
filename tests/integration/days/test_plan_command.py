"""`./daybook plan` on real servers: what has to be done to which day, and why, after whatever happened."""

import pytest

from daybook.errors import BadData, Implausible
from daybook.ledger import fingerprint
from daybook.ledger.receipt import STEPS
from daybook.spec import Measure

from .conftest import Days

DAYS = ("2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04")
SKIPPED = "skip: nothing changed"


@pytest.fixture
def done(days: Days) -> Days:
    """Four days that are published."""
    for day in DAYS:
        days.run(day)
    return days


def test_before_the_first_run_every_day_is_to_be_run_newest_first(days: Days) -> None:
    assert list(days.planned().items()) == [(day, "run: never done") for day in reversed(DAYS)]


def test_what_the_plan_says_is_what_the_steps_then_do(done: Days) -> None:
    assert set(done.planned().values()) == {SKIPPED}
    work = done.run(DAYS[0])
    reused = [step for step in STEPS[:-1] if work.receipt(step).reused_from]
    assert reused == ["load", "clean", "index", "aggregate", "summarize"]


def test_one_row_changed_in_one_old_file_is_one_day_to_run(done: Days) -> None:
    file = done.file(DAYS[1])
    file.write_bytes(file.read_bytes().replace(b"2013,1,2,", b"2013,1,2,0", 1))
    assert done.planned() == dict.fromkeys(DAYS, SKIPPED) | {DAYS[1]: "run: input changed: file flights"}


def test_a_changed_measure_redoes_every_day_from_aggregate_on(done: Days) -> None:
    done.change(measures=(*done.pipeline.measures, Measure(name="longest_mi", how="max", of="distance_mi")))
    days = done.json("plan")["planned"]
    assert {day["reason"] for day in days} == {"spec changed: aggregate"}
    assert {"load", "clean", "index"}.isdisjoint(days[0]["steps"])


def test_changed_code_redoes_every_day_from_its_step_on(done: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    code_of = fingerprint.code_of
    monkeypatch.setattr(fingerprint, "code_of", lambda step: "other" if step == "clean" else code_of(step))
    assert set(done.planned().values()) == {"run: code changed: clean"}


def test_a_day_of_bad_bytes_is_blocked_with_the_failures_words_until_they_or_the_spec_change(done: Days) -> None:
    file = done.file(DAYS[2])
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"dep_delay", b"departure_delay", 1))
    with pytest.raises(BadData):
        done.run(DAYS[2])
    words = f"blocked: failed: load, BadData: {file.name}: missing column 'dep_delay'"
    assert done.planned()[DAYS[2]].startswith(words)
    assert done.command("plan")[0] == 1
    assert done.planned("--force")[DAYS[2]] == "run: failed before: load, BadData"
    flights = done.pipeline.files[0]
    done.change(files=(flights.model_copy(update={"null_tokens": ("none",)}),))
    assert done.planned()[DAYS[2]] == "run: spec changed: extract_files"
    done.change(files=(flights,))
    file.write_bytes(whole)
    assert done.planned()[DAYS[2]] == "run: input changed: file flights"


def test_a_held_day_is_blocked_until_its_source_is_mended(done: Days) -> None:
    file = done.file(DAYS[3])
    whole = file.read_bytes()
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[:101]))
    with pytest.raises(Implausible):
        done.run(DAYS[3])
    assert done.planned()[DAYS[3]].startswith(f"blocked: held: {done.pipeline.name} {DAYS[3]}: ")
    file.write_bytes(whole)
    assert done.planned()[DAYS[3]] == "run: input changed: file flights"
    done.run(DAYS[3])
    assert done.planned()[DAYS[3]] == SKIPPED


def test_a_day_without_its_file_is_blocked_and_the_exit_code_says_so(done: Days) -> None:
    assert done.command("plan")[0] == 0
    done.file(DAYS[3]).unlink()
    code, printed = done.command("plan")
    assert code == 1
    assert f"blocked  file not there: {done.pipeline.name}/flights_{DAYS[3]}.csv" in printed
    assert "0 to run, 3 to skip, 1 blocked" in printed


def test_a_limit_takes_the_newest_and_names_what_it_leaves_out(days: Days) -> None:
    code, printed = days.command("plan", "--limit", "1")
    assert code == 0
    assert printed.splitlines()[1].split()[:2] == [DAYS[3], "run"]
    assert "left out by the limit: 3 to run: 2013-01-01 to 2013-01-03" in printed


def test_forced_every_day_is_to_be_run_at_the_cost_that_the_ledger_knows(done: Days) -> None:
    made = done.json("plan", "--force", "--from", DAYS[1], "--to", DAYS[2])
    assert [day["reason"] for day in made["planned"]] == ["forced", "forced"]
    assert 0 < made["totals"]["seconds"] < 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2013-01-03", "--to", "2013-01-02"), "is before the first"),
        (("--to", "9999-12-31"), "is not over yet in America/New_York"),
        (("--limit", "0"), "0: expected a whole number over 0"),
    ],
)
def test_words_that_mean_no_days_are_refused(days: Days, words: tuple[str, ...], said: str) -> None:
    code, printed = days.command("plan", *words)
    assert code == 2
    assert said in printed
