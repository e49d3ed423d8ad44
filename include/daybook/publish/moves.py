"""What a spec gives another name or place: the target schema, a summary, a column. PostgreSQL renames it in one step.

Tables keep their rows and views their rights, and other people's views on ours follow by themselves. Only who types the
old name has to type the new one.
"""

from collections.abc import Iterator
from typing import NamedTuple

from psycopg import sql

from daybook.postgres.session import Connection
from daybook.publish.live import Live, Place, rights_to_schema, target_of
from daybook.spec import CleanRows, Pipeline, View, former_names


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
        (*_steps("table", was.store, now.store, was, now), *view, *rights),
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


def renamed_columns(pipeline: Pipeline, summary: View, live: Live) -> dict[str, str]:
    """Return the columns of a summary's table that the spec calls otherwise now: {old name: new name}."""
    former = {} if isinstance(summary, CleanRows) else former_names(pipeline)
    names = {"day", *summary.by, *summary.columns, *summary.ranks}
    return {
        was: name
        for name in summary.columns
        if (was := former.get(name)) and was in live.table and was not in names and name not in live.table
    }


def with_renamed(pipeline: Pipeline, summary: View, live: Live) -> tuple[Live, list[Change]]:
    """Return a summary as it is after its columns have their new names, and the change that gives them."""
    names = renamed_columns(pipeline, summary, live)
    if not names:
        return live, []
    place = target_of(pipeline, summary)
    rename = sql.SQL("rename column {} to {}")
    steps = [rename.format(sql.Identifier(was), sql.Identifier(name)) for was, name in names.items()]
    shown = [step for step, was in zip(steps, names, strict=True) if was in live.view]
    statements = [
        *(sql.SQL("alter table {} {}").format(place.table, step) for step in steps),
        *(sql.SQL("alter view {} {}").format(place.view, step) for step in shown),
    ]
    told = ", ".join(f"{was} becomes {name}" for was, name in names.items())
    meaning = f"{place}: {told}, for every day; views of others on it follow, and queries have to name the new column"
    after = live._replace(
        table={names.get(name, name): kind for name, kind in live.table.items()},
        view={names.get(name, name): kind for name, kind in live.view.items()},
    )
    return after, [Change(meaning, tuple(statements))]


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
