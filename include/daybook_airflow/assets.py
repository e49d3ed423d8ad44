"""What `deploy` tells other DAGs: a pipeline's assets, and their events with each day's outcome and counts."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Asset

from daybook.ledger.receipt import STEPS, NotPublished
from daybook.publish.deploy import Outcome
from daybook.run.day_run import DayRun
from daybook.spec import Pipeline


def assets_of(pipeline: Pipeline) -> list[Asset]:
    """Return the asset of a pipeline, with an event for each run, and that of its days, with one for each new day.

    Two, because Airflow starts a DAG of `schedule=[asset]` only by events without a key, and one that follows days only
    by events with one. No pipeline has a name with a dot.
    """
    return [Asset(pipeline.name), Asset(f"{pipeline.name}.days")]


def emit(context: Any, day_runs: Sequence[DayRun], counts: Mapping[str, object]) -> None:
    """Give a task's events their words, if it has assets: the receipt's counts, and a key for each published day."""
    if not context["task"].outlets:
        return
    each, by_day = (context["outlet_events"][asset] for asset in context["task"].outlets)
    days = {str(day_run.day): told(day_run) for day_run in day_runs if str(day_run.day) in counts}
    each.extra, by_day.extra = {"days": dict(counts)}, {"days": days}
    if published := [day for day, words in days.items() if words["outcome"] != Outcome.UNCHANGED.value]:
        by_day.add_partitions(published)


def told(day_run: DayRun) -> dict[str, Any]:
    """Return the outcome of a day that is done: the rows of facts that were read, and of all sources those refused."""
    receipts = {step: receipt for step in STEPS if (receipt := day_run.receipt_if_done(step))}
    return {
        "outcome": receipts["deploy"].outcome,
        "rows": receipts["load"].rows[day_run.pipeline.facts].read,
        "refused": NotPublished.of_run(receipts).refused,
        "run_id": receipts["deploy"].run_id,
    }
