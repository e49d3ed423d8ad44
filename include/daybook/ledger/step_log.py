"""What the ledger's rows of single steps tell: the last outcome of days, and what they left. It only asks."""

from datetime import date
from typing import Any

from daybook.ledger.fingerprint import READS
from daybook.ledger.receipt import Receipt
from daybook.postgres.session import Connection


def receipts_of_last_deployed(
    connection: Connection, pipeline: str, first: date, last: date
) -> dict[date, dict[str, Receipt]]:
    """Return, for each day, the receipts by step of the last run that came to its end."""
    return _receipts(connection, pipeline, first, last, has_failed=False)


def receipts_of_last_failed(
    connection: Connection, pipeline: str, first: date, last: date
) -> dict[date, dict[str, Receipt]]:
    """Return, for each day, the receipts of the steps that its last failed run had done."""
    return _receipts(connection, pipeline, first, last, has_failed=True)


def _receipts(
    connection: Connection, pipeline: str, first: date, last: date, *, has_failed: bool
) -> dict[date, dict[str, Receipt]]:
    rows = connection.execute(
        "with last as (select distinct on (day) day, run from step where pipeline = %(pipeline)s and "
        "case when %(has_failed)s then state = 'failed' else step = 'deploy' and receipt is not null end "
        "and day between %(first)s and %(last)s order by day, ended_at desc) "
        "select day, step, receipt::text from step join last using (day, run) "
        "where pipeline = %(pipeline)s and receipt is not null",
        {"pipeline": pipeline, "first": first, "last": last, "has_failed": has_failed},
    )
    found: dict[date, dict[str, Receipt]] = {}
    for day, step, receipt in rows:
        found.setdefault(day, {})[step] = Receipt.model_validate_json(receipt)
    return found


def failures(connection: Connection, pipeline: str, first: date, last: date) -> dict[date, tuple[Any, ...]]:
    """Return the words of a Failure (planning/plan.py) for each day whose last try failed, after any deployment."""
    rows = connection.execute(
        "select distinct on (day) day, state, step, error_kind, error, ended_at, spec_sha256, "
        "code_sha256, libraries, inputs_sha256 from step "
        "where pipeline = %s and day between %s and %s and (state = 'failed' or step = 'deploy') "
        "order by day, ended_at desc",
        [pipeline, first, last],
    )
    return {day: tuple(words) for day, state, *words in rows if state == "failed"}


def waiting(connection: Connection, pipeline: str, first: date, last: date) -> list[tuple[date, str, str, str]]:
    """Return the steps that wait: the day, the run, the step and its last message; none of a day that another step has
    ended since, by failing or by deploying it."""
    rows = connection.execute(
        "select day, run, step, error from step where pipeline = %s and day between %s and %s and state = "
        "'waiting' and not exists (select from step later where later.pipeline = step.pipeline and later.day = "
        "step.day and later.ended_at > step.ended_at and (later.state = 'failed' or later.step = 'deploy' and "
        "later.receipt is not null)) order by day, run, step",
        [pipeline, first, last],
    )
    return rows.fetchall()


def published_days(connection: Connection, pipeline: str, first: date, last: date) -> set[date]:
    """Return the days that readers see."""
    rows = connection.execute(
        "select day from published where pipeline = %s and day between %s and %s", [pipeline, first, last]
    )
    return {day for (day,) in rows}


def first_published_day(connection: Connection, pipeline: str) -> date | None:
    """Return the first day that readers see, or None."""
    row = connection.execute("select min(day) from published where pipeline = %s", [pipeline]).fetchone()
    return row[0] if row else None


def begun_days(connection: Connection, pipeline: str, first: date, last: date) -> set[date]:
    """Return the days of which a run has done a step, failed at one, or waits at one."""
    rows = connection.execute(
        "select distinct day from step where pipeline = %s and day between %s and %s", [pipeline, first, last]
    )
    return {day for (day,) in rows}


def published_contents(connection: Connection, pipeline: str, first: date, last: date) -> dict[date, str]:
    """Return the hash of what readers see of each published day."""
    rows = connection.execute(
        "select published.day, content_sha256 from published join ledger using (run_id) "
        "where published.pipeline = %s and published.day between %s and %s",
        [pipeline, first, last],
    )
    return dict(rows.fetchall())


def reused_days(connection: Connection, pipeline: str, first: date, last: date) -> set[date]:
    """Return the days whose last finished run reused all that it could from earlier runs."""
    rows = connection.execute(
        "with ended as (select distinct on (day) day, run from step where pipeline = %(pipeline)s and step = "
        "'deploy' and receipt is not null and day between %(first)s and %(last)s order by day, ended_at desc) "
        "select day from step join ended using (day, run) "
        "where pipeline = %(pipeline)s and step = any(%(steps)s) group by day having bool_and(state = 'reused')",
        {"pipeline": pipeline, "first": first, "last": last, "steps": [step for step in READS if READS[step]]},
    )
    return {day for (day,) in rows}


def came_to_its_end(connection: Connection, pipeline: str, run: str) -> bool:
    """Return whether every day that a run began is finished: published, or found unchanged."""
    row = connection.execute(
        "select count(distinct day), count(distinct day) filter (where step = 'deploy' and receipt is not null) "
        "from step where pipeline = %s and run = %s",
        [pipeline, run],
    ).fetchone()
    return row is not None and row[0] > 0 and row[0] == row[1]
