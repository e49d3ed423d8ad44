"""One run of Airflow, followed to its end, and the table of the days that it published; for any pipeline."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from commands import connections
from commands.output import console, progress, tell_json, tell_table
from daybook.ledger import step_log
from daybook.ledger.receipt import NotPublished, Receipt
from daybook.postgres.session import at_once
from daybook.spec import Pipeline
from deployment.control.failures import failure
from deployment.control.runs import follow, start
from deployment.errors import RunFailed
from deployment.running import Running


class PublishedDay(NamedTuple):
    """The result of a day: rows_read counts the facts; rows_refused and rows_dropped the rows of all sources."""

    day: date
    outcome: str
    rows_read: int
    rows_refused: int
    rows_dropped: int
    seconds: float


def run_day(
    deployment: Running,
    pipeline: Pipeline,
    day: date,
    *,
    is_forced: bool = False,
    release: str = "",
    overrides: Mapping[str, object] | None = None,
) -> PublishedDay:
    """Run a day and return its result. Raises RunFailed if the run fails.

    release: why a held day is published. overrides: values of the spec for this run alone, by their paths.
    """
    api, name = deployment.api, pipeline.name
    api.wait_for_dag(name, check=deployment.keep_up)
    api.unpause(name)
    (run_id,) = start(
        api,
        name,
        [(day,)],
        time_zone=pipeline.schedule.time_zone,
        is_forced=is_forced,
        release=release,
        overrides=overrides,
    )
    progress(f"Airflow runs {run_id}.")
    states = follow(api, name, [run_id], console(), deployment.keep_up)
    if run_id not in states:
        raise RunFailed(f"Run {run_id} of {name} was cancelled; the day is as it was.")
    if states[run_id] != "success":
        raise failure(api, deployment.home, [api.dag_run(name, run_id)])
    return published_days(pipeline, [day])[0]


def published_days(pipeline: Pipeline, days: list[date]) -> list[PublishedDay]:
    """Return the results of those days whose last run came to its end; the connection is the environment's."""
    asked = (pipeline.name, min(days), max(days))
    connect = partial(connections.postgres, pipeline.target.connection)
    ended = at_once(connect, lambda session: step_log.receipts_of_last_deployed(session, *asked))
    return [_of_receipts(pipeline, day, ended[day]) for day in sorted(days) if day in ended]


def tell_day(pipeline: Pipeline, row: PublishedDay, more: dict[str, Any] | None) -> None:
    """Print the result of a day: as a table if `more` is None, else as JSON with its words, which may be none."""
    if more is not None:
        tell_json({"pipeline": pipeline.name, **row._asdict(), **more})
        return
    cells = (f"{row.rows_read:,}", f"{row.rows_refused:,}", f"{row.rows_dropped:,}", f"{row.seconds:.2f}")
    tell_table(("day", "outcome", "rows read", "refused", "dropped", "seconds"), [(str(row.day), row.outcome, *cells)])


def _of_receipts(pipeline: Pipeline, day: date, receipts: dict[str, Receipt]) -> PublishedDay:
    lost = NotPublished.of_run(receipts)
    return PublishedDay(
        day=day,
        outcome=receipts["deploy"].outcome,
        rows_read=receipts["load"].rows[pipeline.facts].read,
        rows_refused=lost.refused,
        rows_dropped=lost.dropped,
        seconds=sum(receipt.seconds for receipt in receipts.values()),
    )
