"""What the ledger knows of a day, and its page, after real runs of it: published twice, rolled back, and failed."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from daybook.errors import BadData
from daybook.ledger.known_day import KnownDay, days_of_run, known_day
from daybook.pages.day_page import day_page
from daybook.pages.day_view import day_view
from daybook.postgres.session import at_once
from daybook.publish.rollback import rollback
from daybook.spec import Pipeline
from daybook.testing.trial import Sample, Trial
from tests.support.html_page import Element, read_page
from tests.support.shop import DAY, shop

FILE = f"sales_{DAY}.csv"
HEADER = "id,day,shop,customer,kind,amount"
# In this order: kept; kept, of an unknown customer, and its twin; an unknown shop; no amount; another day.
ROWS = (
    f"1,{DAY},A1,1,cash,10.00",
    *[f"2,{DAY},A2,7,card,20.00"] * 2,
    f"3,{DAY},A9,1,cash,1.00",
    f"4,{DAY},A1,1,cash,x",
    "5,2026-01-09,A1,1,cash,3.00",
)
TABLES = {"shops": "shop,city\nA1,Madrid\nA2,Toledo\n", "customers": "customer,age\n1,30\n"}


def delivered(*rows: str) -> Sample:
    """Return a day of which these rows are delivered."""
    return Sample(day=DAY, tables=TABLES, files={FILE: "\n".join([HEADER, *rows, ""]).encode()})


def ask(trial: Trial, run: str | None = None) -> KnownDay:
    """Return what the ledger knows of the day."""
    return at_once(trial.warehouse, lambda session: known_day(session, "shop", DAY, run))


def page(trial: Trial, run: str | None = None) -> Element:
    """Return the day's page, or that of a run."""
    data = trial.day_run(DAY, "any").data
    return read_page(day_page(day_view(data, trial.pipeline, DAY, ask(trial, run), run=run)))


def wrong(found: Element) -> list[str]:
    """Return what a page says is wrong."""
    return [section.attributes["id"] for section in found.all("section", class_="trouble")]


def test_a_day_is_known_from_before_its_first_run_to_its_rollback_and_a_failure(
    trial_of: Callable[[Pipeline, Sample], Trial],
) -> None:
    trial = trial_of(shop(), delivered(*ROWS))
    assert ask(trial) == KnownDay()
    trial.run(DAY)
    shown = page(trial)
    assert wrong(shown) == []
    assert [[row[0], *row[2:]] for row in shown.all("table", class_="flow")[0].rows()] == [
        ["extract_files: in the source", "6", ""],
        ["load: loaded", "5", "1 refused: amount_not_a_decimal"],
        ["clean: cleaned", "3", "1 refused: of another day 1 dropped: exact twins of a row that is kept"],
        ["index: indexed", "2", "1 refused: shop_unknown_in_shops kept: 1 unknown in customers"],
        ["aggregate: aggregated", "2", "into 2 groups"],
        ["deploy: published in by_city", "2", "as 2 rows"],
        ["deploy: published in by_day", "2", "as 1 row"],
    ]
    trial.deliver_file(FILE, delivered(ROWS[0], f"2,{DAY},A2,7,card,25.00").files[FILE])
    trial.run(DAY)
    shown = page(trial)
    assert ["by_city", "Toledo", "amount_eur", "20.00", "25.00"] in shown.one(id="numbers").rows()
    assert ["amount_eur", "30.00", "35.00", "5.00"] in shown.one(id="totals").rows()
    made = [one.text for one in shown.one(id="made").all("li")]
    assert "load done anew: its input changed since run_1." in made

    data = trial.day_run(DAY, "any").data
    at_once(trial.warehouse, lambda session: rollback(session, trial.pipeline, DAY, data, "ann", "it was wrong"))
    known = ask(trial)
    assert (known.seen and known.seen.run, known.run) == ("run_1", "run_2")
    assert str(known.rollback).startswith("run 2 was rolled back by ann at")
    assert wrong(page(trial)) == ["rolled_back"]

    trial.deliver_file(FILE, b"id,day\n1,x\n")
    with pytest.raises(BadData) as told:
        trial.run(DAY)
    known = ask(trial)
    assert [run.run for run in known.runs] == ["run_3", "run_2", "run_1"]
    assert (known.run, known.run_before, [one.run_id for one in known.published]) == ("run_1", None, [2, 1])
    shown = page(trial)
    assert wrong(shown) == ["failed", "rolled_back"]
    assert shown.all("section")[0].one(class_="error").text == " ".join(f"BadData: {told.value}".split())
    # A run's own tab is about this run.
    assert wrong(page(trial, "run_2")) == []
    assert at_once(trial.warehouse, partial(days_of_run, pipeline="shop", run="run_3")) == [DAY]
    assert ask(trial, "run_2").published[0].totals["amount_eur"] == Decimal("35.00")


def test_steps_that_are_taken_over_say_from_which_run_and_why(trial_of: Callable[[Pipeline, Sample], Trial]) -> None:
    trial = trial_of(shop(), delivered(*ROWS))
    trial.run(DAY)
    trial.run(DAY)
    shown = page(trial)
    made = [one.text for one in shown.one(id="made").all("li")]
    same = "its input, its part of the spec, its code and the libraries are the same as there"
    assert f"load reused from run_1: {same}." in made
    assert [row[4] for row in shown.one(id="runs").rows()] == ["unchanged", "readers see it"]
