"""What the ledger knows of several pipelines at once, for metrics: one statement a question, however many they are.

Every function works in the transaction of the connection it gets. They give by (pipeline, day) what `step_log` and
`decisions` give of one pipeline by day.
"""

import json
from datetime import date, datetime
from typing import NamedTuple

from daybook.ledger.decisions import IS_TO_NOTHING, LEFT
from daybook.ledger.receipt import STEPS, Receipt
from daybook.postgres.session import Connection

DayOf = tuple[str, date]


class LastDay(NamedTuple):
    """The last day of a pipeline that readers see: when it was published; the rows of the facts that were read, and of
    all sources those refused; the published rows, by summary; the size of what was copied, by source; and how long the
    last try of each step took, by step, as far as the log of the steps knows its run."""

    day: date
    published_at: datetime
    rows_read: int
    rows_refused: int
    rows: dict[str, int]
    size_bytes: dict[str, int]
    seconds: dict[str, float]


def published(connection: Connection, pipelines: list[str]) -> set[DayOf]:
    """Return the days that readers see."""
    return set(connection.execute("select pipeline, day from published where pipeline = any(%s)", [pipelines]))


def rolled_back(connection: Connection, pipelines: list[str]) -> set[DayOf]:
    """Return the days on which a rollback still stands."""
    rows = connection.execute(
        "select distinct pipeline, day from decision left join published seen using (pipeline, day) "  # noqa: S608 - our own words
        "where pipeline = any(%s) and what = 'rollback' and case "
        f"when {IS_TO_NOTHING} then seen.run_id is null "
        f"else seen.run_id = decision.run_id and {LEFT} <> decision.run_id and not exists ("
        "select from step where step.pipeline = decision.pipeline and step.day = decision.day "
        "and step = 'deploy' and ended_at > decided_at "
        # Receipts of before 0.1.0 have it in `notes`.
        "and coalesce(receipt ->> 'outcome', receipt -> 'notes' ->> 'outcome') = 'unchanged') end",
        [pipelines],
    )
    return set(rows)


def failed(connection: Connection, pipelines: list[str]) -> dict[DayOf, tuple[str, str, str, datetime]]:
    """Return the step, the kind of error, its message and the time of each day whose last try failed."""
    rows = connection.execute(
        "select distinct on (pipeline, day) pipeline, day, step, error_kind, error, ended_at from step "
        "where pipeline = any(%s) and state = 'failed' and not exists (select from step later "
        "where later.pipeline = step.pipeline and later.day = step.day and later.step = 'deploy' "
        "and later.state <> 'failed' and later.ended_at > step.ended_at) order by pipeline, day, ended_at desc",
        [pipelines],
    )
    return {(pipeline, day): words for pipeline, day, *words in rows}


def waiting(connection: Connection, pipelines: list[str]) -> set[DayOf]:
    """Return the days that wait, and of which no step has failed or was deployed since."""
    rows = connection.execute(
        "select pipeline, day from step where pipeline = any(%s) and state = 'waiting' and not exists ("
        "select from step later where later.pipeline = step.pipeline and later.day = step.day "
        "and later.ended_at > step.ended_at "
        "and (later.state = 'failed' or later.step = 'deploy' and later.receipt is not null))",
        [pipelines],
    )
    return set(rows)


def exports_owed(connection: Connection, pipelines: list[str]) -> dict[str, int]:
    """Return how many exports of days are owed, by pipeline."""
    rows = connection.execute(
        "select pipeline, count(*) from export_owed where pipeline = any(%s) group by pipeline", [pipelines]
    )
    return dict(rows.fetchall())


def last_days(connection: Connection, pipelines: list[str]) -> dict[str, LastDay]:
    """Return the last day of each pipeline that readers see."""
    rows = connection.execute(
        "with last as ("
        "select pipeline, max(day) as day from published where pipeline = any(%s) group by pipeline) "
        "select last.pipeline, last.day, published_at, rows_read, rows_refused, receipts, ("
        "select json_object_agg(step, greatest(0, round(extract(epoch from ended_at - step.started_at), 3))) from step "
        "where step.pipeline = last.pipeline and step.day = last.day and step.run = run.started_by) "
        "from last join published using (pipeline, day) join ledger using (run_id) join run using (run_id)",
        [pipelines],
    )
    return {pipeline: _last_day(*words) for pipeline, *words in rows}


def _last_day(
    day: date, published_at: datetime, read: int, refused: int, stored: list[object], worked: dict[str, float] | None
) -> LastDay:
    receipts = [Receipt.model_validate_json(json.dumps(receipt)) for receipt in stored]
    rows = {name: rows.kept for receipt in receipts if receipt.step == "save" for name, rows in receipt.rows.items()}
    copied: dict[str, int] = {}
    for receipt in receipts:
        for file, output in receipt.outputs.items() if receipt.step.startswith("extract_") else ():
            source = file.partition(".")[0]
            copied[source] = copied.get(source, 0) + output.size_bytes
    seconds = {step: worked[step] for step in STEPS if worked and step in worked}
    return LastDay(day, published_at, read, refused, rows, copied, seconds)
