"""Is a day plausible? Its totals are compared with a floor and with the published days nearest to it.

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
from daybook.spec import File, Pipeline

Totals = dict[str, Decimal]
"""The row count (`row_count`) and the summable measures of a day, by name."""

# The median of fewer days says nothing about the next one.
FEWEST_DAYS = 3
ROWS = "row_count"


def totals(aggregates: pa.Table, pipeline: Pipeline) -> Totals:
    """Return the day's row count and its summable measures, from the aggregates; a sum without values is left out."""
    names = [measure.name for measure in pipeline.measures if measure.how in ("count", "sum")]
    sums = {name: pc.sum(aggregates[name]).as_py() for name in names}
    rows = {ROWS: Decimal(pc.sum(aggregates[ROWS]).as_py() or 0)}
    return rows | {name: Decimal(total) for name, total in sums.items() if total is not None}


def doubts(found: Totals, nearest: dict[date, Totals], pipeline: Pipeline) -> list[str]:
    """Return a phrase for each thing that is implausible about a day; none if it may be published.

    found: the day's totals. nearest: those of the published days that it is compared with, by day.
    """
    rules = pipeline.plausible
    named = [name for name in (ROWS, *rules.measures) if name in found]
    floor = [] if found[ROWS] >= rules.min_rows else [f"{found[ROWS]:,} rows, at least {rules.min_rows:,} expected"]
    return floor + [doubt for name in named for doubt in _far_from_median(name, found[name], nearest, rules.within_pct)]


def check_released(doubts: list[str], pipeline: Pipeline, day: date, *, is_released: bool) -> None:
    """Raise Implausible if there are doubts about a day and nobody has released it."""
    if doubts and not is_released:
        raise Implausible(
            f"{pipeline.name} {day}: {'; '.join(doubts)}; the day is held, nothing was published; look at its refused "
            "rows and its source; mend it, or trigger this day again with a reason in the form's field `release`"
        )


def check_not_another_days_file(pipeline: Pipeline, day: date, same: date | None) -> None:
    """Raise BadData if the day's file is byte for byte that of another published day.

    same: that day. A table, or a file whose path does not name the day, may hold many days and so stay the same.
    """
    facts = pipeline.source(pipeline.facts)
    if same and isinstance(facts, File) and facts.path_on(day) != facts.path_on(same):
        raise BadData(
            f"{facts.path_on(day)}: the same bytes as those of {same}; nothing was published; "
            "ask whoever delivers it for the file of this day"
        )


def _far_from_median(name: str, total: Decimal, nearest: dict[date, Totals], within_pct: int | None) -> Iterator[str]:
    others = {day: near[name] for day, near in nearest.items() if name in near}
    if within_pct is None or len(others) < FEWEST_DAYS:
        return
    middle = median(others.values())
    if abs(total - middle) * 100 > abs(middle) * within_pct:
        what = "rows" if name == ROWS else name
        share = f" ({total * 100 / middle:,.0f} % of it)" if middle else ""
        yield (
            f"{total:,} {what}, within {within_pct} % of {middle:,.0f} expected{share}: the median of the "
            f"{len(others)} published days from {min(others)} to {max(others)}, {min(others.values()):,} to "
            f"{max(others.values()):,}"
        )
