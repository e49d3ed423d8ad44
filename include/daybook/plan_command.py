"""`python -m daybook plan [PIPELINE]`: for each day run, skip or blocked, why, and what it would cost; newest first.

It asks the ledger and the sources, and changes nothing. The exit code is 0, or 1 where a day is blocked.
"""

import argparse
from collections import Counter
from datetime import UTC, date, datetime

from daybook import connections
from daybook.asked import asked_days, parser, pipeline_named, with_pipeline
from daybook.errors import BadSpec
from daybook.planning.observe import standings, tables_now
from daybook.planning.plan import Limited, Planned, limited, plan
from daybook.spec import Pipeline
from daybook.telling import tell_json, tell_table
from daybook.text import spell


def main(words: list[str]) -> int:
    """Print the plan that the words of the command line ask for. Returns the exit code."""
    asked = _parser().parse_args(with_pipeline(words))
    pipeline = pipeline_named(asked.pipeline)
    days = asked_days(pipeline, asked.first, asked.last, datetime.now(UTC))
    made = made_plan(pipeline, days, asked.limit, is_forced=asked.force)
    if asked.json:
        tell_json({"pipeline": pipeline.name, **made._asdict(), "totals": totals(made)})
    else:
        tell(made)
    return 1 if any(day.action == "blocked" for day in made.planned) else 0


def made_plan(pipeline: Pipeline, days: list[date], limit: int | None = None, *, is_forced: bool = False) -> Limited:
    """Return the plan of some days as the ledger and the sources are now; the connections are the environment's."""
    known = standings(pipeline, days, connections.postgres, connections.ftp, connections.data())
    tables = tables_now(pipeline, connections.postgres)
    return limited(plan(pipeline, known, tables, is_forced=is_forced), limit)


def totals(made: Limited) -> dict[str, int | float | None]:
    """Count the days by what to do, and the seconds of those to run; None if the ledger knows no such day."""
    counts = Counter(day.action for day in made.planned)
    seconds = [day.seconds for day in made.planned if day.action == "run"]
    known = None if None in seconds else round(sum(one for one in seconds if one is not None), 1)
    return {"run": counts["run"], "skip": counts["skip"], "blocked": counts["blocked"], "seconds": known}


def tell(made: Limited) -> None:
    """Print a plan as a table, with a last line of totals, and what a limit left out of it."""
    tell_table(("day", "action", "reason", "steps", "seconds"), [_row(day) for day in made.planned])
    counts = totals(made)
    cost = "an unknown time" if counts["seconds"] is None else f"about {counts['seconds']} s"
    print(f"{counts['run']} to run, {counts['skip']} to skip, {counts['blocked']} blocked; {cost} of work")
    if made.left_out:
        days = spell(tuple(sorted(day.day for day in made.left_out)))
        print(f"left out by the limit: {len(made.left_out)} to run: {days}")


def _row(day: Planned) -> tuple[str, ...]:
    seconds = "?" if day.seconds is None else f"{day.seconds:.2f}"
    return str(day.day), day.action, day.reason, str(len(day.steps)), seconds if day.action == "run" else ""


def _parser() -> argparse.ArgumentParser:
    made = parser("plan", "Say for each day whether it would be run, and why.")
    made.add_argument("--from", dest="first", type=date.fromisoformat, help="first day; else the schedule's")
    made.add_argument("--to", dest="last", type=date.fromisoformat, help="last day; else the last that is over")
    made.add_argument("--limit", type=_number, help="run no more than so many days, the newest")
    made.add_argument("--force", action="store_true", help="also run what has not changed, or is held")
    return made


def _number(typed: str) -> int:
    if not typed.isdecimal() or int(typed) < 1:
        raise BadSpec(f"--limit {typed}: expected a whole number over 0; nothing was done")
    return int(typed)
