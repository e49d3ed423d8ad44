"""A run's days and what became of them, in one line: the note that Airflow shows in its list of runs."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from daybook.ledger.receipt import NotPublished
from daybook.pages.run_state import RunState
from daybook.text import counted, spell


def days_note(days: Sequence[date]) -> str:
    """Return the days of a run that begins."""
    return spell(tuple(sorted(days)))


def done_note(states: Sequence[RunState]) -> str:
    """Return the receipt of a run that is done. states: of its days; those without a deployment are left out."""
    done = [state for state in states if "deploy" in state.receipts]
    if not done:
        return ""
    outcomes = Counter(state.receipts["deploy"].outcome for state in done)
    became = ", ".join(outcome if len(done) == 1 else f"{count:,} {outcome}" for outcome, count in outcomes.items())
    read = sum(state.receipts["load"].rows[state.pipeline.facts].read for state in done)
    lost = [NotPublished.of_run(state.receipts) for state in done]
    refused, dropped = sum(one.refused for one in lost), sum(one.dropped for one in lost)
    return (
        f"{days_note([state.day for state in done])}: {became}; {counted(read, 'row')} read, {refused:,} refused, "
        f"{dropped:,} dropped"
    )
