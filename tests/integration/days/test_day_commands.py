"""`./daybook status|why|trace` on real servers: what they say of days after whatever happened to them."""

import pytest

from daybook.errors import BadData, Implausible
from daybook.spec import Plausible

from .conftest import Days

DAYS = ("2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04")


def test_status_sorts_the_days_and_is_well_only_when_all_are_published(days: Days) -> None:
    assert days.command("status")[0] == 1
    for day in (*DAYS, DAYS[0]):
        days.run(day)
    status = days.json("status")
    assert days.command("status")[0] == 0
    assert (status["published"], status["reused"], status["lag_days"]) == (list(DAYS), [DAYS[0]], 0)


def test_status_tells_failed_held_and_missing_days_and_the_lag(days: Days) -> None:
    days.run(DAYS[0])
    break_header(days, DAYS[1])
    with pytest.raises(BadData):
        days.run(DAYS[1])
    days.change(plausible=Plausible(min_rows=1000))
    with pytest.raises(Implausible):
        days.run(DAYS[3])
    code, printed = days.command("status")
    assert code == 1
    lines = {line.split()[0]: line.split()[1:] for line in printed.splitlines()[1:]}
    assert lines["failed"] == ["1", "0", "0", DAYS[1]]
    assert lines["held"] == ["1", "0", "0", DAYS[3]]
    assert lines["missing"] == ["1", "0", "0", DAYS[2]]
    assert "lag: 3 days, from 2013-01-01 to 2013-01-04" in printed


def test_a_published_day_whose_last_try_failed_counts_once_and_is_a_remark(days: Days) -> None:
    days.run(DAYS[0])
    break_header(days, DAYS[0])
    with pytest.raises(BadData):
        days.run(DAYS[0])
    code, printed = days.command("status")
    lines = {line.split()[0]: line.split()[1] for line in printed.splitlines()[1:9]}
    assert (code, lines["published"], lines["failed"], lines["missing"]) == (1, "1", "0", "3")
    assert (
        "of the published days, 1 was held or failed at the last try, and readers see an earlier run: 2013" in printed
    )


def test_a_release_of_a_range_takes_its_held_days_and_leaves_and_counts_the_others(days: Days) -> None:
    said = "0 of 4 days were held; 4 were not, and are as they were"
    words = ("--from", DAYS[0], "--to", DAYS[3], "--why", "a storm")
    code, printed = days.command("release", *words)
    assert (code, printed.splitlines()[-1]) == (0, said)
    break_header(days, DAYS[1])
    with pytest.raises(BadData):
        days.run(DAYS[1])
    assert days.json("release", *words) == {"pipeline": days.pipeline.name, "days": [], "not_held": 4}
    days.change(plausible=Plausible(min_rows=1000))
    with pytest.raises(Implausible):
        days.run(DAYS[2])
    code, printed = days.command("release", *words)
    assert (code, "release: the environment names another warehouse" in printed) == (40, True)
    assert days.command("release", *words[:2], "--to", DAYS[1], *words[4:])[0] == 0


def test_why_tells_who_made_a_day_what_it_took_over_and_what_it_changed(days: Days) -> None:
    days.run(DAYS[0])
    file = days.file(DAYS[0])
    header, first, *rest = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([header, *rest]))
    days.run(DAYS[0])
    why = days.json("why", DAYS[0])
    assert why["published"]["run"] == "run_2"
    assert why["published"]["started_by"] == "manual by ann"
    assert why["published"]["changes"]["by_day"]["changed"] == 1
    assert set(why["published"]["receipts"]["clean"]["fingerprint"]) == {"inputs", "spec", "code", "libraries"}
    code, printed = days.command("why", DAYS[0])
    assert code == 0
    assert "by_day (1 changed)" in printed
    assert "the plan now: skip, nothing changed" in printed
    assert first.decode().split(",")[9] not in printed


def test_why_tells_from_which_run_a_step_was_taken_over(days: Days) -> None:
    days.change(plausible=Plausible(min_rows=900))
    with pytest.raises(Implausible):
        days.run(DAYS[0])
    assert days.planned()[DAYS[0]].startswith("blocked: held: ")
    assert "failed since: summarize, Implausible" in days.command("why", DAYS[0])[1]
    days.change(plausible=Plausible())
    days.run(DAYS[0])
    printed = days.command("why", DAYS[0])[1]
    assert "aggregate       reused from run_1" in printed


def test_why_of_a_day_that_nobody_ran_says_so(days: Days) -> None:
    code, printed = days.command("why", DAYS[0])
    assert code == 1
    assert "not published\nthe plan now: run, never done" in printed


@pytest.mark.parametrize(
    "words",
    [
        ("by_airline", "on_time_pct", "carrier=AA"),
        ("by_airline", "seats", "carrier=AA"),
        ("by_airline", "mean_arr_delay_min", "airline=United Air Lines Inc."),
        ("by_origin", "flights", "origin=JFK"),
        ("by_day", "cancelled"),
        ("by_day", "distance_mi"),
    ],
)
def test_a_number_is_traced_to_the_lines_that_make_it_again(days: Days, words: tuple[str, ...]) -> None:
    days.run(DAYS[0])
    code, printed = days.command("trace", DAYS[0], *words)
    assert code == 0
    assert printed.rstrip().endswith(": equal")


def test_the_traced_lines_are_those_of_the_raw_file(days: Days) -> None:
    days.run(DAYS[0])
    traced = days.json("trace", DAYS[0], "by_airline", "flights", "carrier=HA")
    raw = days.file(DAYS[0]).read_text().splitlines()
    assert traced["lines"] == [number for number, line in enumerate(raw, 1) if line.split(",")[9] == "HA"]
    assert len(traced["lines"]) == traced["published"] == 1


def test_a_number_that_its_rows_do_not_give_is_said_and_fails(days: Days) -> None:
    days.run(DAYS[0])
    with days.servers.connect_postgres("warehouse") as connection:
        connection.execute(f"update {days.pipeline.name}_store.by_day set flights = flights + 1".encode())
    code, printed = days.command("trace", DAYS[0], "by_day", "flights")
    assert code == 1
    assert "these lines give 842: NOT equal" in printed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("by_airlin", "flights"), 2, "did you mean 'by_airline'?"),
        (("by_day", "flihgts"), 2, "did you mean 'flights'?"),
        (
            ("by_airline", "flights"),
            40,
            "14 rows of that group, expected 1; nothing was traced; add carrier=…, airline=…",
        ),
        (("by_airline", "flights", "carrier=XX"), 40, "0 rows of that group"),
        (("by_origin", "flights", "carrier=AA"), 2, "it is not grouped by 'carrier' but by origin"),
    ],
)
def test_what_cannot_be_traced_is_said_with_what_can(days: Days, words: tuple[str, ...], code: int, said: str) -> None:
    days.run(DAYS[0])
    given, printed = days.command("trace", DAYS[0], *words)
    assert given == code
    assert said in printed


def break_header(days: Days, day: str) -> None:
    """Let a day's file miss a column."""
    file = days.file(day)
    file.write_bytes(file.read_bytes().replace(b"dep_delay", b"departure_delay", 1))


def test_a_rolled_back_day_is_skipped_with_the_reason_and_held_once_a_run_comes_to_the_same(days: Days) -> None:
    days.run(DAYS[0])
    file = days.file(DAYS[0])
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    days.run(DAYS[0])
    assert "is held until a person releases it" in days.command("rollback", DAYS[0], "--who", "ann", "--why", "bad")[1]
    reason = days.planned("--from", DAYS[0], "--to", DAYS[0])[DAYS[0]]
    assert reason.startswith("skip: run ")
    assert "was rolled back by ann at " in reason
    assert reason.endswith(": bad")
    assert days.json("status")["rolled_back"] == [DAYS[0]]
    with pytest.raises(Implausible):
        days.run(DAYS[0])
    assert days.planned()[DAYS[0]].startswith(f"blocked: held: {days.pipeline.name} {DAYS[0]}: the same as run ")
    status = days.json("status")
    assert (status["published"], status["held"], status["tried_since"]) == ([DAYS[0]], [], [DAYS[0]])
    printed = days.command("why", DAYS[0])[1]
    assert "by ann: bad (readers saw run " in printed
    assert "failed since: deploy, Implausible: " in printed
    assert "the plan now: blocked, held: " in printed
    assert days.planned("--force", "--from", DAYS[0], "--to", DAYS[0])[DAYS[0]].startswith("run: ")


def test_a_rolled_back_day_whose_source_was_mended_is_run_and_no_longer_told_as_rolled_back(days: Days) -> None:
    days.run(DAYS[0])
    file = days.file(DAYS[0])
    whole = file.read_bytes()
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    days.run(DAYS[0])
    days.command("rollback", DAYS[0], "--why", "a line is missing")
    file.write_bytes(whole)
    assert days.planned()[DAYS[0]] == "run: input changed: file flights"
    days.run(DAYS[0])
    assert days.planned()[DAYS[0]] == "skip: nothing changed"
    assert days.json("status")["rolled_back"] == []
