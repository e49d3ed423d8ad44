"""Is a day plausible? Its totals are compared with a floor and with the published days before it.

Part of `summarize`, after the summaries are made and before anything is saved: an implausible day is held until a
person releases it. It only decides; the caller brings the ledger's numbers.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData, Implausible
from daybook.spec import File, Pipeline, Plausible
from daybook.text import counted

Totals = dict[str, Decimal]
"""The row count (`row_count`) and the summable measures of a day, by name."""

# The median of fewer days says nothing about the next one.
FEWEST_DAYS = 3
SAME_WEEKDAYS = 4
# How many published days before a day have to be known, so that its weekday's are among them.
DAYS_KNOWN = 7 * SAME_WEEKDAYS
ROWS = "row_count"


def totals(aggregates: pa.Table, pipeline: Pipeline) -> Totals:
    """Return the day's row count and its summable measures, from the aggregates; a sum without values is left out."""
    names = [measure.name for measure in pipeline.measures if measure.how in ("count", "sum")]
    sums = {name: pc.sum(aggregates[name]).as_py() for name in names}
    rows = {ROWS: Decimal(pc.sum(aggregates[ROWS]).as_py() or 0)}
    return rows | {name: Decimal(total) for name, total in sums.items() if total is not None}


def doubts(day: date, found: Totals, before: dict[date, Totals], pipeline: Pipeline) -> list[str]:
    """Return a phrase for each thing that is implausible about a day; none if it may be published.

    found: the day's totals. before: those of published days before it, by day. A day without rows, if the spec allows
    it, is compared with nothing, and no other day with it.
    """
    rules = pipeline.plausible
    if found[ROWS] < max(rules.min_rows, 1):
        return [f"{counted(int(found[ROWS]), 'row')}, at least {rules.min_rows:,} expected"] if rules.min_rows else []
    named = [name for name in (ROWS, *rules.measures) if name in found]
    others = {other: totals for other, totals in sorted(before.items()) if other < day and totals[ROWS]}
    return [doubt for name in named for doubt in _far(day, name, found[name], others, rules)]


def check_released(doubts: list[str], pipeline: Pipeline, day: date, *, is_released: bool) -> None:
    """Raise Implausible if there are doubts about a day and nobody has released it."""
    if doubts and not is_released:
        raise Implausible(
            f"{pipeline.name} {day}: {'; '.join(doubts)}; the day is held, nothing was published; look at its refused "
            "rows and its source; mend it, or trigger this day again with a reason in the form's field `release`"
        )


def check_not_another_days_file(pipeline: Pipeline, day: date, same: date | None) -> None:
    """Raise BadData if the day's file is byte for byte that of another published day.

    same: that day. A table, or a file whose path does not name the day, may hold many days and so stay the same, and
    all files without a row may be equal.
    """
    facts = pipeline.source(pipeline.facts)
    if same and isinstance(facts, File) and facts.path_on(day) != facts.path_on(same):
        raise BadData(
            f"{facts.path_on(day)}: the same bytes as those of {same}; nothing was published; "
            "ask whoever delivers it for the file of this day"
        )


def _far(day: date, name: str, total: Decimal, before: dict[date, Totals], rules: Plausible) -> Iterator[str]:
    known = {other: totals[name] for other, totals in before.items() if name in totals}
    last = dict(list(known.items())[-rules.days :])
    weekdays = [value for other, value in known.items() if other.weekday() == day.weekday()][-SAME_WEEKDAYS:]
    others = [list(last.values())]
    # A shop that sells little on Mondays is compared with its Mondays too, and one that grows with its last day.
    others += [weekdays] if len(weekdays) >= FEWEST_DAYS else []
    others += [others[0][-1:]] if _is_a_ramp(others[0]) else []
    if len(last) >= FEWEST_DAYS and all(_is_far(total, values, rules) for values in others):
        yield _in_words(name, total, last, rules)


def _is_a_ramp(values: list[Decimal]) -> bool:
    return len(set(values)) > FEWEST_DAYS and values in (sorted(values), sorted(values, reverse=True))


def _is_far(total: Decimal, others: list[Decimal], rules: Plausible) -> bool:
    if rules.within_pct is None:
        return False
    middle = median(others)
    return abs(total - middle) * 100 > abs(middle) * rules.within_pct


def _in_words(name: str, total: Decimal, others: dict[date, Decimal], rules: Plausible) -> str:
    middle, told = median(others.values()), counted(int(total), "row") if name == ROWS else f"{total:,} {name}"
    share = f" ({total * 100 / middle:,.0f} % of it)" if middle else ""
    return (
        f"{told}, within {rules.within_pct} % of {middle:,.0f} expected{share}: the median of the "
        f"{counted(len(others), 'day')} from {min(others)} to {max(others)}, {min(others.values()):,} to "
        f"{max(others.values()):,}"
    )
