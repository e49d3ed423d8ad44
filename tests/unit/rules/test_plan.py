"""What a plan says of a day, and why: never done, changed, failed, held, not there, or nothing to do."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from daybook.ledger import fingerprint
from daybook.ledger.chain import content_sha256, files_read
from daybook.ledger.receipt import STEPS, Fingerprint, Origin, Output, Receipt
from daybook.planning.plan import Planned, plan
from daybook.planning.standing import Failure, FileState, Standing
from daybook.postgres.day_state import DayState
from daybook.refused.mends import Mend, as_inputs, hashes, of_day
from daybook.refused.mends import write as write_mends
from daybook.spec import File, Pipeline, Plausible
from daybook.storage.folder import Folder
from tests.support.shop import DAY, shop

FILE = FileState(10, "20260111030000")
TABLES = {"shops": DayState(1, "a" * 64), "customers": DayState(2, "b" * 64)}
HELD = Failure("summarize", "Implausible", "12 rows, 900 to 1,000 expected", datetime(2026, 1, 11, tzinfo=UTC))
LATE = Failure("extract_files", "SourceUnavailable", "the server is down", datetime(2026, 1, 11, tzinfo=UTC))
BROKEN = Failure("load", "BadData", "column missing", datetime(2026, 1, 11, tzinfo=UTC))


def receipts(pipeline: Pipeline) -> dict[str, Receipt]:
    """Return the receipts of a run of the pipeline as it is, over FILE and TABLES; every step took a second."""
    made = {
        "extract_tables": {f"{name}.csv": Output(size_bytes=1, sha256=was.content) for name, was in TABLES.items()},
        "extract_files": {"sales.csv": Output(size_bytes=FILE.size_bytes or 0, sha256="c" * 64)},
        "load": {"sales.parquet": Output(size_bytes=1, sha256="l" * 64)},
        "summarize": {f"{s.name}.parquet": Output(size_bytes=1, sha256=s.name) for s in pipeline.summaries},
    }
    done: dict[str, Receipt] = {}
    for step in STEPS:
        done[step] = Receipt(
            pipeline="shop",
            day=DAY,
            run="run",
            step=step,
            inputs={f"summarize/{s.name}.parquet": s.name for s in pipeline.summaries if step in ("save", "deploy")},
            outputs=made.get(step, {}),
            origins={"sales": Origin(place="", modified_at=FILE.modified_at)} if step == "extract_files" else {},
            slices=TABLES if step == "extract_tables" else {},
            seconds=1.0,
            peak_memory_mib=1,
        )
        if step in fingerprint.FINGERPRINTED_STEPS:
            done[step] = with_ground(done[step], fingerprint.fingerprint(step, pipeline), done)
    return done


def with_ground(receipt: Receipt, ground: Fingerprint, done: dict[str, Receipt]) -> Receipt:
    """Return a receipt with the fingerprint of what it reads of the steps done before it."""
    inputs = files_read(receipt.step, done) | {k: v for k, v in receipt.inputs.items() if k.startswith("mends")}
    return receipt.model_copy(update={"fingerprint": ground.with_inputs(inputs), "inputs": inputs})


def made_anew(receipt: Receipt, **outputs: str) -> Receipt:
    """Return a receipt with other hashes of some of its files, named without `.parquet` or `.csv`."""
    end = "csv" if receipt.step.startswith("extract_") else "parquet"
    anew = {f"{name}.{end}": Output(size_bytes=FILE.size_bytes or 0, sha256=sha) for name, sha in outputs.items()}
    return receipt.model_copy(update={"outputs": receipt.outputs | anew})


READ = {step: receipt for step, receipt in receipts(shop()).items() if step in STEPS[:2]}
AGGREGATED = {step: receipt for step, receipt in receipts(shop()).items() if step in STEPS[:6]}


def wider_amount(**words: Any) -> File:
    """Return the file of sales, with another column of amounts."""
    (file,) = shop().files
    *others, amount = file.columns
    return file.model_copy(update={"columns": (*others, amount.model_copy(update={"digits": 12} | words))})


def failed_now(step: str, **parts: str) -> Failure:
    """Return that a step fails on bad data as it is now, without mends; parts: what its fingerprint had otherwise."""
    ground = with_ground(receipts(shop())[step], fingerprint.fingerprint(step, shop()), receipts(shop())).fingerprint
    assert ground
    was = ground.model_copy(update=parts)
    return Failure(step, "BadData", "column missing", BROKEN.failed_at, was.spec, was.code, was.libraries, was.inputs)


def standing(day: date = DAY, **changes: Any) -> Standing:
    """Return the standing of a day that was deployed by the pipeline as it is, with some of it changed."""
    known = Standing(day, is_published=True, deployed=receipts(shop()), failure=None, files={"sales": FILE})
    return known._replace(**changes)


def planned(pipeline: Pipeline | None = None, tables: dict[str, DayState] = TABLES, **changes: Any) -> Planned:
    """Return the plan of that day."""
    return plan(pipeline or shop(), [standing(**changes)], tables)[0]


def test_a_day_on_which_nothing_changed_is_skipped() -> None:
    assert planned()[:4] == (DAY, "skip", "nothing changed", ())


@pytest.mark.parametrize(
    ("changes", "reason", "first"),
    [
        ({"is_published": False, "deployed": {}}, "never done", "extract_tables"),
        ({"files": {"sales": FILE._replace(size_bytes=11)}}, "input changed: file sales", "extract_files"),
        ({"files": {"sales": FILE._replace(modified_at="20260112")}}, "input changed: file sales", "extract_files"),
        ({"tables": TABLES | {"shops": DayState(1, "d")}}, "input changed: table shops", "extract_tables"),
        ({"failure": LATE}, "failed before: extract_files, SourceUnavailable", "extract_files"),
        ({"failure": LATE._replace(kind="BadData")}, "failed before: extract_files, BadData", "extract_files"),
        ({"failure": BROKEN._replace(kind="BrokenChain"), "failed": READ}, "failed before: load, BrokenChain", "load"),
        ({"failure": BROKEN._replace(kind="MemoryError"), "failed": READ}, "failed before: load, MemoryError", "load"),
    ],
)
def test_a_day_is_run_for_a_reason(changes: dict[str, object], reason: str, first: str) -> None:
    day = planned(**changes)  # type: ignore[arg-type]
    assert (day.action, day.reason) == ("run", reason)
    assert first in day.steps


def test_a_changed_spec_redoes_its_step_and_what_follows_and_no_load() -> None:
    day = planned(shop(measures=tuple(reversed(shop().measures))))
    assert (day.reason, day.steps) == (
        "spec changed: aggregate",
        ("extract_tables", "extract_files", "aggregate", "summarize", "save", "deploy"),
    )
    assert day.seconds == 6.0


@pytest.mark.parametrize("part", ["code", "libraries"])
def test_changed_code_or_libraries_are_named_with_their_step(part: str) -> None:
    deployed = receipts(shop())
    was = deployed["clean"].fingerprint
    assert was
    deployed["clean"] = deployed["clean"].model_copy(update={"fingerprint": was.model_copy(update={part: "other"})})
    assert planned(deployed=deployed).reason == f"{part} changed: clean"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"files": {"sales": None}}, "file not there: sales_2026-01-10.csv"),
        (
            {"files": {"sales": None}, "beside": {"sales": "; 'Sales.CSV' lies beside it"}},
            "file not there: sales_2026-01-10.csv; 'Sales.CSV' lies beside it",
        ),
        ({"failure": HELD, "failed": AGGREGATED}, "held: 12 rows, 900 to 1,000 expected"),
        ({"failure": BROKEN, "failed": READ}, "failed: load, BadData: column missing"),
    ],
)
def test_a_day_is_blocked_for_a_reason(changes: dict[str, object], reason: str) -> None:
    assert planned(**changes)[1:3] == ("blocked", reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"files": {"sales": FILE._replace(size_bytes=11)}}, "input changed: file sales"),
        ({"tables": TABLES | {"shops": DayState(1, "d")}}, "input changed: table shops"),
        (
            {"pipeline": shop(files=(shop().files[0].model_copy(update={"null_tokens": ()}),))},
            "spec changed: extract_files",
        ),
        ({"pipeline": shop(files=(wider_amount(),))}, "spec changed: load"),
        ({"failure": failed_now("load", code="other")}, "code changed: load"),
        ({"failure": failed_now("load", libraries="pyarrow 1")}, "libraries changed: load"),
        ({"mends": {"sales": {"c" * 64: "1"}}}, "rows mended"),
        ({"mends": {"sales": {"of another delivery": "1"}}}, "rows mended"),
    ],
)
def test_bad_data_are_tried_again_once_something_changed_that_could_mend_them(
    changes: dict[str, Any], reason: str
) -> None:
    as_it_was: dict[str, Any] = {"failure": failed_now("load"), "failed": READ, "mends": {}}
    assert planned(**as_it_was)[1:3] == ("blocked", "failed: load, BadData: column missing")
    assert planned(**as_it_was | changes)[1:3] == ("run", reason)


def test_a_day_that_failed_is_tried_again_if_the_spec_of_a_step_before_has_changed() -> None:
    failure = failed_now("index")
    assert planned(failure=failure, failed=AGGREGATED).action == "blocked"
    other = shop(files=(wider_amount(maximum=2000, digits=9),))
    assert planned(other, failure=failure, failed=AGGREGATED)[1:3] == ("run", "spec changed: clean")


@pytest.mark.parametrize("mends", [{}, {"c": "1"}, {"d": "1"}, {"c": "1", "d": "2", "e": "3"}])
def test_the_mends_of_a_plan_are_those_that_load_reads(tmp_path: Path, mends: dict[str, str]) -> None:
    folder = Folder(UPath(tmp_path))
    for name, why in mends.items():
        write_mends(folder, "sales", name, [Mend(line=2, record="1", who="ann", why=why)])
    raw = {"sales": "c", "shops": "s"}
    assert as_inputs(hashes(folder, ["sales", "shops"]), raw) == of_day(folder, raw).inputs


def test_a_held_day_is_run_when_what_is_plausible_was_changed() -> None:
    held = HELD._replace(spec_sha256=fingerprint.spec_of("summarize", shop()))
    assert planned(failure=held, failed=AGGREGATED).action == "blocked"
    wider = shop().model_copy(update={"plausible": Plausible(within_pct=90)})
    assert planned(wider, failure=held, failed=AGGREGATED)[1:3] == ("run", "spec changed: summarize")


@pytest.mark.parametrize(
    ("loaded_with", "there_are", "reason"),
    [
        ({}, {}, "nothing changed"),
        ({}, {"sales": {"c" * 64: "1"}}, "rows mended"),
        ({}, {"shops": {"a" * 64: "1"}}, "rows mended"),
        ({}, {"sales": {"of another delivery": "1"}}, "nothing changed"),
        ({"mends/sales": "1"}, {"sales": {"c" * 64: "1"}}, "nothing changed"),
        ({"mends/sales": "1"}, {"sales": {"c" * 64: "2"}}, "rows mended"),
        ({"mends/sales": "1"}, {}, "rows mended"),
        ({"mends/sales": "1"}, None, "nothing changed"),
        ({"mends_set_aside/sales": "old"}, {"sales": {"old": "1"}}, "nothing changed"),
    ],
)
def test_a_day_with_new_mends_is_run_from_load_on(
    loaded_with: dict[str, str], there_are: dict[str, dict[str, str]] | None, reason: str
) -> None:
    deployed = receipts(shop())
    loaded = deployed["load"].model_copy(update={"inputs": loaded_with})
    deployed["load"] = with_ground(loaded, fingerprint.fingerprint("load", shop()), deployed)
    day = planned(deployed=deployed, mends=there_are)
    assert (day.reason, "load" in day.steps) == (reason, reason == "rows mended")


def test_a_held_day_may_be_tried_when_rows_of_it_are_mended() -> None:
    assert planned(failure=HELD, failed=AGGREGATED, mends={}).action == "blocked"
    day = planned(failure=HELD, failed=AGGREGATED, mends={"sales": {"c" * 64: "1"}})
    assert (day.action, day.reason) == ("run", "rows mended")


@pytest.mark.parametrize(
    ("anew", "reason", "first"),
    [
        ({"extract_files": {"sales": "d" * 64}}, "input changed: load rests on an older extract_files", "load"),
        ({"extract_files": {"sales.2": "d" * 64}}, "input changed: load rests on an older extract_files", "load"),
        ({"load": {"sales": "m" * 64}}, "input changed: clean rests on an older load", "clean"),
        ({"load": {"other": "m" * 64}}, "input changed: clean rests on an older load", "clean"),
        ({"aggregate": {"aggregates": "m" * 64}}, "input changed: summarize rests on an older aggregate", "summarize"),
        ({"summarize": {"by_day": "m" * 64}}, "input changed: save rests on an older summarize", "save"),
        ({"extract_files": {"sales": "c" * 64}, "save": {"by_day": "m" * 64}}, "nothing changed", None),
    ],
)
def test_a_day_whose_steps_do_not_rest_on_each_other_is_run_from_the_first_of_them_on(
    anew: dict[str, dict[str, str]], reason: str, first: str | None
) -> None:
    before = receipts(shop())
    day = planned(deployed=before | {step: made_anew(before[step], **outputs) for step, outputs in anew.items()})
    assert (day.reason, day.steps[2:3]) == (reason, (first,) if first else ())


@pytest.mark.parametrize("step", STEPS[2:6])
def test_a_held_day_is_run_if_a_step_before_was_made_anew_since_or_has_no_receipt(step: str) -> None:
    read, (*_, last) = dict(AGGREGATED), fingerprint.READS[step]
    read[last] = made_anew(read[last], sales="z" * 64)
    assert planned(failure=HELD, failed=read).action == "run"
    without = {name: receipt for name, receipt in AGGREGATED.items() if name != step}
    day = planned(failure=HELD, failed=without)
    assert (day.action, day.reason, day.steps[2]) == ("run", f"never done: {step}", step)


def test_a_day_is_run_if_readers_see_another_result_than_the_last_runs_unless_a_person_decided_so() -> None:
    content = content_sha256(shop(), receipts(shop())["summarize"])
    assert planned(published_content=content).action == "skip"
    day = planned(published_content="another")
    assert (day.reason, day.steps[2:]) == ("readers see another result than the last run's", ("save", "deploy"))
    assert planned(published_content="another", rolled_back="by ann").reason == "by ann"


def test_the_newest_day_comes_first() -> None:
    days = [date(2026, 1, number) for number in (2, 3, 1)]
    assert [p.day.day for p in plan(shop(), [standing(day) for day in days], TABLES)] == [3, 2, 1]


def test_forced_a_day_is_run_whatever_it_rests_on() -> None:
    for failure, failed in ((HELD, AGGREGATED), (BROKEN, READ)):
        assert plan(shop(), [standing(failure=failure, failed=failed)], TABLES, is_forced=True)[0].action == "run"


def test_a_day_whose_mark_is_not_there_is_blocked_only_if_there_is_something_to_do() -> None:
    unmarked = ("s.t is not ready: etl.loads has no row of 2026-01-10",)
    assert planned(unmarked=unmarked)[:3] == (DAY, "skip", "nothing changed")
    never_done = planned(unmarked=unmarked, is_published=False, deployed={})
    assert never_done[:3] == (DAY, "blocked", unmarked[0])
