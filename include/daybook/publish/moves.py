"""What a spec gives another name or place: the target schema, a summary, a column. PostgreSQL renames it in one step.

Tables keep their rows and views their rights, and other people's views on ours follow by themselves. Only who types the
old name has to type the new one.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from psycopg import sql

from daybook.postgres.session import Connection
from daybook.publish.live import Columns, Live, Place, rights_to_schema, target_of
from daybook.spec import CleanRows, Pipeline, View, former_names, stored_numbers


class Change(NamedTuple):
    """A change of the warehouse that a spec asks for: what it means for readers, or "", and its statements."""

    meaning: str
    statements: tuple[sql.Composed, ...]


def moved(connection: Connection, pipeline: Pipeline, summary: View, live: Live) -> Iterator[Change]:
    """Return the change that takes a summary's table and view to the place that the spec gives them, if they are not
    there."""
    was, now = live.place, target_of(pipeline, summary)
    if not live.table or was == now:
        return
    rights = rights_to_schema(connection, now.schema, was.schema) if was.schema != now.schema else []
    view = _steps("view", was.schema, now.schema, was, now) if live.view else ()
    yield Change(
        f"{was}: becomes {now}, with all its days and rights; views of others on it follow, and queries have to name "
        "the new one",
        (*_steps("table", was.store, now.store, was, now), *view, *rights, *_saved_as(pipeline, was, now)),
    )


def _steps(kind: str, schema: str, to: str, was: Place, now: Place) -> tuple[sql.Composed, ...]:
    relation = sql.Identifier(schema, was.name)
    found = []
    if schema != to:
        found.append(sql.SQL(f"alter {kind} {{}} set schema {{}}").format(relation, sql.Identifier(to)))
    if was.name != now.name:
        relation = sql.Identifier(to, was.name)
        found.append(sql.SQL(f"alter {kind} {{}} rename to {{}}").format(relation, sql.Identifier(now.name)))
    return tuple(found)


def _saved_as(pipeline: Pipeline, was: Place, now: Place) -> tuple[sql.Composed, ...]:
    if was.name == now.name:
        return ()
    return (_of_saved(pipeline, was.name, sql.SQL("summary = {}").format(sql.Literal(now.name))),)


def _of_saved(pipeline: Pipeline, summary: str, change: sql.Composed) -> sql.Composed:
    return sql.SQL(
        "update saved_summary set {} where summary = {} and run_id in (select run_id from run where pipeline = {})"
    ).format(change, sql.Literal(summary), sql.Literal(pipeline.name))


def renamed_columns(pipeline: Pipeline, summary: View, live: Live) -> dict[str, str]:
    """Return the columns of a summary's table that the spec calls otherwise now: {old name: new name}."""
    names, others = (*summary.by, *stored_numbers(summary, pipeline.ratios)), {"day", *summary.ranks}
    return _renamed(_former(pipeline, summary), names, live.table, others)


def _former(pipeline: Pipeline, summary: View) -> dict[str, str | None]:
    return {} if isinstance(summary, CleanRows) else {**former_names(pipeline), **summary.by_renamed_from}


def _renamed(former: dict[str, str | None], names: Iterable[str], there: Columns, others: set[str]) -> dict[str, str]:
    taken = others | set(names)
    return {
        was: name
        for name in names
        if (was := former.get(name)) and was in there and was not in taken and name not in there
    }


def with_renamed(pipeline: Pipeline, summary: View, live: Live) -> tuple[Live, list[Change]]:
    """Return a summary as it is after its columns have their new names, and the change that gives them."""
    names = renamed_columns(pipeline, summary, live)
    # A roll-up's view has ratios, which its table has not; and its table has measures that only ratios need.
    own = (*summary.by, *summary.columns)
    shown = _renamed(_former(pipeline, summary), own, live.view, set(summary.names) - set(own))
    if not names and not shown:
        return live, []
    place = target_of(pipeline, summary)
    statements = [
        *_with_names("table", place.table, names),
        *_with_names("view", place.view, shown),
        *(_saved_with(pipeline, place.name, was, name) for was, name in names.items()),
    ]
    told = ", ".join(f"{was} becomes {name}" for was, name in (shown or names).items())
    meaning = f"{place}: {told}, for every day; views of others on it follow, and queries have to name the new column"
    after = live._replace(
        table={names.get(name, name): kind for name, kind in live.table.items()},
        view={shown.get(name, name): kind for name, kind in live.view.items()},
        key=tuple(names.get(name, name) for name in live.key),
    )
    return after, [Change(meaning if shown else "", tuple(statements))]


def _with_names(kind: str, relation: sql.Identifier, names: dict[str, str]) -> Iterator[sql.Composed]:
    rename = sql.SQL(f"alter {kind} {{}} rename column {{}} to {{}}")
    yield from (rename.format(relation, sql.Identifier(was), sql.Identifier(name)) for was, name in names.items())


def _saved_with(pipeline: Pipeline, summary: str, was: str, name: str) -> sql.Composed:
    change = sql.SQL("columns = array_replace(columns, {}, {})").format(sql.Literal(was), sql.Literal(name))
    return _of_saved(pipeline, summary, change)


def drop_if_empty(connection: Connection, schema: str) -> bool:
    """Drop a schema if nothing lies in it; return whether it is gone. `public` stays, and one of another owner."""
    row = connection.execute(
        "select exists (select from pg_depend where refclassid = 'pg_namespace'::regclass "
        "and refobjid = pg_namespace.oid and deptype = 'n') or not pg_has_role(nspowner, 'usage') "
        "from pg_namespace where nspname = %s",
        [schema],
    ).fetchone()
    if row is None:
        return True
    if row[0] or schema == "public":
        return False
    connection.execute(sql.SQL("drop schema {}").format(sql.Identifier(schema)))
    return True
