"""What the warehouse has of a pipeline: a table and a view for each summary, and how they follow a changed spec.

Rows of all runs are in the tables of `<schema>_store`; readers have rights only on the views of `<schema>`. A view
keeps its columns in their order and gets new ones at its end, so views of other people that rest on it stay. Only if
the spec has lost a column is the view made anew; if others rest on it then, they are named and nothing is changed. A
table keeps every column that it ever had.

`changes` says what a run would change, before anything is done. Identifiers are quoted by psycopg.sql.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import psycopg
import pyarrow as pa
from psycopg import sql
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from daybook.errors import BadSpec, SourceUnavailable
from daybook.postgres.session import Connection
from daybook.publish.live import (
    Columns,
    Live,
    live,
    resting_on,
    rights_to,
    sessions_with,
    shown_pipelines,
    stored,
    view_of,
)
from daybook.rules import summarize
from daybook.spec import Pipeline, Summary

READERS = "daybook_reader"
PATIENCE_S = 20
PAUSE_S = 1


class Change(NamedTuple):
    """A change of the warehouse that a spec asks for: what it means for readers, or "", and its statements."""

    meaning: str
    statements: tuple[sql.Composed, ...]


def prepare(connection: Connection, pipeline: Pipeline) -> None:
    """Make the pipeline's tables and views as its spec says.

    Raises BadSpec, and changes nothing, if they cannot be; SourceUnavailable if readers have them in use for long.
    """
    if not changes(connection, pipeline):
        return
    # Two runs may come at once: the second one finds the work done.
    connection.execute("select pg_advisory_xact_lock(hashtext('daybook.prepare'))")
    try:
        _in_short_waits(connection, lambda: _make(connection, pipeline))
    except psycopg.errors.LockNotAvailable:
        users = sessions_with(connection, pipeline)
        raise SourceUnavailable(
            f"{pipeline.name}: the spec changes its views, and {users} in use for {PATIENCE_S} s; "
            "nothing was changed; if it stays so, end that session"
        ) from None


def _make(connection: Connection, pipeline: Pipeline) -> None:
    for schema in (pipeline.target.store, pipeline.target.schema_):
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    for change in changes(connection, pipeline):
        for statement in change.statements:
            connection.execute(statement)
    _grant(connection, pipeline)


def _in_short_waits(connection: Connection, do: Callable[[], None]) -> None:
    # Whoever wants to read a table waits behind a change that waits for it, so the change gives up soon and comes back.
    tries = Retrying(
        retry=retry_if_exception_type(psycopg.errors.LockNotAvailable),
        stop=stop_after_delay(PATIENCE_S),
        wait=wait_fixed(PAUSE_S),
        reraise=True,
    )
    (before,) = connection.execute("select current_setting('lock_timeout')").fetchone() or ("30s",)
    for attempt in tries:
        with attempt, connection.transaction():
            connection.execute("select set_config('lock_timeout', '500ms', true)")
            do()
            connection.execute("select set_config('lock_timeout', %s, true)", [before])


def changes(connection: Connection, pipeline: Pipeline) -> list[Change]:
    """Return what the spec changes in the warehouse. Raises BadSpec if a change is impossible."""
    _check_names(connection, pipeline)
    there = live(connection, pipeline)
    return [
        change
        for summary in pipeline.summaries
        for change in _changes(connection, pipeline, summary, there[summary.name])
    ]


def _check_names(connection: Connection, pipeline: Pipeline) -> None:
    shown = shown_pipelines(connection, pipeline)
    others = [f"{view} those of {name}" for view, name in shown.items() if name != pipeline.name]
    if others:
        raise BadSpec(
            f"{pipeline.name}: the views of its target schema {pipeline.target.schema_} show the days of another "
            f"pipeline ({', '.join(others)}); nothing was changed; keep the name of before, or give the new name a "
            "target schema of its own"
        )


def _changes(connection: Connection, pipeline: Pipeline, summary: Summary, live: Live) -> Iterator[Change]:
    wanted = _types(pipeline, summary)
    if not live.table:
        yield Change("", (_table(pipeline, summary, wanted), _view_of(pipeline, summary, list(wanted))))
        return
    _check_types(pipeline, summary, live.table, wanted)
    yield from _new_columns(pipeline, summary, live, wanted)
    yield from _new_key(connection, pipeline, summary, live)
    yield from _new_view(connection, pipeline, summary, live, wanted)


def _check_types(pipeline: Pipeline, summary: Summary, live: Columns, wanted: Columns) -> None:
    changed = [f"{n} is {live[n]}, {kind} in the spec" for n, kind in wanted.items() if live.get(n, kind) != kind]
    if changed:
        raise BadSpec(
            f"{pipeline.target.store}.{summary.name}: {'; '.join(changed)}; nothing was saved; "
            "give the column a new name in the spec, or rename the table so that a new one is made"
        )


def _new_columns(pipeline: Pipeline, summary: Summary, live: Live, wanted: Columns) -> Iterator[Change]:
    added = [name for name in wanted if name not in live.table]
    if added:
        statement = sql.SQL("alter table {} add column {} {}")
        table = stored(pipeline, summary)
        yield Change("", tuple(statement.format(table, sql.Identifier(n), sql.SQL(wanted[n])) for n in added))


def _new_key(connection: Connection, pipeline: Pipeline, summary: Summary, live: Live) -> Iterator[Change]:
    key = _key(summary)
    if live.key == key:
        return
    # Rows of runs before this one have their own groups, and are not told apart by the new ones.
    row = connection.execute("select coalesce(max(run_id), 0) from daybook.run").fetchone()
    unique = sql.SQL("create unique index on {} ({}) nulls not distinct where run_id > {}").format(
        stored(pipeline, summary), _names(key), sql.Literal(row[0] if row else 0)
    )
    yield Change(
        f"{_name(pipeline, summary)}: one row per {', '.join(key[1:])}, before one per {', '.join(live.key[1:])}; "
        "each day has its rows of before until it is done again",
        (*_without_key(pipeline, summary, live.key_name), unique),
    )


def _without_key(pipeline: Pipeline, summary: Summary, name: str) -> tuple[sql.Composed, ...]:
    constraint = sql.SQL("alter table {} drop constraint if exists {}")
    index = sql.SQL("drop index if exists {}")
    return (
        constraint.format(stored(pipeline, summary), sql.Identifier(name)),
        index.format(sql.Identifier(pipeline.target.store, name)),
    )


def _new_view(
    connection: Connection, pipeline: Pipeline, summary: Summary, live: Live, wanted: Columns
) -> Iterator[Change]:
    lost, added = [n for n in live.view if n not in wanted], [n for n in wanted if n not in live.view]
    columns = [*(name for name in live.view if name in wanted), *added]
    if lost:
        view = view_of(pipeline, summary)
        if others := ", ".join(resting_on(connection, view)):
            raise BadSpec(
                f"{_name(pipeline, summary)}: the spec has lost {', '.join(lost)}, and {others} rest on this view; "
                "nothing was changed; drop or change them first, or give the column back to the spec"
            )
        drop = sql.SQL("drop view {}").format(view)
        rights = rights_to(connection, view)
        yield Change(_without(pipeline, summary, lost, added), (drop, _view_of(pipeline, summary, columns), *rights))
    elif added:
        meaning = _with(pipeline, summary, added) if live.view else ""
        yield Change(meaning, (_view_of(pipeline, summary, columns),))


def _with(pipeline: Pipeline, summary: Summary, added: list[str]) -> str:
    what = f"the column {added[0]}" if len(added) == 1 else f"the columns {', '.join(added)}"
    return f"{_name(pipeline, summary)}: gets {what}, which a day has when it is done again"


def _without(pipeline: Pipeline, summary: Summary, lost: list[str], added: list[str]) -> str:
    also = f"; {_with(pipeline, summary, added).partition(': ')[2]}" if added else ""
    return f"{_name(pipeline, summary)}: loses {', '.join(lost)}, for every day; the table keeps the values{also}"


def _table(pipeline: Pipeline, summary: Summary, wanted: Columns) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(k)) for n, k in wanted.items())
    # Group columns may be null, which a primary key refuses; here nulls count as equal.
    return sql.SQL("create table {} (run_id bigint not null, {}, unique nulls not distinct ({}))").format(
        stored(pipeline, summary), columns, _names(_key(summary))
    )


def _view_of(pipeline: Pipeline, summary: Summary, names: list[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL("stored.{}").format(sql.Identifier(name)) for name in names)
    return sql.SQL(
        "create or replace view {} as select {} from {} stored join daybook.published on published.pipeline = {} "
        "and published.day = stored.day and published.run_id = stored.run_id"
    ).format(view_of(pipeline, summary), columns, stored(pipeline, summary), sql.Literal(pipeline.name))


def _key(summary: Summary) -> tuple[str, ...]:
    return ("run_id", "day", *summary.by)


def _names(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _name(pipeline: Pipeline, summary: Summary) -> str:
    return f"{pipeline.target.schema_}.{summary.name}"


def _grant(connection: Connection, pipeline: Pipeline) -> None:
    # The deployment creates the role; a warehouse without it grants rights in its own way.
    if connection.execute("select 1 from pg_roles where rolname = %s", [READERS]).fetchone() is None:
        return
    schema, readers = sql.Identifier(pipeline.target.schema_), sql.Identifier(READERS)
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, readers))
    connection.execute(sql.SQL("grant select on all tables in schema {} to {}").format(schema, readers))


def _types(pipeline: Pipeline, summary: Summary) -> Columns:
    return {field.name: _type(field.type) for field in summarize.schema(pipeline, summary)}


def _type(arrow: pa.DataType) -> str:
    if pa.types.is_decimal(arrow):
        return f"numeric({arrow.precision},{arrow.scale})"
    return {pa.int64(): "bigint", pa.string(): "text", pa.date32(): "date", pa.bool_(): "boolean"}.get(
        arrow, "timestamp with time zone"
    )
