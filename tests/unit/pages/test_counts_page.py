"""The page of all pipelines: tasks by the state of their days."""

from datetime import date

import pytest

from daybook.ledger.receipt import STEPS
from daybook.ledger.step_counts import StepCount
from daybook.pages.counts_page import Known, State, counts_page
from tests.support.files import CANARY
from tests.support.html_page import read_page

FLIGHTS = Known(
    "flights",
    5,
    [StepCount("load", "done", 2), StepCount("load", "reused", 1), StepCount("load", "failed", 1)],
    [date(2013, 1, 5)],
)
SALES = Known("sales", 2, [StepCount("summarize", "held", 2)], [])


def rows(pipelines: list[Known], asked: State | None = None) -> dict[str, list[list[str]]]:
    """Return the numbers of the page by task, a list for each pipeline."""
    found: dict[str, list[list[str]]] = {}
    for table in read_page(counts_page(pipelines, [], asked)).all("table"):
        assert [head.text for head in table.one("thead").all("th")] == ["task", *(state.value for state in State)]
        for step, *numbers in table.rows():
            found.setdefault(step, []).append(numbers)
    return found


def test_each_task_has_its_days_by_state_and_those_without_a_try_are_counted_too() -> None:
    shown = rows([FLIGHTS, SALES])
    assert shown["load"] == [["1", "0", "0", "1", "2", "1"], ["0", "0", "0", "2", "0", "0"]]
    assert shown["summarize"] == [["0", "0", "0", "5", "0", "0"], ["0", "2", "0", "0", "0", "0"]]
    assert set(shown) == set(STEPS)


def test_the_totals_are_of_all_tasks_and_a_state_keeps_only_its_own() -> None:
    page = counts_page([FLIGHTS, SALES], [], State.HELD).decode()
    assert "<b>2</b>held" in page
    assert f"<b>{9 * 7 - 6}</b>not tried" in page
    assert set(rows([FLIGHTS, SALES], State.HELD)) == {"summarize"}
    assert 'href="sales/days?year=all&amp;state=held"' in page
    assert "flights" not in page
    assert "No task has a day that is waiting." in counts_page([FLIGHTS], [], State.WAITING).decode()


def test_a_warehouse_that_does_not_answer_hides_no_other_pipeline() -> None:
    away = Known("away", 3, [], [], f"the warehouse: {CANARY}")
    page = counts_page([away, FLIGHTS], [CANARY], None).decode()
    assert len(rows([away, FLIGHTS])["load"]) == 1
    assert (page.count("&lt;script&gt;"), "<script" in page) == (2, False)
    assert "at work on 2013-01-05" in page


def test_without_a_pipeline_the_page_says_so() -> None:
    assert "There is no pipeline whose runs you may see." in counts_page([], [], None).decode()


def test_a_state_is_one_of_its_words() -> None:
    assert [State.asked(word) for word in ("", None, "not_tried")] == [None, None, State.NOT_TRIED]
    with pytest.raises(ValueError, match="state: expected one of failed, held, waiting, not_tried, done, reused"):
        State.asked("<b>")
