"""Days that run again: what is taken over, what is done again, several days in one run, days that are restated."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from upath import UPath

from daybook import steps
from daybook.errors import BadSpec, BrokenChain, NotYet, SourceUnavailable
from daybook.events import handlers
from daybook.events.handlers import on_event
from daybook.events.happening import Event, Happening
from daybook.ledger.receipt import STEPS, Done
from daybook.planning.daily_run import DailyRun, days_of
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step
from daybook.run.several_days import DaysLeftOut, over_days
from daybook.run.step_run import StepRun
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.run_names import folder_name
from tests.support.servers import Servers, run_steps

DAYS = ("2013-01-01", "2013-01-02", "2013-01-03")
Edit = Callable[[str, bytes, bytes], None]


@pytest.fixture
def own(pipeline: Pipeline, servers: Servers) -> Pipeline:
    """The pipeline over files of the test's own: the first 50 flights of each day."""
    folder = servers.ftp.root / pipeline.name
    folder.mkdir()
    for day in DAYS:
        lines = (servers.ftp.root / "flights" / f"flights_{day}.csv").read_bytes().splitlines(keepends=True)
        (folder / f"{day}.csv").write_bytes(b"".join(lines[:51]))
    file = pipeline.files[0].model_copy(update={"path": pipeline.name + "/{day}.csv"})
    return pipeline.model_copy(update={"files": (file,), "look_back_days": 5})


@pytest.fixture
def edit(own: Pipeline, servers: Servers) -> Edit:
    """Change a day's file: edit(day, old bytes, new bytes)."""

    def do(day: str, old: bytes, new: bytes) -> None:
        file = servers.ftp.root / own.name / f"{day}.csv"
        assert old in file.read_bytes()
        later = file.stat().st_mtime + 2  # servers tell the time in seconds
        file.write_bytes(file.read_bytes().replace(old, new, 1))
        os.utime(file, (later, later))

    return do


@pytest.fixture
def told(own: Pipeline) -> Iterator[list[Happening]]:
    """All events of the pipeline, as its handlers see them."""
    happenings: list[Happening] = []
    for event in Event:
        on_event(event, pipeline=own.name)(happenings.append)
    yield happenings
    for key in [key for key in handlers._handlers if key[-1] == own.name]:
        del handlers._handlers[key]


def of(told: list[Happening], *events: Event) -> list[tuple[str, str, str]]:
    """Return step, event and day of the happenings of these kinds; the days of a range as their number."""
    days = [(one, str(one.days[0]) if len(one.days) == 1 else str(len(one.days))) for one in told]
    return [(one.step, one.event.name, day) for one, day in days if one.event in events]


def taken_over(work: DayRun) -> list[str]:
    """Return the steps of a run that took over an earlier one's outputs."""
    return [step for step in STEPS if work.receipt(step).reused_from]


def test_an_unchanged_day_takes_over_every_step_from_load_to_summarize(own: Pipeline, servers: Servers) -> None:
    run_steps(servers.work(own, DAYS[0], "first"), servers)
    again = run_steps(servers.work(own, DAYS[0], "second"), servers)
    assert taken_over(again) == ["load", "clean", "index", "aggregate", "summarize"]
    assert again.receipt("load").line().startswith("load reused=first ")
    assert again.receipt("deploy").outcome == "unchanged"


@pytest.mark.parametrize("damaged", [b"", b"{", b"5", b"\xff", b'{"pipeline": "flights"}'])
def test_an_earlier_run_whose_receipt_is_damaged_is_not_taken_over(
    own: Pipeline, servers: Servers, damaged: bytes
) -> None:
    first = run_steps(servers.work(own, DAYS[0], "first"), servers)
    (first.folder.path / "load" / "receipt.json").write_bytes(damaged)
    assert taken_over(run_steps(servers.work(own, DAYS[0], "second"), servers))[:1] == ["clean"]


def test_a_note_of_an_earlier_run_that_names_another_place_is_passed_over(own: Pipeline, servers: Servers) -> None:
    first = run_steps(servers.work(own, DAYS[0], "first"), servers)
    for hint in (first.folder.path.parent / "by_fingerprint").iterdir():
        hint.write_text("../../../" if hint.name.startswith("load") else "\0")
    assert taken_over(run_steps(servers.work(own, DAYS[0], "second"), servers)) == []


def test_a_step_whose_earlier_receipt_is_of_another_step_says_what_to_clear(own: Pipeline, servers: Servers) -> None:
    work = run_steps(servers.work(own, DAYS[0], "first"), servers, until="clean")
    (work.folder.path / "clean" / "receipt.json").write_bytes((work.folder.path / "load" / "receipt.json").read_bytes())
    with pytest.raises(BrokenChain, match=r"`clean` of this run has no receipt: .* is damaged or gone; .* clear"):
        run_step(steps.index, work)


def test_a_damaged_note_of_the_days_of_a_daily_run_is_one_message(own: Pipeline, servers: Servers) -> None:
    work = servers.work(own, DAYS[0], "daily:1")
    with work.data.days_of_runs(own.name).new_file(f"{folder_name('daily:1')}.json") as file:
        file.write(b'["2013-13-45"]')
    with pytest.raises(BadSpec, match="it is damaged, and named the days of run daily:1; nothing was done; remove it"):
        days_of(daily_run(own, DAYS[0], "daily:1"), work.data, work.postgres, work.ftp)


def test_a_changed_row_redoes_its_day_and_no_other(own: Pipeline, servers: Servers, edit: Edit) -> None:
    for day in DAYS[:2]:
        run_steps(servers.work(own, day, "first"), servers)
    edit(DAYS[0], b",1400,", b",1401,")
    changed, other = (run_steps(servers.work(own, day, "second"), servers) for day in DAYS[:2])
    assert taken_over(changed) == []
    assert taken_over(other) == ["load", "clean", "index", "aggregate", "summarize"]
    assert changed.receipt("deploy").outcome == "published"


def test_a_changed_measure_redoes_aggregate_and_what_follows(own: Pipeline, servers: Servers) -> None:
    run_steps(servers.work(own, DAYS[0], "first"), servers)
    changed = own.model_copy(update={"measures": tuple(reversed(own.measures))})
    assert taken_over(run_steps(servers.work(changed, DAYS[0], "second"), servers)) == ["load", "clean", "index"]


def test_forced_everything_is_done_again_with_the_same_bytes(own: Pipeline, servers: Servers) -> None:
    first = run_steps(servers.work(own, DAYS[0], "first"), servers)
    forced = run_steps(replace(servers.work(own, DAYS[0], "second"), is_forced=True), servers)
    assert taken_over(forced) == []
    for step in STEPS[2:7]:
        assert forced.receipt(step).outputs == first.receipt(step).outputs


def test_a_damaged_output_is_not_taken_over(own: Pipeline, servers: Servers) -> None:
    first = run_steps(servers.work(own, DAYS[0], "first"), servers)
    (first.folder.path / "clean" / "flights.parquet").write_bytes(b"bit rot")
    assert "clean" not in taken_over(run_steps(servers.work(own, DAYS[0], "second"), servers))


def run_batch(works: list[DayRun], *, is_last_try: bool = True) -> None:
    """Run all steps over all days of a run."""
    for step in STEPS:
        over_days(getattr(steps, step), works, is_last_try=is_last_try)


def test_a_bad_day_of_a_batch_is_left_out_and_the_others_are_published(
    own: Pipeline, servers: Servers, edit: Edit, told: list[Happening]
) -> None:
    edit(DAYS[1], b"dep_delay", b"departure_delay")
    works = [servers.work(own, day, "batch") for day in DAYS]
    with pytest.raises(DaysLeftOut, match=r"1 of 3 days was left out.*2013-01-02: .*dep_delay"):
        run_batch(works)
    days = servers.rows(f"select day from {own.name}.by_day order by day")
    assert [str(day) for (day,) in days] == [DAYS[0], DAYS[2]]
    good = [("clean", name, day) for day in DAYS[::2] for name in ("START", "PROCESSING_TIME", "SUCCESS")]
    of_a_day = of(told, Event.START, Event.PROCESSING_TIME, Event.SUCCESS)
    assert [one for one in of_a_day if one[0] == "clean"] == good
    (failed,) = [one for one in told if one.event is Event.FAILURE]
    assert (failed.step, failed.run, [str(day) for day in failed.days]) == ("load", "batch", [DAYS[1]])
    assert "dep_delay" in failed.error
    assert ("load", "PROCESSING_TIME", DAYS[1]) in of_a_day
    assert all(one.seconds is not None for one in told if one.event is Event.PROCESSING_TIME)
    extracts = [(step, "DEPENDENCY_PRESENT", day) for step in STEPS[:2] for day in DAYS]
    assert of(told, Event.DEPENDENCY_PRESENT) == extracts
    progress = [(one.step, one.done, one.of) for one in told if one.event is Event.PROGRESS]
    assert progress == [(step, done, 3) for step in STEPS for done in (1, 2, 3)]
    count, fraction, delay = told[-3:]
    assert (count.event, count.done, count.of) == (Event.COMPLETE_COUNT, 2, 3)
    assert (fraction.event, fraction.fraction) == (Event.COMPLETE_FRACTION, 2 / 3)
    # From 2 January on, two days of the range are not sure to be there.
    assert (delay.event, delay.delay_days) == (Event.DELAY, 2)


def test_a_batch_whose_days_all_lack_a_step_fails_at_the_next_one(own: Pipeline, servers: Servers) -> None:
    works = [servers.work(own, day, "batch") for day in DAYS]
    for step in (steps.extract_tables, steps.extract_files):
        over_days(step, works, is_last_try=True)
    with pytest.raises(
        BrokenChain, match=r"^all 3 days .* 2013-01-01: `load` of this run has no receipt.*clear `load`"
    ):
        over_days(steps.clean, works, is_last_try=False)
    run_batch(works)
    assert len(servers.rows(f"select day from {own.name}.by_day")) == 3


def test_a_day_of_a_batch_whose_extract_alone_was_cleared_is_left_out_and_no_other(
    own: Pipeline, servers: Servers, edit: Edit
) -> None:
    works = [replace(servers.work(own, day, "batch"), is_forced=True) for day in DAYS]
    run_batch(works)
    edit(DAYS[1], b",1400,", b",1401,")
    over_days(steps.extract_files, works, is_last_try=True)
    over_days(steps.save, works, is_last_try=True)
    with pytest.raises(
        DaysLeftOut, match=r"^1 of 3 days was left out.*2013-01-02: `load` of this run rests on an older"
    ):
        over_days(steps.deploy, works, is_last_try=True)
    for step in (steps.load, steps.clean, steps.index, steps.aggregate, steps.summarize, steps.save, steps.deploy):
        over_days(step, works, is_last_try=True)
    assert works[1].receipt("deploy").outcome == "published"


def test_a_batch_notes_all_that_its_steps_read_also_what_another_day_of_it_has_made(
    own: Pipeline, servers: Servers
) -> None:
    works = [servers.work(own, day, "batch") for day in DAYS[:2]]
    run_batch(works)
    first, second = (work.receipt("load").inputs for work in works)
    assert (
        list(first)
        == list(second)
        == [f"extract_tables/{n}.csv" for n in ("airlines", "planes")] + ["extract_files/flights.csv"]
    )


def test_a_mended_day_of_a_batch_is_published_when_its_step_is_cleared(
    own: Pipeline, servers: Servers, edit: Edit
) -> None:
    edit(DAYS[1], b"dep_delay", b"departure_delay")
    works = [servers.work(own, day, "batch") for day in DAYS]
    with pytest.raises(DaysLeftOut):
        run_batch(works)
    edit(DAYS[1], b"departure_delay", b"dep_delay")
    over_days(steps.extract_files, [replace(work) for work in works], is_last_try=True)
    for step in STEPS[2:]:
        over_days(getattr(steps, step), works, is_last_try=True)
    assert servers.rows(f"select count(*) from {own.name}.by_day") == [(3,)]


def test_a_day_that_may_still_come_is_tried_again_and_then_left_out(own: Pipeline, servers: Servers) -> None:
    works = [servers.work(own, day, "batch") for day in DAYS]
    with pytest.raises(SourceUnavailable, match="2 of 3 days are tried again"):
        over_days(extract_tables, works, is_last_try=False)
    assert list(over_days(extract_tables, works, is_last_try=True)) == [DAYS[0]]


def test_a_day_whose_file_may_still_come_is_waited_for_and_the_others_are_not_done_again(
    own: Pipeline, servers: Servers, told: list[Happening]
) -> None:
    works = [servers.work(own, day, "waiting") for day in DAYS]
    looks: list[str] = []
    delivered: list[str] = list(DAYS[::2])

    def extract_files(step: StepRun) -> Done:
        looks.append(str(step.day_run.day))
        if str(step.day_run.day) not in delivered:
            raise NotYet("not there", datetime(2026, 1, 1, tzinfo=UTC))
        return steps.extract_files(step)

    with pytest.raises(NotYet, match="1 of 3 days waits; the first: not there"):
        over_days(extract_files, works, attempt=1, is_last_try=True)
    with pytest.raises(NotYet):
        over_days(extract_files, works, attempt=1, is_last_try=True)
    assert looks == [*DAYS, DAYS[1]]
    assert of(told, Event.DEPENDENCY_MISSING, Event.FAILURE) == [("extract_files", "DEPENDENCY_MISSING", DAYS[1])] * 2
    assert {one.error for one in told if one.event is Event.DEPENDENCY_MISSING} == {"not there"}
    delivered.append(DAYS[1])
    assert tuple(over_days(extract_files, works, attempt=1, is_last_try=True)) == DAYS
    looks.clear()
    over_days(extract_files, works, attempt=2, is_last_try=True)
    assert tuple(looks) == DAYS, "a task that was cleared does all days again"


def extract_tables(step: StepRun) -> Done:
    """Be a step whose other side is down for all days but the first."""
    if str(step.day_run.day) != DAYS[0]:
        raise SourceUnavailable("down")
    return Done()


def test_a_daily_run_does_the_changed_days_of_its_window_too(own: Pipeline, servers: Servers, edit: Edit) -> None:
    for day in DAYS[:2]:
        run_steps(servers.work(own, day, "first"), servers)
    edit(DAYS[0], b",1400,", b",1401,")
    data = DataFolder(UPath(f"file://{servers.data}"))
    asked = (daily_run(own, DAYS[2], "run"), data, servers.connect_postgres, servers.connect_ftp)
    assert [str(day) for day in days_of(*asked)] == [DAYS[2], DAYS[0]]
    edit(DAYS[1], b",1400,", b",1402,")
    assert [str(day) for day in days_of(*asked)] == [DAYS[2], DAYS[0]], "decided once for a run"


def daily_run(pipeline: Pipeline, day: str, run: str) -> DailyRun:
    """Return a daily run of a day that begins in the night after it."""
    on = date.fromisoformat(day)
    now = datetime.combine(on + timedelta(days=1), time(6), UTC)
    return DailyRun(pipeline, on, run, now, is_at_its_begin=True)
