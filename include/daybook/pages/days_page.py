"""The page of a run of several days: each day with its state, its rows, why it is so, and links. plugins/ serves it.

It decides only on words and layout; pages/run_state.py reads the data, and a day's own page is of pages/day_page.py.
"""

from collections import Counter
from datetime import date
from typing import NamedTuple

from daybook.alerts.mends import mend_of, run_again
from daybook.ledger.left_out import LeftOut
from daybook.ledger.receipt import NotPublished
from daybook.pages.run_page import readers_see, waits_in_words
from daybook.pages.run_state import RunState
from daybook.pages.templates import template
from daybook.text import counted


class Line(NamedTuple):
    """A day of the run: a label with its tone, the rows of its facts, why it is so, in sentences, and whether there is
    a report of the day. read, refused, dropped: None if the run has not read the day's rows yet."""

    day: date
    tone: str
    label: str
    read: int | None
    refused: int | None
    dropped: int | None
    why: list[str]
    has_report: bool


def days_page(pipeline: str, states: list[RunState]) -> bytes:
    """Return the page of a run of several days. states: of each day, in order."""
    lines = [line_of(state) for state in states]
    counts = Counter(line.label.lower() for line in lines)
    totals = f"{counted(len(lines), 'day')}: {', '.join(f'{count} {label}' for label, count in counts.items())}"
    days = [state.day for state in states]
    title = f"{pipeline} {min(days)} to {max(days)}"
    return template("days_page").render(title=title, totals=totals, lines=lines).encode()


def line_of(state: RunState) -> Line:
    """Return what the page says of a day."""
    receipts = state.receipts
    loaded = receipts.get("load")
    facts = loaded.rows.get(state.pipeline.facts) if loaded else None
    lost = NotPublished.of_run(receipts) if facts else None
    rows = {
        "read": facts.read if facts else None,
        "refused": lost.refused if lost else None,
        "dropped": lost.dropped if lost else None,
    }
    tone, label, why = _standing(state)
    return Line(
        day=state.day,
        tone=tone,
        label=label,
        why=why,
        has_report=state.is_begun and state.seen_run_id is not None,
        **rows,
    )


def _left_out(state: RunState, left_out: LeftOut) -> list[str]:
    """Return why a day was left out, and what helps; a person who left it as it was knows."""
    said = f"{left_out.step}: {left_out.why}"
    if left_out.kind == "decided":
        return [said]
    again = run_again(state.pipeline.name, [state.day], left_out.kind)
    return [said, f"To mend: {mend_of((left_out.kind,))}", f"Again: {again}"]


def _standing(state: RunState) -> tuple[str, str, list[str]]:
    """Return the tone, the label and the reasons of a day."""
    seen = readers_see(state)
    if state.left_out:
        return "waiting", "Left out", [*_left_out(state, state.left_out), seen.sentence.rstrip(".")]
    if state.waits:
        return "waiting", "Waiting", waits_in_words(state)
    if not state.is_begun:
        return "past", "Not begun", [seen.sentence.rstrip(".")]
    following = [f"Next is {state.next_step}"] if state.next_step else []
    return seen.tone, seen.label, [seen.sentence.rstrip("."), *following]
