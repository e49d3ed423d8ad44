"""Runs and publications of a day as the ledger knows them, and the page of a day, made by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from daybook.ledger.known_day import KnownDay, PublishedRun, RunOfDay, StepOfRun
from daybook.pages.day_page import day_page
from daybook.pages.day_view import DayView, day_view
from daybook.pages.run_state import RunState
from daybook.pipelines import load_pipelines
from tests.support.files import DAY, data_folder
from tests.support.html_page import Element, read_page

BEGAN = datetime(2013, 1, 6, 11, tzinfo=UTC)


def a_run(name: str = "run_1", outcome: str = "", minutes: int = 0, **steps: str | tuple[str, str, str]) -> RunOfDay:
    """Return a run: the state of each step, or its state, the kind of its error and the error."""
    at = BEGAN + timedelta(minutes=minutes)
    found = {
        step: StepOfRun(step, *((state, at, None, None) if isinstance(state, str) else (state[0], at, *state[1:])))
        for step, state in steps.items()
    }
    return RunOfDay(name, "ann", at, at, found, outcome)


def a_publication(run_id: int, run: str = "run_1", *, is_seen: bool = True, **words: Any) -> PublishedRun:
    """Return the publication of a run."""
    known: dict[str, Any] = {
        "published_at": BEGAN,
        "rows_read": 842,
        "rows_refused": 4,
        "totals": {"row_count": Decimal(838)},
        "changes": {},
        "is_kept": True,
    }
    return PublishedRun(run_id=run_id, run=run, is_seen=is_seen, **(known | words))


def shown(data: Path, known: KnownDay, **words: Any) -> Element:
    """Return the page of a day of `flights`."""
    pipeline = words.pop("pipeline", None) or load_pipelines().good["flights"]
    view = day_view(data_folder(data), pipeline, words.pop("day", DAY), known, **words)
    return read_page(day_page(view))


def page_of(state: RunState) -> str:
    """Return the page of a run of which no ledger is known."""
    known = KnownDay(run="run_1")
    return day_page(DayView(state, state, known, run="run_1")).decode()
