"""The page of a pipeline's days, from the ledger as real runs leave it."""

import re
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from daybook.errors import DaybookError, Implausible
from daybook.ledger.step_counts import StepCount, step_counts
from daybook.pages.calendar_page import ALL, Asked, State, calendar_page, year_asked
from daybook.planning.known_days import known_days
from daybook.postgres.session import begin

from .conftest import Days

DAYS = [date(2013, 1, 1) + timedelta(days=number) for number in range(6)]


class Counted(psycopg.Connection[Any]):
    """A connection that counts its statements."""

    statements = 0

    def execute(self, *words: Any, **options: Any) -> psycopg.Cursor[Any]:
        self.statements += 1
        return super().execute(*words, **options)


def page(days: Days, state: str | None = None, over: int = len(DAYS)) -> tuple[str, int]:
    """Return the page of some days, as if they all were over, and how many statements it asked."""
    with Counted.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        begin(connection)
        before = connection.statements
        known = known_days(connection, days.pipeline.name, DAYS[:over])
        asked = Asked(2013, State.asked(state))
        told = calendar_page(days.pipeline.name, known, [2013], asked).decode()
        return told, connection.statements - before


def cells(told: str) -> dict[int, str]:
    """Return by day of the month the state that its cell has, in words, if it is in the asked state."""
    found = re.findall(r'<a class="is_(\w+)" href="day/2013-01-(\d\d)" title="', told)
    return {int(day): state for state, day in found if state not in ("aside", "not_due")}


@pytest.fixture
def lived(days: Days) -> Days:
    """Days of every kind: refused rows, published, reused, rolled back, failed, missing."""
    with days.file("2013-01-01").open("a") as file:
        file.write("2013,1,1,x\n")
    for day in ("2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04", "2013-01-02"):
        days.run(day)
    assert days.command("rollback", "2013-01-04", "--to", "nothing", "--why", "wrong", "--who", "ann")[0] == 0
    days.file("2013-01-05").write_text("<script>alert(1)</script>,b\n1,2\n")
    days.change(schedule=days.pipeline.schedule.model_copy(update={"end": DAYS[-1]}))
    with pytest.raises(DaybookError):
        days.run("2013-01-05", "load")
    return days


def test_each_day_has_its_state_and_a_filter_keeps_those_of_one(lived: Days) -> None:
    told, statements = page(lived)
    assert cells(told) == {1: "refused", 2: "reused", 3: "published", 4: "rolled_back", 5: "failed", 6: "missing"}
    assert "The last published day is 2013-01-03, 3 days behind the last one due." in told
    assert "<script" not in told
    assert re.search(r'aria-label="2013-01-01: with refused rows, \d+ rows, 1 refused"', told)
    assert told.count("<polyline") == 3
    # None for each day: a page of three years asks as many as one of a week.
    assert statements == page(lived, over=1)[1] <= 10
    kept, _ = page(lived, "failed")
    assert cells(kept) == {5: "failed"}
    assert 'href="days?year=all&amp;state=failed"' in kept


def test_each_step_is_counted_by_the_last_try_of_each_of_some_days(lived: Days) -> None:
    with psycopg.connect(lived.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        begin(connection)
        found = {(step, state): days for step, state, days in step_counts(connection, lived.pipeline.name, DAYS)}
        assert step_counts(connection, lived.pipeline.name, [date(2014, 1, 1)]) == []
    # The second run of 2 January took everything over, and counts alone; 5 failed in load.
    assert {state: days for (step, state), days in found.items() if step == "load"} == {
        "done": 3,
        "reused": 1,
        "failed": 1,
    }
    assert {state: days for (step, state), days in found.items() if step == "clean"} == {"done": 3, "reused": 1}
    assert sum(days for (step, _), days in found.items() if step == "deploy") == 4


def test_a_day_held_for_its_numbers_and_a_ledger_that_knows_nothing_have_their_states(days: Days) -> None:
    assert cells(page(days)[0]) == {day.day: "missing" for day in DAYS}
    days.run("2013-01-01")
    assert days.command("rollback", "2013-01-01", "--to", "nothing", "--why", "wrong", "--who", "ann")[0] == 0
    with pytest.raises(Implausible):
        days.run("2013-01-01")
    assert cells(page(days, over=2)[0]) == {1: "held", 2: "missing"}
    with psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        begin(connection)
        assert StepCount("deploy", "held", 1) in step_counts(connection, days.pipeline.name, DAYS)


def test_an_address_with_another_word_says_which_there_are() -> None:
    assert State.asked("not_due") is State.NOT_DUE
    assert [year_asked(word, [2012, 2013]) for word in (None, "2012", ALL)] == [2013, 2012, None]
    with pytest.raises(ValueError, match="state: expected one of published, refused, reused, rolled_back, held"):
        State.asked("<b>")
    with pytest.raises(ValueError, match="year: expected one of 2012 to 2013, or all"):
        year_asked("2014", [2012, 2013])
