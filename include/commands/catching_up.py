"""What `status` and `plan` say of the missed days that the next daily run does as well."""

from typing import Any

from daybook.planning.catch_up import CatchUp
from daybook.spec import Pipeline
from daybook.text import spell


def in_words(pipeline: Pipeline, found: CatchUp) -> str:
    """Return a line about the next daily run."""
    word = f"catch_up_days {pipeline.catch_up_days}"
    if not pipeline.catch_up_days:
        return f"{word}: daily runs do no missed day; `./daybook backfill` does"
    if found.day is None:
        return f"{word}: no daily run follows that of the schedule's last day, {pipeline.schedule.end}"
    if not found.missed:
        return f"{word}: the next daily run, of {found.day}, does no other day"
    count = f"{len(found.missed)} missed day{'' if len(found.missed) == 1 else 's'}"
    return f"{word}: the next daily run, of {found.day}, also does {count}: {spell(found.missed)}"


def in_json(pipeline: Pipeline, found: CatchUp) -> dict[str, Any]:
    """Return the same for a program."""
    return {"catch_up_days": pipeline.catch_up_days, "next_daily_run": found.day, "also_does": found.missed}
