"""What became of whole pipelines and summaries, in the warehouse's `daybook.pipeline_change`: renamed or retired.

Every function works in the transaction of the connection it gets.
"""

from datetime import datetime
from typing import NamedTuple

from psycopg import sql

from daybook.environment import ledger_schema
from daybook.postgres.session import Connection

NAMED_BY_PIPELINE = ("run", "published", "ledger", "decision", "step", "export_owed", "exported")


class PipelineChange(NamedTuple):
    """A change of a whole pipeline, or of one summary: "rename" or "retire". became: the new name of a renamed one."""

    changed_at: datetime
    what: str
    pipeline: str
    summary: str | None
    became: str | None
    who: str
    why: str

    def __str__(self) -> str:
        name = f"{self.pipeline}.{self.summary}" if self.summary else self.pipeline
        how = f"renamed to {self.became}" if self.became else "retired"
        return f"{name} was {how} by {self.who} at {self.changed_at:%Y-%m-%d %H:%M %Z}: {self.why}"


def last_change(connection: Connection, pipeline: str, summary: str | None = None) -> PipelineChange | None:
    """Return the last change of a pipeline, or of one of its summaries; None if there was none, or no ledger yet."""
    if connection.execute("select to_regclass('pipeline_change')").fetchone() == (None,):
        return None
    row = connection.execute(
        "select changed_at, what, pipeline, summary, became, who, why from pipeline_change "
        "where pipeline = %s and summary is not distinct from %s order by changed_at desc limit 1",
        [pipeline, summary],
    ).fetchone()
    return PipelineChange(*row) if row else None


def summaries_retired(connection: Connection) -> list[PipelineChange]:
    """Return the retired summaries of all pipelines."""
    if connection.execute("select to_regclass('pipeline_change')").fetchone() == (None,):
        return []
    rows = connection.execute(
        "select changed_at, what, pipeline, summary, became, who, why from pipeline_change "
        "where what = 'retire' and summary is not null order by changed_at"
    )
    return [PipelineChange(*row) for row in rows]


def note_retired(connection: Connection, pipeline: str, summary: str | None, who: str, why: str) -> None:
    """Note that a pipeline, or one of its summaries, was retired."""
    connection.execute(
        "insert into pipeline_change (what, pipeline, summary, who, why) values ('retire', %s, %s, %s, %s)",
        [pipeline, summary, who, why],
    )


def take_away(connection: Connection, pipeline: str) -> int:
    """Show readers no day of a pipeline, notify listeners, and note that the rows of its runs are gone.

    Returns the number of days that readers saw. The publications stay in the ledger.
    """
    rows = connection.execute(
        "with gone as (delete from published where pipeline = %s returning pipeline, day) "
        "select pg_notify('daybook_published', "
        "json_build_object('pipeline', pipeline, 'day', day, 'run_id', null)::text) from gone",
        [pipeline],
    ).fetchall()
    connection.execute("delete from export_owed where pipeline = %s", [pipeline])
    connection.execute("update run set removed_at = now() where pipeline = %s and removed_at is null", [pipeline])
    return len(rows)


def has_runs(connection: Connection, pipeline: str) -> bool:
    """Return whether the ledger knows runs of a pipeline."""
    row = connection.execute("select exists (select from run where pipeline = %s)", [pipeline]).fetchone()
    return bool(row and row[0])


def has_rows(connection: Connection, pipeline: str) -> bool:
    """Return whether the warehouse has rows of any run of a pipeline; it has none of one that was retired."""
    row = connection.execute(
        "select exists (select from run where pipeline = %s and removed_at is null)", [pipeline]
    ).fetchone()
    return bool(row and row[0])


def rename(connection: Connection, was: str, name: str, who: str, why: str) -> None:
    """Let all that the ledger knows of a pipeline be found by another name, and note who gave it.

    Receipts keep the name that the pipeline had then.
    """
    connection.execute(
        "insert into pipeline_change (what, pipeline, became, who, why) values ('rename', %s, %s, %s, %s)",
        [was, name, who, why],
    )
    # Failed tries of the new name, from before the spec named the old one, may have names of runs in common with it.
    connection.execute(
        "delete from step tried using step done where tried.pipeline = %s and done.pipeline = %s "
        "and (tried.day, tried.run, tried.step) = (done.day, done.run, done.step)",
        [name, was],
    )
    for table in NAMED_BY_PIPELINE:
        statement = sql.SQL("update {} set pipeline = %s where pipeline = %s").format(
            sql.Identifier(ledger_schema(), table)
        )
        connection.execute(statement, [name, was])
    connection.execute(
        "update pipeline_change set pipeline = %s where pipeline = %s and what = 'retire' and summary is not null",
        [name, was],
    )
