"""The table of docs/changes.md: from which step a published day is done again after a change of its spec."""

import re
from datetime import time
from typing import Any

import pytest

from daybook.ledger.fingerprint import FINGERPRINTED_STEPS, changed_part, fingerprint
from daybook.pipelines import load_pipelines
from daybook.spec import Alerts, CleanRows, Derived, Export, Measure, Pipeline, Rule, TableReady, Target, col
from deployment.home import REPOSITORY

FLIGHTS = load_pipelines().good["flights"]
FILE, TABLES, SUMMARIES, MEASURES = FLIGHTS.files[0], FLIGHTS.tables, FLIGHTS.summaries, FLIGHTS.measures
# They are no change of a fingerprint: test_changed_spec.py and test_renamed.py of tests/integration/days hold them.
OTHER_ROWS = {
    "the schema of `target`",
    "`name` of the pipeline, with `renamed_from`",
    "`name` of the pipeline, schema kept",
    "`name` of the pipeline and the schema of `target`",
    "the module removed",
    "`time_zone` of `schedule`, with a table that is read by day",
    "the days of `schedule`, with `late_days`",
}


def own(frame: Any) -> Any:
    """A transform."""
    return frame


def file(**words: object) -> dict[str, object]:
    """Return a change of the file."""
    return {"files": (FILE.model_copy(update=words),)}


def column(which: str, **words: object) -> dict[str, object]:
    """Return a change of a column of the file."""
    return file(columns=tuple(c.model_copy(update=words if c.name == which else {}) for c in FILE.columns))


def summary(**words: object) -> dict[str, object]:
    """Return a change of the first summary."""
    return {"summaries": (SUMMARIES[0].model_copy(update=words), *SUMMARIES[1:])}


def table_by_day(**words: object) -> dict[str, object]:
    """Return a change that has a table read by day."""
    by_day = TABLES[0].model_copy(update={"day": TABLES[0].columns[0].name} | words)
    return {"tables": (by_day, *TABLES[1:])}


READY = TableReady(relation="etl.loads", day="loaded_for")
BY_DAY = FLIGHTS.model_copy(update=table_by_day())
WRITTEN = "how values are written (the words of `Writing`), on a file or a column"
CHANGES: list[tuple[str, dict[str, object]]] = [
    ("a column added to a summary", summary(columns=(*SUMMARIES[0].columns, "departures"))),
    ("a column removed from a summary", summary(columns=SUMMARIES[0].columns[1:])),
    ("a measure renamed", {"measures": (MEASURES[0].model_copy(update={"name": "trips"}), *MEASURES[1:])}),
    ("a ratio renamed", {"ratios": (FLIGHTS.ratios[0].model_copy(update={"name": "mean"}), *FLIGHTS.ratios[1:])}),
    (
        "a measure renamed, with `renamed_from`",
        {"measures": (MEASURES[0].model_copy(update={"name": "trips", "renamed_from": "flights"}), *MEASURES[1:])},
    ),
    (
        "a ratio renamed, with `renamed_from`",
        {"ratios": (FLIGHTS.ratios[0].model_copy(update={"name": "mean", "renamed_from": "x"}), *FLIGHTS.ratios[1:])},
    ),
    ("a summary renamed", summary(name="other")),
    ("a summary renamed, with `renamed_from`", summary(name="other", renamed_from=SUMMARIES[0].name)),
    (
        "a column of `by` renamed, with `by_renamed_from`",
        summary(by=("carrier", "airlines"), by_renamed_from={"airlines": "airline"}),
    ),
    ("a measure added", {"measures": (*MEASURES, MEASURES[0].model_copy(update={"name": "trips"}))}),
    ("another type of a published column", column("distance_mi", kind="decimal")),
    ("other groups (`by`) of a summary", summary(by=("carrier",))),
    ("other groups (`by`) of a summary", summary(by=("carrier", "airline", "origin"))),
    (
        "a summary added",
        {"summaries": (*SUMMARIES, SUMMARIES[0].model_copy(update={"name": "other", "by": ("tailnum",)}))},
    ),
    ("a summary added", {"summaries": (*SUMMARIES, SUMMARIES[0].model_copy(update={"name": "another"}))}),
    ("a summary removed", {"summaries": SUMMARIES[1:]}),
    ("a summary removed", {"summaries": SUMMARIES[:-1]}),
    ("a measure added", {"measures": (*MEASURES, Measure(name="air_time_min", how="sum", of="air_time_min"))}),
    ("`clean_rows`", {"clean_rows": CleanRows(name="rows")}),
    ("`clean_rows`", {"clean_rows": CleanRows(name="rows", columns=("carrier", "airline"))}),
    ("`key` of a file", file(key=FILE.key[1:])),
    ("`limits` of a file", file(limits=FILE.limits.model_copy(update={"refused_rows": 9}))),
    ("`day`, `where` or `changed_by` of a table", table_by_day()),
    ("`day`, `where` or `changed_by` of a table", table_by_day(day=None, where={"a": 1})),
    ("`ready` of a table", table_by_day(day=None, ready=READY)),
    ("`path`, `delimiter` or `form` of a file", file(path="other/{day:%Y-%m-%d}.csv")),
    ("`path`, `delimiter` or `form` of a file", file(delimiter=";")),
    ("`path`, `delimiter` or `form` of a file", file(form=FILE.form.model_copy(update={"encoding": "latin-1"}))),
    ("`late_days` of a file", file(late_days=1)),
    ("`on`, `holidays` or `closed` of a file", file(on="mon-fri")),
    ("`on`, `holidays` or `closed` of a file", file(holidays="ES")),
    (WRITTEN, file(decimal_mark=",")),
    (
        WRITTEN,
        column("distance_mi", thousands_mark=","),
    ),
    (
        WRITTEN,
        column("distance_mi", extra_zeros="ignore"),
    ),
    ("a `Column` renamed in the facts", column("tailnum", name="tail_number")),
    ("`lookups`", {"lookups": (FLIGHTS.lookups[0].model_copy(update={"when_unknown": "keep"}), *FLIGHTS.lookups[1:])}),
    (
        "`as_of` of a lookup",
        {"lookups": (FLIGHTS.lookups[0].model_copy(update={"as_of": "day"}), *FLIGHTS.lookups[1:])},
    ),
    ("`transform`", {"transform": own}),
    ("`derived`", {"derived": ()}),
    ("`derived`", {"derived": (*FLIGHTS.derived, Derived(name="is_large", of=col("seats") > 200))}),
    ("`rules`", {"rules": (Rule(name="flown", holds=col("distance_mi") > 0),)}),
    ("`rules`", {"rules": (Rule(name="seated", holds=col("seats") > 0),)}),
    ("`engine`", {"engine": "pandas"}),
    ("`plausible`", {"plausible": FLIGHTS.plausible.model_copy(update={"min_rows": 3})}),
    ("`schedule`", {"schedule": FLIGHTS.schedule.model_copy(update={"cron": "30 6 * * *"})}),
    (
        "`look_back_days`, `catch_up_days`, `max_active_runs`, `pools`, `keep_runs`, `keep_files_days`",
        {"look_back_days": 3},
    ),
    (
        "`look_back_days`, `catch_up_days`, `max_active_runs`, `pools`, `keep_runs`, `keep_files_days`",
        {"max_active_runs": 3},
    ),
    (
        "`look_back_days`, `catch_up_days`, `max_active_runs`, `pools`, `keep_runs`, `keep_files_days`",
        {"catch_up_days": 0},
    ),
    (
        "`look_back_days`, `catch_up_days`, `max_active_runs`, `pools`, `keep_runs`, `keep_files_days`",
        {"pools": FLIGHTS.pools.model_copy(update={"ftp": "x"})},
    ),
    ("`look_back_days`, `catch_up_days`, `max_active_runs`, `pools`, `keep_runs`, `keep_files_days`", {"keep_runs": 9}),
    (
        "`look_back_days`, `catch_up_days`, `max_active_runs`, `pools`, `keep_runs`, `keep_files_days`",
        {"keep_files_days": 9},
    ),
    ("`exports`", {"exports": (Export(name="partner", connection="partner", path="{day}/{name}.csv"),)}),
    ("`alerts`, `max_failed_runs`, `due` of `schedule`", {"alerts": Alerts(to=("ops@example.com",))}),
    ("`alerts`, `max_failed_runs`, `due` of `schedule`", {"max_failed_runs": 3}),
    (
        "`alerts`, `max_failed_runs`, `due` of `schedule`",
        {"schedule": FLIGHTS.schedule.model_copy(update={"due": time(7)})},
    ),
    ("`also`", {"also": (Target(connection="analytics", schema="flights"),)}),
    ("`description`", {"description": "in other words"}),
]


def table() -> dict[str, str]:
    """Return the first step of each row of the document's table."""
    lines = (REPOSITORY / "docs" / "changes.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    assert [len(row) for row in rows] == [4] * len(rows)
    return {row[0]: row[1] for row in rows[2:]}


def first_step(change: dict[str, object], of: Pipeline = FLIGHTS) -> str:
    """Return the first step that a published day is done again from, as the document writes it."""
    changed = of.model_copy(update=change)
    assert changed != of
    steps = [s for s in FINGERPRINTED_STEPS if changed_part(s, fingerprint(s, of), fingerprint(s, changed))]
    return f"`{steps[0]}`" if steps else "nothing"


@pytest.mark.parametrize("row", dict.fromkeys(row for row, _ in CHANGES))
def test_the_document_names_the_steps_from_which_days_are_done_again(row: str) -> None:
    found = {first_step(change) for of_row, change in CHANGES if of_row == row}
    assert found == set(re.findall(r"`\w+`|nothing", table()[row]))


def test_the_time_zone_says_which_rows_of_a_table_are_a_days() -> None:
    row = "`time_zone` of `schedule`, with a table that is read by day"
    elsewhere: dict[str, object] = {"schedule": FLIGHTS.schedule.model_copy(update={"time_zone": "Asia/Tokyo"})}
    assert table()[row] == first_step(elsewhere, BY_DAY)
    assert first_step(elsewhere) == "nothing"


def test_the_days_of_the_schedule_say_which_files_may_have_late_rows() -> None:
    late = FLIGHTS.model_copy(update=file(late_days=1))
    other: dict[str, object] = {"schedule": FLIGHTS.schedule.model_copy(update={"cron": "30 6 * * 1-5"})}
    assert table()["the days of `schedule`, with `late_days`"] == first_step(other, late)


def test_a_former_name_that_is_left_in_the_spec_does_no_day_again() -> None:
    changed = FLIGHTS.model_copy(
        update={
            "renamed_from": "trips",
            "measures": tuple(one.model_copy(update={"renamed_from": f"{one.name}_x"}) for one in MEASURES),
            "ratios": tuple(one.model_copy(update={"renamed_from": f"{one.name}_x"}) for one in FLIGHTS.ratios),
            "summaries": tuple(
                one.model_copy(update={"renamed_from": f"{one.name}_x", "by_renamed_from": {"airline": "x"}})
                for one in SUMMARIES
            ),
        }
    )
    assert [s for s in FINGERPRINTED_STEPS if changed_part(s, fingerprint(s, FLIGHTS), fingerprint(s, changed))] == []


def test_each_row_of_the_document_is_tested() -> None:
    assert {row for row, _ in CHANGES} | OTHER_ROWS == set(table())
