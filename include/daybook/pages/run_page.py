"""What pages say of a run on a day: its steps' counts, the rows that did not pass, what it waits for, who sees it.

pages/run_state.py reads the data. The pages are pages/day_page.py and pages/days_page.py.
"""

from collections.abc import Iterator
from typing import NamedTuple

from daybook.ledger.exports import in_words
from daybook.ledger.receipt import Receipt, Rows
from daybook.ledger.waiting import sentences
from daybook.pages.run_state import Progress, RunState
from daybook.pages.templates import template
from daybook.text import counted

# Shown only if a run has such steps; the other words explain themselves.
MEANINGS = {
    Progress.OUTDATED: "made from files that an earlier step has made anew since. It is done again, or waits for it.",
    Progress.UNREADABLE: "its receipt in the run's folder is damaged, or is that of another step, run or day. "
    "Clear the task to make it again.",
}


class Reader(NamedTuple):
    """The state of the day for its readers: a label, a sentence, and a tone: good, waiting or past."""

    tone: str
    label: str
    sentence: str


class Lost(NamedTuple):
    """Rows of one source that did not pass one step, for one reason."""

    step: str
    source: str
    what: str
    reason: str
    rows: int


def waits_in_words(state: RunState) -> list[str]:
    """Return for what the run waits, since when and until when, and when it looks next: a sentence each."""
    time_zone = state.pipeline.schedule.time_zone
    return [
        sentence for step, wait in state.waits.items() for sentence in sentences(step, wait, time_zone, state.read_at)
    ]


def message_page(title: str, *sentences: str) -> bytes:
    """Return a page with only a message."""
    return template("message_page").render(title=title, sentences=sentences).encode()


def readers_see(state: RunState) -> Reader:
    """Return whether readers of the day see this run, an earlier one, a newer one, or nothing."""
    seen, own = state.seen_run_id, state.run_id
    if seen is None and _deployed(state) == ("published", own):
        return Reader("past", "Rolled back", f"Readers see nothing of this day: run {own} was taken back.")
    if seen is None:
        return Reader("waiting", "Not published", "Readers see nothing of this day yet.")
    if seen == own:
        return Reader("good", "Published", f"Readers see this run, number {own}.")
    if _deployed(state) == ("unchanged", seen):
        return Reader("good", "Unchanged", f"Readers see run {seen}: this one came to the same numbers.")
    if own is None and state.steps["save"].progress is Progress.UNREADABLE:
        return Reader("waiting", "Unknown", f"Readers see run {seen}; the receipts do not say whether it is this one.")
    if own is None:
        return Reader("waiting", "Not published", f"Readers see run {seen}; this one has saved nothing yet.")
    if own < seen:
        return Reader("past", "Replaced", f"Readers see a newer run, number {seen}; this is number {own}.")
    if _deployed(state) == ("published", own):
        return Reader("past", "Rolled back", f"Readers see an earlier run again, number {seen}; this is number {own}.")
    return Reader("waiting", "Not published", f"Readers see an earlier run, number {seen}; this is number {own}.")


def step_lines(receipt: Receipt) -> list[str]:
    """Return a step's counts: a line for each source or summary, or else for each file it made."""
    if receipt.rows:
        lines = [", ".join(_rows_in_words(receipt, name, rows)) for name, rows in receipt.rows.items()]
    else:
        lines = [f"{name} {output.size_bytes:,} bytes" for name, output in receipt.outputs.items()]
    lines += receipt.as_of
    lines += receipt.overridden if receipt.step == "load" else []
    if receipt.outcome:
        lines.append(f"{receipt.outcome.replace('_', ' ')}, run {receipt.run_id}")
    lines += [f"{in_words(name)}: {what}" for name, what in receipt.exports.items()]
    if receipt.reused_from:
        lines.append(f"taken over from {receipt.reused_from}")
    return lines


def lost_rows(receipts: dict[str, Receipt]) -> list[Lost]:
    """Return the refused and the dropped rows by step, source and reason, in the order of the work."""
    return [
        Lost(step, source, what, reason, count)
        for step, receipt in receipts.items()
        for source, rows in receipt.rows.items()
        for what, reasons in (("refused", rows.refused), ("dropped", rows.dropped))
        for reason, count in reasons.items()
    ]


def mended_rows(receipts: dict[str, Receipt]) -> list[str]:
    """Return a sentence for each person and reason of the run's mended rows, and one for the mends set aside."""
    if "load" not in receipts:
        return []
    loaded = receipts["load"]
    return [one.sentence for one in loaded.mended] + ([loaded.mends_set_aside] if loaded.mends_set_aside else [])


def _deployed(state: RunState) -> tuple[object, object] | None:
    """Return the outcome of the run's `deploy`, and the number of the run that readers saw then."""
    receipt = state.receipts.get("deploy")
    return (receipt.outcome, receipt.run_id) if receipt else None


def _rows_in_words(receipt: Receipt, name: str, rows: Rows) -> Iterator[str]:
    made = receipt.outputs.get(f"{name}.parquet")
    groups = made.rows if made else None
    yield f"{name} {rows.read:,}" if groups in (None, rows.kept) else f"{name} {rows.read:,} into {groups:,}"
    if rows.kept != rows.read:
        yield f"{rows.kept:,} kept"
    for what, reasons in (("refused", rows.refused), ("dropped", rows.dropped)):
        if reasons:
            yield f"{sum(reasons.values()):,} {what}"
    if rows.refused_lines != rows.refused_rows:
        yield f"{counted(rows.refused_lines, 'line')} refused"


def meanings(state: RunState) -> list[tuple[str, str]]:
    """Return the words for steps' states that do not explain themselves, each with what it means."""
    found = {step.progress for step in state.steps.values()}
    return [(progress.value, meaning) for progress, meaning in MEANINGS.items() if progress in found]
