"""The step `save`: the summaries into the warehouse under the run's own number, durable but not yet visible to readers.

Rows of all runs are in `<schema>_store`; readers have rights only on the views of `<schema>`, which show the run that
`daybook.published` points to. Identifiers come from the spec and are quoted by psycopg.sql.
"""

from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from daybook.errors import BadSpec
from daybook.ledger import runs
from daybook.postgres.session import Connection
from daybook.rules import summarize
from daybook.spec import Pipeline, Summary

READERS = "daybook_reader"
Columns = list[tuple[str, str]]
"""Names of columns with their types, as PostgreSQL writes them, in order."""


class Run(NamedTuple):
    """The scheduler's name for a run, and when it read its facts."""

    started_by: str
    read_at: datetime


class Saved(NamedTuple):
    """The run's number, and the number of its rows in the warehouse, by summary."""

    run_id: int
    rows: dict[str, int]


def save(
    connection: Connection, pipeline: Pipeline, day: date, run: Run, summaries: dict[str, pa.Table], above: int = 0
) -> Saved:
    """Save the summaries of a day under a new run number, in one transaction.

    summaries: published columns only, by name. above: the largest number of which the published folder has files of the
    day; if the warehouse was restored alone, it does not know them. Unpublished rows of an earlier try stay: nobody
    sees them, and publish/cleanup.py removes them. Raises BadSpec if a table in the warehouse has another type for a
    column than the spec.
    """
    with connection.transaction():
        runs.prepare(connection)
        prepare(connection, pipeline)
        runs.number_above(connection, above)
        run_id = runs.begin_run(connection, pipeline.name, day, run.started_by, run.read_at)
        for summary in pipeline.summaries:
            _copy_in(connection, stored(pipeline, summary), run_id, summaries[summary.name])
        return Saved(run_id, {s.name: _count(connection, stored(pipeline, s), run_id) for s in pipeline.summaries})


def prepare(connection: Connection, pipeline: Pipeline) -> None:
    """Create the pipeline's tables and views if they are missing, and add columns that are new in the spec."""
    if _is_prepared(connection, pipeline):
        return
    connection.execute("select pg_advisory_xact_lock(hashtext('daybook.prepare'))")
    for schema in (pipeline.target.store, pipeline.target.schema_):
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    for summary in pipeline.summaries:
        for statement in _definition(connection, pipeline, summary):
            connection.execute(statement)
    _grant(connection, pipeline)


def _is_prepared(connection: Connection, pipeline: Pipeline) -> bool:
    live = _live_columns(connection, pipeline)
    for summary in pipeline.summaries:
        wanted = _types(pipeline, summary)
        if not wanted.items() <= dict(live.get((pipeline.target.store, summary.name), [])).items():
            return False
        if live.get((pipeline.target.schema_, summary.name)) != list(wanted.items()):
            return False
    return True


def _definition(connection: Connection, pipeline: Pipeline, summary: Summary) -> Iterator[sql.Composed | sql.SQL]:
    live = dict(_live_columns(connection, pipeline).get((pipeline.target.store, summary.name), []))
    wanted = _types(pipeline, summary)
    if live:
        yield from _added(pipeline, summary, live, wanted)
    else:
        yield _table(pipeline, summary, wanted)
    # In place, a view can only get more columns at its end. No other view may depend on ours, so it is made anew.
    yield sql.SQL("drop view if exists {}").format(_view(pipeline, summary))
    yield _view_definition(pipeline, summary, wanted)


def _added(
    pipeline: Pipeline, summary: Summary, live: dict[str, str], wanted: dict[str, str]
) -> Iterator[sql.Composed]:
    changed = [f"{n} is {live[n]}, {kind} in the spec" for n, kind in wanted.items() if live.get(n, kind) != kind]
    if changed:
        raise BadSpec(
            f"{pipeline.target.store}.{summary.name}: {'; '.join(changed)}; nothing was saved; "
            "give the column a new name in the spec, or rename the table so that a new one is made"
        )
    for name, kind in wanted.items():
        if name not in live:
            yield sql.SQL("alter table {} add column {} {}").format(
                stored(pipeline, summary), sql.Identifier(name), sql.SQL(kind)
            )


def _table(pipeline: Pipeline, summary: Summary, wanted: dict[str, str]) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(k)) for n, k in wanted.items())
    # Group columns may be null, which a primary key refuses; here nulls count as equal.
    key = sql.SQL(", ").join(sql.Identifier(name) for name in ("run_id", "day", *summary.by))
    return sql.SQL("create table {} (run_id bigint not null, {}, unique nulls not distinct ({}))").format(
        stored(pipeline, summary), columns, key
    )


def _view_definition(pipeline: Pipeline, summary: Summary, wanted: dict[str, str]) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL("stored.{}").format(sql.Identifier(name)) for name in wanted)
    return sql.SQL(
        "create view {} as select {} from {} stored join daybook.published on published.pipeline = {} "
        "and published.day = stored.day and published.run_id = stored.run_id"
    ).format(_view(pipeline, summary), columns, stored(pipeline, summary), sql.Literal(pipeline.name))


def _grant(connection: Connection, pipeline: Pipeline) -> None:
    # The deployment creates the role; a warehouse without it grants rights in its own way.
    if connection.execute("select 1 from pg_roles where rolname = %s", [READERS]).fetchone() is None:
        return
    schema, readers = sql.Identifier(pipeline.target.schema_), sql.Identifier(READERS)
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, readers))
    connection.execute(sql.SQL("grant select on all tables in schema {} to {}").format(schema, readers))


def _types(pipeline: Pipeline, summary: Summary) -> dict[str, str]:
    return {field.name: _type(field.type) for field in summarize.schema(pipeline, summary)}


def _type(arrow: pa.DataType) -> str:
    if pa.types.is_decimal(arrow):
        return f"numeric({arrow.precision},{arrow.scale})"
    return {pa.int64(): "bigint", pa.string(): "text", pa.date32(): "date", pa.bool_(): "boolean"}.get(
        arrow, "timestamp with time zone"
    )


def _live_columns(connection: Connection, pipeline: Pipeline) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return names and types of the columns of the pipeline's tables and views, by schema and name."""
    rows = connection.execute(
        "select nspname, relname, attname, format_type(atttypid, atttypmod) from pg_attribute "
        "join pg_class on pg_class.oid = attrelid join pg_namespace on pg_namespace.oid = relnamespace "
        "where nspname = any(%s) and relname = any(%s) and attnum > 0 and not attisdropped order by attrelid, attnum",
        [[pipeline.target.store, pipeline.target.schema_], [summary.name for summary in pipeline.summaries]],
    )
    found: dict[tuple[str, str], Columns] = {}
    for schema, name, column, kind in rows:
        found.setdefault((schema, name), []).append((column, kind))
    return found


def stored(pipeline: Pipeline, summary: Summary) -> sql.Identifier:
    """Return the name of the table that holds a summary's rows of every run."""
    return sql.Identifier(pipeline.target.store, summary.name)


def _view(pipeline: Pipeline, summary: Summary) -> sql.Identifier:
    return sql.Identifier(pipeline.target.schema_, summary.name)


def _copy_in(connection: Connection, table: sql.Identifier, run_id: int, rows: pa.Table) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, ("run_id", *rows.column_names)))
    numbered = rows.add_column(0, "run_id", pa.array([run_id] * rows.num_rows, pa.int64()))
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} ({}) from stdin (format csv)").format(table, columns)) as copy,
    ):
        copy.write(_csv_bytes(numbered))


def _csv_bytes(rows: pa.Table) -> bytes:
    # Texts are quoted and nulls are not, so an empty text and a null stay apart.
    sink = BytesIO()
    pyarrow.csv.write_csv(rows, sink, pyarrow.csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _count(connection: Connection, table: sql.Identifier, run_id: int) -> int:
    statement = sql.SQL("select count(*) from {} where run_id = %s").format(table)
    row = connection.execute(statement, [run_id]).fetchone()
    return int(row[0]) if row else 0
