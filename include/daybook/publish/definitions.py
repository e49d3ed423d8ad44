"""What the warehouse has of a pipeline: a table and a view for each summary, and how they follow a changed spec.

Rows of all runs are in the tables of `<schema>_store`; readers have rights only on the views of `<schema>`. A view
keeps its columns in their order and gets new ones at its end, so views of other people that rest on it stay. Only if
the spec has lost a column is the view made anew; if others rest on it then, they are named and nothing is changed. A
table keeps every column that it ever had.

`changes` says what a run would change, before anything is done. Identifiers are quoted by psycopg.sql.
"""

from collections.abc import Iterator

import pyarrow as pa
from psycopg import sql

from daybook.errors import BadSpec
from daybook.postgres.session import Connection
from daybook.postgres.sql_types import sql_type
from daybook.publish.comments import comment_changes
from daybook.publish.live import (
    Columns,
    Live,
    Place,
    defined,
    live,
    places_of,
    resting_on,
    rights_to,
    shown_pipelines,
    stored,
    target_of,
)
from daybook.publish.moves import Change, drop_if_empty, moved, with_renamed
from daybook.publish.roll_up import RollUp, roll_up
from daybook.publish.short_waits import in_short_waits
from daybook.rules import summarize
from daybook.spec import CleanRows, Pipeline, Summary, View

READERS = "daybook_reader"


def prepare(connection: Connection, pipeline: Pipeline) -> None:
    """Make the pipeline's tables and views as its spec says.

    Raises BadSpec, and changes nothing, if they cannot be; SourceUnavailable if readers have them in use for long.
    """
    if not changes(connection, pipeline):
        return
    # Two runs may come at once: the second one finds the work done.
    connection.execute("select pg_advisory_xact_lock(hashtext('daybook.prepare'))")
    places = [*places_of(connection, pipeline.name), *(target_of(pipeline, one) for one in pipeline.views)]
    what = f"{pipeline.name}: the spec changes its views"
    in_short_waits(connection, what, places, lambda: _make(connection, pipeline, places))


def _make(connection: Connection, pipeline: Pipeline, places: list[Place]) -> None:
    for schema in (pipeline.target.store, pipeline.target.schema_):
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    # Once more for the comments: a view that is new, or was made anew, has none.
    for _ in range(2):
        for change in changes(connection, pipeline):
            for statement in change.statements:
                connection.execute(statement)
    _grant(connection, pipeline)
    for schema in sorted({schema for place in places for schema in (place.schema, place.store)}):
        drop_if_empty(connection, schema)


def changes(connection: Connection, pipeline: Pipeline) -> list[Change]:
    """Return what the spec changes in the warehouse. Raises BadSpec if a change is impossible."""
    _check_names(connection, pipeline)
    there = live(connection, pipeline)
    _check_former_names(connection, pipeline, there)
    return [
        change for summary in pipeline.views for change in _changes(connection, pipeline, summary, there[summary.name])
    ]


def _check_names(connection: Connection, pipeline: Pipeline) -> None:
    shown = shown_pipelines(connection, pipeline.target.schema_, (view.name for view in pipeline.views))
    others = [f"{view} those of {name}" for view, name in shown.items() if name != pipeline.name]
    if others:
        raise BadSpec(
            f"{pipeline.name}: the views of its target schema {pipeline.target.schema_} show the days of another "
            f"pipeline ({', '.join(others)}); nothing was changed; if it is this one under its old name, say so in the "
            f"spec: renamed_from={next(name for name in shown.values() if name != pipeline.name)!r}; else give it a "
            "target schema of its own"
        )


def _check_former_names(connection: Connection, pipeline: Pipeline, there: dict[str, Live]) -> None:
    """Raise BadSpec if a view that `renamed_from` would take over shows the days of another pipeline."""
    schema = pipeline.target.schema_
    taken = {one.place.name: name for name, one in there.items() if one.table and one.place.name != name}
    shown = shown_pipelines(connection, schema, taken)
    if others := [f"{was} (of {shown[was]}), which {taken[was]} names" for was in shown if shown[was] != pipeline.name]:
        raise BadSpec(
            f"{pipeline.name}: renamed_from would take over views of {schema} that show the days of another pipeline: "
            f"{'; '.join(others)}; nothing was changed; take that word out of the summary, or give this pipeline a "
            "target schema of its own"
        )


def _changes(connection: Connection, pipeline: Pipeline, summary: View, live: Live) -> Iterator[Change]:
    wanted = _types(summarize.schema(pipeline, summary))
    if not live.table:
        made = _forgotten(pipeline, summary), _table(pipeline, summary, wanted)
        yield Change("", (*made, *_view_of(pipeline, summary, list(_shown(pipeline, summary)))))
        return
    yield from moved(connection, pipeline, summary, live)
    live, renamed = with_renamed(pipeline, summary, live)
    yield from renamed
    _check_types(pipeline, summary, live.table, wanted)
    yield from _new_columns(pipeline, summary, live, wanted)
    yield from _new_key(connection, pipeline, summary, live)
    shown = _shown(pipeline, summary)
    yield from _new_view(connection, pipeline, summary, live, shown)
    place = target_of(pipeline, summary)
    if live.place == place and live.view.keys() == shown.keys():
        yield from (Change("", (one,)) for one in comment_changes(connection, pipeline, summary, place))


def _shown(pipeline: Pipeline, summary: View) -> Columns:
    """Return the columns of a summary's view."""
    return _types(summarize.published_schema(pipeline, summary))


def _forgotten(pipeline: Pipeline, summary: View) -> sql.Composed:
    # If somebody gave the table away, rows of earlier runs went with it.
    return sql.SQL(
        "delete from saved_summary where summary = {} and run_id in (select run_id from run where pipeline = {})"
    ).format(sql.Literal(summary.name), sql.Literal(pipeline.name))


def _check_types(pipeline: Pipeline, summary: View, live: Columns, wanted: Columns) -> None:
    changed = [f"{n} is {live[n]}, {kind} in the spec" for n, kind in wanted.items() if live.get(n, kind) != kind]
    if changed:
        raise BadSpec(
            f"{pipeline.target.store}.{summary.name}: {'; '.join(changed)}; nothing was saved; "
            "give the column a new name in the spec, or rename the table so that a new one is made"
        )


def _new_columns(pipeline: Pipeline, summary: View, live: Live, wanted: Columns) -> Iterator[Change]:
    added = [name for name in wanted if name not in live.table]
    if added:
        statement = sql.SQL("alter table {} add column {} {}")
        table = stored(pipeline, summary)
        yield Change("", tuple(statement.format(table, sql.Identifier(n), sql.SQL(wanted[n])) for n in added))


def _new_key(connection: Connection, pipeline: Pipeline, summary: View, live: Live) -> Iterator[Change]:
    key = _key(summary)
    if live.key == key:
        return
    # Rows of runs before this one have their own groups, and are not told apart by the new ones.
    row = connection.execute("select coalesce(max(run_id), 0) from run").fetchone()
    unique = sql.SQL("create unique index on {} ({}) nulls not distinct where run_id > {}").format(
        stored(pipeline, summary), _names(key), sql.Literal(row[0] if row else 0)
    )
    yield Change(
        f"{_name(pipeline, summary)}: one row per {', '.join(key[1:])}, before one per {', '.join(live.key[1:])}; "
        "each day has its rows of before until it is done again",
        (*_without_key(pipeline, summary, live.key_name), unique),
    )


def _without_key(pipeline: Pipeline, summary: View, name: str) -> tuple[sql.Composed, ...]:
    constraint = sql.SQL("alter table {} drop constraint if exists {}")
    index = sql.SQL("drop index if exists {}")
    return (
        constraint.format(stored(pipeline, summary), sql.Identifier(name)),
        index.format(sql.Identifier(pipeline.target.store, name)),
    )


def _new_view(
    connection: Connection, pipeline: Pipeline, summary: View, live: Live, wanted: Columns
) -> Iterator[Change]:
    lost = [name for name, kind in live.view.items() if wanted.get(name) != kind]
    kept = [name for name in live.view if name not in lost]
    added = [name for name in wanted if name not in kept]
    made = _view_of(pipeline, summary, [*kept, *added])
    if lost:
        view = target_of(pipeline, summary).view
        if others := ", ".join(resting_on(connection, live.place.view)):
            raise BadSpec(
                f"{_name(pipeline, summary)}: the spec has lost {', '.join(lost)}, and {others} rest on this view; "
                "nothing was changed; drop or change them first, or give the column back to the spec"
            )
        drop = sql.SQL("drop view {}").format(view)
        rights = rights_to(connection, live.place.view, view)
        yield Change(_without(pipeline, summary, lost, added), (drop, *made, *rights))
    elif added:
        meaning = _with(pipeline, summary, added) if live.view else ""
        yield Change(meaning, made)
    elif (
        not isinstance(summary, CleanRows)
        and summary.every
        and live.definition != _roll_up(pipeline, summary, kept).digest
    ):
        meaning = f"{_name(pipeline, summary)}: is computed in another way, for every {summary.every}"
        yield Change(meaning if live.place.name == summary.name else "", made)


def _is_made_otherwise(pipeline: Pipeline, summary: View, live: Live, names: list[str]) -> bool:
    if isinstance(summary, CleanRows) or summary.every is None:
        return False
    return live.definition != _roll_up(pipeline, summary, names).digest


def _with(pipeline: Pipeline, summary: View, added: list[str]) -> str:
    what = f"the column {added[0]}" if len(added) == 1 else f"the columns {', '.join(added)}"
    period = f"a {summary.every} has when all its published days are" if summary.every else "a day has when it is"
    return f"{_name(pipeline, summary)}: gets {what}, which {period} done again"


def _without(pipeline: Pipeline, summary: View, lost: list[str], added: list[str]) -> str:
    also = f"; {_with(pipeline, summary, added).partition(': ')[2]}" if added else ""
    gone = f"{_name(pipeline, summary)}: loses {', '.join(lost)}, for every {summary.every or 'day'}"
    return f"{gone}; the table keeps the values{also}"


def _table(pipeline: Pipeline, summary: View, wanted: Columns) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(k)) for n, k in wanted.items())
    # Group columns may be null, which a primary key refuses; here nulls count as equal.
    return sql.SQL("create table {} (run_id bigint not null, {}, unique nulls not distinct ({}))").format(
        stored(pipeline, summary), columns, _names(_key(summary))
    )


def _view_of(pipeline: Pipeline, summary: View, names: list[str]) -> tuple[sql.Composed, ...]:
    place = target_of(pipeline, summary)
    if isinstance(summary, CleanRows) or summary.every is None:
        return (_view_of_days(place, names, pipeline.name),)
    made = _roll_up(pipeline, summary, names)
    return made.statement, defined(place, made.digest)


def _roll_up(pipeline: Pipeline, summary: Summary, names: list[str]) -> RollUp:
    return roll_up(pipeline, summary, target_of(pipeline, summary), names)


def _view_of_days(place: Place, names: list[str], pipeline: str) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL("stored.{}").format(sql.Identifier(name)) for name in names)
    return sql.SQL(
        "create or replace view {} as select {} from {} stored join published on published.pipeline = {} "
        "and published.day = stored.day and published.run_id = stored.run_id"
    ).format(place.view, columns, place.table, sql.Literal(pipeline))


def _key(summary: View) -> tuple[str, ...]:
    return ("run_id", "day", *summary.by)


def _names(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _name(pipeline: Pipeline, summary: View) -> str:
    return f"{pipeline.target.schema_}.{summary.name}"


def _grant(connection: Connection, pipeline: Pipeline) -> None:
    # The deployment creates the role; a warehouse without it grants rights in its own way.
    if connection.execute("select 1 from pg_roles where rolname = %s", [READERS]).fetchone() is None:
        return
    schema, readers = sql.Identifier(pipeline.target.schema_), sql.Identifier(READERS)
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, readers))
    connection.execute(sql.SQL("grant select on all tables in schema {} to {}").format(schema, readers))


def _types(schema: pa.Schema) -> Columns:
    return {field.name: sql_type(field.type) for field in schema}
