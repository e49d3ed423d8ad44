"""The page of a day: what is wrong first, then how its rows flowed, from which sources, what changed, and its runs.

plugins/ serves it, under the day's own address and as the tab of a run. It decides only on words and layout;
pages/day_view.py reads the data.
"""

from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

from daybook.days import days_around
from daybook.ledger.known_day import KnownDay, PublishedRun, RunOfDay
from daybook.ledger.receipt import STEPS, Origin, Output, Receipt
from daybook.pages.changed_numbers import SHOWN, changed_totals
from daybook.pages.day_view import DayView
from daybook.pages.flow import WIDTH, flows
from daybook.pages.reused import how_made
from daybook.pages.run_page import Reader, meanings, mended_rows, readers_see, step_lines
from daybook.pages.run_state import RunState
from daybook.pages.templates import template
from daybook.pages.trouble import troubles
from daybook.text import counted


class SourceLine(NamedTuple):
    """An extracted file or table: where it is from, its size in bytes, its time as the server writes it, its hash."""

    name: str
    place: str
    rows: int | None
    size_bytes: int
    modified_at: str
    sha256: str
    said: str


class RunLine(NamedTuple):
    """A run of the day in the list of all of them. number: of the run in the ledger, if it saved rows."""

    run: str
    href: str
    number: int | None
    started_by: str
    began_at: str
    tone: str
    became: str
    rows_read: int | None
    rows_refused: int | None
    is_kept: bool


def day_page(view: DayView) -> bytes:
    """Return the page. It embeds the report that readers of the day see."""
    state, known = view.state, view.known
    page = template("day_page").render(
        title=f"{state.pipeline.name} {state.day}",
        view=view,
        state=state,
        known=known,
        asked=f"?day={state.day}" if view.is_one_of_several else "",
        reader=_reader(view),
        troubles=troubles(view.tried, known, view.noticed, view.run),
        account=_account(view),
        flows=flows(state.pipeline, state.receipts),
        width=WIDTH,
        is_empty=_is_empty(state),
        sources=source_lines(state),
        made=how_made(state.receipts, known.receipts_before),
        totals=_totals(view),
        more_numbers=len(view.numbers) >= SHOWN,
        step_lines={step: step_lines(receipt) for step, receipt in state.receipts.items()},
        meanings=meanings(state),
        mended=mended_rows(state.receipts),
        held=state.receipts["summarize"].held if "summarize" in state.receipts else None,
        runs=_run_lines(known),
        choices=_choices(known) if view.rollback_token else [],
        around=_around(state),
        in_airflow=_in_airflow(state),
        quoted=lambda text: quote(text, safe=""),
        changes=_changes(view.published),
        sent=[*map(str, known.sent)],
    )
    return page.encode()


def _reader(view: DayView) -> Reader:
    """Return what readers see; on the day's own page by the ledger, whatever the run whose account it is."""
    seen = view.known.seen
    if view.run is not None or seen is None:
        return readers_see(view.state)
    at = f"{seen.published_at:%Y-%m-%d %H:%M %Z}"
    rows = f"{counted(seen.rows_read, 'row')} read, {seen.rows_refused:,} refused"
    return Reader("good", "Published", f"Readers see run {seen.run_id}, published at {at}: {rows}.")


def _account(view: DayView) -> str:
    """Return whose account the page gives, in a sentence; "" if it is plain."""
    name, last = view.known.run, next(iter(view.known.runs), None)
    if view.run is not None or name is None or last is None or last.run == name:
        return ""
    return f"What follows is the account of what readers see, the run {name}"


def _is_empty(state: RunState) -> bool:
    summed = state.receipts.get("summarize")
    return summed is not None and not summed.totals.get("row_count") and not summed.held


def source_lines(state: RunState) -> list[SourceLine]:
    """Return what a run extracted, in the order of the work."""
    receipts = [state.receipts[step] for step in ("extract_tables", "extract_files") if step in state.receipts]
    return [_source_line(receipt, name, output) for receipt in receipts for name, output in receipt.outputs.items()]


def _source_line(receipt: Receipt, name: str, output: Output) -> SourceLine:
    stem = name.removesuffix(".csv")
    origin = receipt.origins.get(stem, Origin(place=""))
    checked = [f"checked by {origin.checked_by}"] if origin.checked_by else []
    plain = ["unencrypted"] if origin.is_encrypted is False else []
    as_of = [f"as of the run of {origin.as_of}"] if origin.as_of else []
    remarks = [origin.remarks] if origin.remarks else []
    size = (output.rows, output.size_bytes, _time(origin.modified_at), output.sha256)
    return SourceLine(stem, origin.place, *size, ", ".join([*checked, *plain, *as_of, *remarks]))


def _time(written: str) -> str:
    """Return a file's time for people: a server's is shown as it writes it, a count of nanoseconds as none."""
    return "" if written.isdigit() and len(written) > len("20130105060000.000") else written


def _totals(view: DayView) -> list[Any]:
    now, before = view.published, view.published_before
    return changed_totals(before, now) if now and before else []


def _changes(published: PublishedRun | None) -> list[tuple[str, str]]:
    found = published.changes if published else {}
    return [(name, _counts(how)) for name, how in found.items()]


def _counts(how: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in how.items() if count)


def _run_lines(known: KnownDay) -> list[RunLine]:
    published = {one.run: one for one in reversed(known.published)}
    return [_run_line(run, published.get(run.run), known) for run in known.runs]


def _run_line(run: RunOfDay, published: PublishedRun | None, known: KnownDay) -> RunLine:
    tone, became = _became(run, published, known)
    return RunLine(
        run=run.run,
        href=f"../{quote(run.run, safe='')}/run",
        number=published.run_id if published else None,
        started_by=run.started_by,
        began_at=f"{run.began_at:%Y-%m-%d %H:%M:%S %Z}",
        tone=tone,
        became=became,
        rows_read=published.rows_read if published else None,
        rows_refused=published.rows_refused if published else None,
        is_kept=bool(published and published.is_kept),
    )


def _became(run: RunOfDay, published: PublishedRun | None, known: KnownDay) -> tuple[str, str]:
    if run.failure:
        held = run.failure.error_kind == "Implausible"
        return "waiting", f"held by {run.failure.step}" if held else f"failed in {run.failure.step}"
    if published and published.is_seen:
        return "good", "readers see it"
    if published:
        return "past", "published, and readers see another one now"
    if run.outcome:
        return "past", run.outcome.replace("_", " ")
    done = [step for step in STEPS if step in run.steps and run.steps[step].state in ("done", "reused")]
    waits = f"waits in {run.waits[0].step}" if run.waits else ""
    return "waiting", waits or (f"not finished: {done[-1]} was its last step" if done else "not finished")


def _choices(known: KnownDay) -> list[tuple[str, str]]:
    """Return what readers can be shown instead: the value of each, and what it is."""
    others = [one for one in known.published if one.is_kept and not one.is_seen]
    found = [(str(one.run_id), f"run {one.run_id}, published {one.published_at:%Y-%m-%d %H:%M %Z}") for one in others]
    return found + ([("nothing", "no run of this day")] if known.seen else [])


def _around(state: RunState) -> list[tuple[str, date]]:
    """Return the days of the schedule before and after this one, each with what it is called."""
    if not date.min.year < state.day.year < date.max.year:
        return []
    before, _, after = days_around(state.pipeline.schedule, state.day, 1)
    return [("the day before", before), ("the day after", after)]


def _in_airflow(state: RunState) -> str:
    """Return the address of the DAG in Airflow's UI, relative to the page's."""
    return f"../../../dags/{quote(state.pipeline.name, safe='')}"
