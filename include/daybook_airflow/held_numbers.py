"""What a person has to know about held days, as Markdown: why each is held, and its numbers beside the days before it.

Airflow shows it in Required Actions. No sign of a text from outside counts as Markdown, HTML or an address.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from daybook.catalog.runbook import plain
from daybook.ledger import first_load, step_log
from daybook.postgres.session import Connection, at_once
from daybook.rules.plausible import ROWS, Totals
from daybook.run.day_run import DayRun

DAYS_BESIDE = 7


def numbers(day_runs: Sequence[DayRun], step: str) -> str:
    """Return the Markdown about held days. step: whose task asks; its warehouse is asked for the other days."""
    return "\n\n".join(map(_of_day, day_runs)) + f"\n\nThe Report tab of the run has more, as has the log of `{step}`."


def _of_day(day_run: DayRun) -> str:
    pipeline, day = day_run.pipeline, day_run.day
    connect = partial(day_run.postgres, pipeline.target.connection)
    why, before = at_once(connect, lambda session: _known(session, day_run))
    held = day_run.receipt("aggregate").totals
    found = why.partition("; the day is held")[0]
    return f"### {plain(pipeline.name)} {day}\n\n{plain(found)}\n\n{table({**before, day: held})}"


def _known(session: Connection, day_run: DayRun) -> tuple[str, dict[date, Totals]]:
    """Return why a day is held, and the totals of the days before it."""
    name, day = day_run.pipeline.name, day_run.day
    failures = step_log.failures(session, name, day, day)
    why = str(failures[day][2]) if day in failures else "The day is held."
    return why, first_load.days_before(session, name, day, DAYS_BESIDE, day_run.run)


def table(totals: Mapping[date, Totals]) -> str:
    """Return a table of the totals by day, in the order of the days; the last one is the held one."""
    names = sorted({name for day in totals.values() for name in day}, key=lambda name: (name != ROWS, name))
    head = ["day", *("rows" if name == ROWS else plain(name) for name in names)]
    lines = [head, ["---", *("---:" for _ in names)]]
    for day, of_day in sorted(totals.items()):
        lines.append([f"{day:%Y-%m-%d %a}", *(_number(of_day.get(name)) for name in names)])
    lines[-1] = [f"**{cell}**" if cell else "" for cell in lines[-1]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,}"
