"""What a plan says of a day, and why: never done, changed, failed, held, not there, or nothing to do."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from daybook.ledger import fingerprint
from daybook.ledger.receipt import STEPS, Origin, Output, Receipt
from daybook.planning.plan import Failure, FileState, Planned, Standing, plan
from daybook.spec import Pipeline, Plausible
from tests.support.shop import DAY, shop

FILE = FileState(10, "20260111030000")
TABLES = {"shops": "a" * 64, "customers": "b" * 64}
HELD = Failure("summarize", "Implausible", "12 rows, 900 to 1,000 expected", datetime(2026, 1, 11, tzinfo=UTC))
BROKEN = Failure("load", "BadData", "column missing", datetime(2026, 1, 11, tzinfo=UTC))


def receipts(pipeline: Pipeline) -> dict[str, Receipt]:
    """Return the receipts of a run of the pipeline as it is, over FILE and TABLES; every step took a second."""
    made = {
        "extract_tables": {f"{name}.csv": Output(size_bytes=1, sha256=sha) for name, sha in TABLES.items()},
        "extract_files": {"sales.csv": Output(size_bytes=FILE.size_bytes or 0, sha256="c" * 64)},
    }
    return {
        step: Receipt(
            pipeline="shop",
            day=DAY,
            run="run",
            step=step,
            outputs=made.get(step, {}),
            origins={"sales": Origin(place="", modified_at=FILE.modified_at)} if step == "extract_files" else {},
            fingerprint=fingerprint.fingerprint(step, pipeline) if step in fingerprint.FINGERPRINTED_STEPS else None,
            seconds=1.0,
            peak_memory_mib=1,
        )
        for step in STEPS
    }


def standing(day: date = DAY, **changes: Any) -> Standing:
    """Return the standing of a day that was deployed by the pipeline as it is, with some of it changed."""
    known = Standing(day, is_published=True, deployed=receipts(shop()), failure=None, files={"sales": FILE})
    return known._replace(**changes)


def planned(pipeline: Pipeline | None = None, tables: dict[str, str] = TABLES, **changes: Any) -> Planned:
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
        ({"tables": TABLES | {"shops": "d" * 64}}, "input changed: table shops", "extract_tables"),
        ({"failure": BROKEN}, "failed before: load, BadData", "load"),
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
        ({"failure": HELD}, "held: 12 rows, 900 to 1,000 expected"),
    ],
)
def test_a_day_is_blocked_for_a_reason(changes: dict[str, object], reason: str) -> None:
    assert planned(**changes)[1:3] == ("blocked", reason)  # type: ignore[arg-type]


def test_a_held_day_is_run_when_what_is_plausible_was_changed() -> None:
    held = HELD._replace(spec_sha256=fingerprint.spec_of("summarize", shop()))
    assert planned(failure=held).action == "blocked"
    wider = shop().model_copy(update={"plausible": Plausible(within_pct=90)})
    assert planned(wider, failure=held)[1:3] == ("run", "spec changed: summarize")


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
    deployed["load"] = deployed["load"].model_copy(update={"inputs": loaded_with})
    day = planned(deployed=deployed, mends=there_are)
    assert (day.reason, "load" in day.steps) == (reason, reason == "rows mended")


def test_a_held_day_may_be_tried_when_rows_of_it_are_mended() -> None:
    before = {step: receipts(shop())[step] for step in STEPS[:6]}
    assert planned(failure=HELD, failed=before, mends={}).action == "blocked"
    day = planned(failure=HELD, failed=before, mends={"sales": {"c" * 64: "1"}})
    assert (day.action, day.reason) == ("run", "rows mended")


def test_the_newest_day_comes_first() -> None:
    days = [date(2026, 1, number) for number in (2, 3, 1)]
    assert [p.day.day for p in plan(shop(), [standing(day) for day in days], TABLES)] == [3, 2, 1]


def test_forced_a_day_is_run_whatever_it_rests_on() -> None:
    assert plan(shop(), [standing(failure=HELD)], TABLES, is_forced=True)[0].action == "run"
