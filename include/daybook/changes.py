"""What a new run would change for readers: how many rows of each summary it adds, takes away and changes."""

from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from daybook.spec import Pipeline, Summary

Changes = dict[str, dict[str, int]]
"""By summary: how many rows are added, removed and changed; a row is told by its group."""


def changes(connection: psycopg.Connection[Any], pipeline: Pipeline, day: date, run_id: int) -> Changes:
    """Compare a saved run with what readers of the day see now. Empty where they see nothing, or nothing changes."""
    row = connection.execute(
        "select run_id from daybook.published where pipeline = %s and day = %s", [pipeline.name, day]
    ).fetchone()
    if row is None:
        return {}
    found = {summary.name: _of_summary(connection, pipeline, summary, row[0], run_id) for summary in pipeline.summaries}
    return {name: counts for name, counts in found.items() if any(counts.values())}


def _of_summary(
    connection: psycopg.Connection[Any], pipeline: Pipeline, summary: Summary, before: int, after: int
) -> dict[str, int]:
    group = ("day", *summary.by)
    added = _only_in(connection, pipeline, summary, group, after, before)
    removed = _only_in(connection, pipeline, summary, group, before, after)
    new_or_changed = _only_in(connection, pipeline, summary, (*group, *summary.columns), after, before)
    return {"added": added, "removed": removed, "changed": new_or_changed - added}


def _only_in(
    connection: psycopg.Connection[Any],
    pipeline: Pipeline,
    summary: Summary,
    columns: tuple[str, ...],
    here: int,
    there: int,
) -> int:
    # EXCEPT takes nothing for equal to nothing, as groups do; joins do not.
    query = sql.SQL(
        "select count(*) from "
        "(select {0} from {1} where run_id = %s except select {0} from {1} where run_id = %s) only_here"
    ).format(sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(pipeline.target.store, summary.name))
    row = connection.execute(query, [here, there]).fetchone()
    return int(row[0]) if row else 0
