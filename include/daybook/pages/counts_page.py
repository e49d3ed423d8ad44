"""The page of all pipelines: how many days each step of each has brought to which state. plugins/ serves it.

It decides only on words and layout; ledger/step_counts.py asks the ledger.
"""

from collections import Counter
from datetime import date
from typing import NamedTuple

from daybook.ledger.receipt import STEPS
from daybook.ledger.step_counts import StepCount
from daybook.pages.page_state import PageState
from daybook.pages.templates import template


class State(PageState):
    """The state of a step's days. The order is that of the page: what needs a person comes first."""

    FAILED = "failed"
    HELD = "held"
    WAITING = "waiting"
    NOT_TRIED = "not tried"
    DONE = "done"
    REUSED = "reused"


class Known(NamedTuple):
    """What is known of a pipeline: how many of its days are over, the counts of its steps, and the days of which a step
    is at work. problem: why it is not known, or ""."""

    pipeline: str
    due: int
    counts: list[StepCount]
    at_work: list[date]
    problem: str = ""


class Family(NamedTuple):
    """A step of a pipeline, and its days by state."""

    step: str
    days: dict[State, int]


class Section(NamedTuple):
    """A pipeline on the page: its families that are shown."""

    known: Known
    families: list[Family]


def counts_page(pipelines: list[Known], left_out: list[str], asked: State | None) -> bytes:
    """Return the page. pipelines: in the order of the page. left_out: the files of those that do not
    load. asked: only families with days of this state are shown.
    """
    families = {known.pipeline: _families(known) for known in pipelines}
    totals = Counter[State]()
    for family in (family for found in families.values() for family in found):
        totals.update(family.days)
    sections = [_section(known, families[known.pipeline], asked) for known in pipelines]
    page = template("counts_page").render(
        title="Daybook: counts",
        sections=[one for one in sections if one.families or one.known.problem or not asked],
        states=[(state, totals[state]) for state in State],
        asked=asked,
        left_out=left_out,
    )
    return page.encode()


def _section(known: Known, families: list[Family], asked: State | None) -> Section:
    return Section(known, [family for family in families if asked is None or family.days[asked]])


def _families(known: Known) -> list[Family]:
    if known.problem:
        return []
    days = {(count.step, count.state): count.days for count in known.counts}
    return [Family(step, _of_step(step, days, known.due)) for step in STEPS]


def _of_step(step: str, days: dict[tuple[str, str], int], due: int) -> dict[State, int]:
    tried = {state: days.get((step, state.value), 0) for state in State}
    return tried | {State.NOT_TRIED: due - sum(tried.values())}
