"""What the warehouse has of a pipeline now: its tables and views, their rights, and who uses them. It only asks."""

from typing import NamedTuple

from psycopg import sql

from daybook.postgres.session import Connection
from daybook.spec import Pipeline, Summary

Columns = dict[str, str]
"""Types of columns, as PostgreSQL writes them, by name and in order."""


# The pipeline's name in a view's definition, as PostgreSQL writes it.
SHOWN_PIPELINE = r"published\.pipeline = '([^']*)'"


class Live(NamedTuple):
    """What the warehouse has of a summary: the columns of its table and its view, the columns that tell its rows apart,
    and the name of the constraint or index that says so."""

    table: Columns
    view: Columns
    key: tuple[str, ...]
    key_name: str


def live(connection: Connection, pipeline: Pipeline) -> dict[str, Live]:
    """Return what the warehouse has of each summary, by its name."""
    columns, keys = _live_columns(connection, pipeline), _live_keys(connection, pipeline)
    store, schema = pipeline.target.store, pipeline.target.schema_
    return {
        summary.name: Live(
            columns.get((store, summary.name), {}),
            columns.get((schema, summary.name), {}),
            *keys.get(summary.name, ((), "")),
        )
        for summary in pipeline.summaries
    }


def stored(pipeline: Pipeline, summary: Summary) -> sql.Identifier:
    """Return the name of the table that holds a summary's rows of every run."""
    return sql.Identifier(pipeline.target.store, summary.name)


def view_of(pipeline: Pipeline, summary: Summary) -> sql.Identifier:
    """Return the name of the view in which readers see a summary."""
    return sql.Identifier(pipeline.target.schema_, summary.name)


def shown_pipelines(connection: Connection, pipeline: Pipeline) -> dict[str, str]:
    """Return of which pipeline each view shows the days, by the summary's name."""
    rows = connection.execute(
        "select relname, substring(pg_get_viewdef(pg_class.oid) from %s) "
        "from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "where relkind = 'v' and nspname = %s and relname = any(%s) order by 1",
        [SHOWN_PIPELINE, pipeline.target.schema_, [summary.name for summary in pipeline.summaries]],
    )
    return {view: shown for view, shown in rows if shown is not None}


def resting_on(connection: Connection, view: sql.Identifier) -> list[str]:
    """Return what else rests on a view, such as "view public.of_the_boss"."""
    rows = connection.execute(
        "select distinct case when classid = 'pg_rewrite'::regclass "
        "then (select format('view %%I.%%I', nspname, relname) from pg_rewrite join pg_class on pg_class.oid = ev_class"
        " join pg_namespace on pg_namespace.oid = relnamespace where pg_rewrite.oid = objid) "
        "else pg_describe_object(classid, objid, objsubid) end from pg_depend "
        "where refclassid = 'pg_class'::regclass and refobjid = to_regclass(%s) and deptype = 'n' order by 1",
        [view.as_string(connection)],
    )
    return [row[0] for row in rows]


def rights_to(connection: Connection, view: sql.Identifier) -> list[sql.Composed]:
    """Return the statements that give again the rights to a view that its owner has given."""
    rows = connection.execute(
        "select rolname, privilege_type, is_grantable from pg_class, aclexplode(relacl) "
        "left join pg_roles on pg_roles.oid = grantee where pg_class.oid = to_regclass(%s) and grantee <> relowner "
        "order by 1, 2",
        [view.as_string(connection)],
    )
    return [
        sql.SQL("grant {} on {} to {}{}").format(
            sql.SQL(right),
            view,
            sql.SQL("public") if role is None else sql.Identifier(role),
            sql.SQL(" with grant option" if may_give else ""),
        )
        for role, right, may_give in rows
    ]


def sessions_with(connection: Connection, pipeline: Pipeline) -> str:
    """Return which other sessions have a pipeline's tables or views in use, for a message."""
    row = connection.execute(
        "select string_agg(distinct pid::text, ', ' order by pid::text) from pg_locks join pg_class on oid = relation "
        "join pg_namespace on pg_namespace.oid = relnamespace where nspname = any(%s) and pid <> pg_backend_pid()",
        [[pipeline.target.store, pipeline.target.schema_]],
    ).fetchone()
    return f"process {row[0]} of the server has it" if row and row[0] else "it was"


def _live_columns(connection: Connection, pipeline: Pipeline) -> dict[tuple[str, str], Columns]:
    rows = connection.execute(
        "select nspname, relname, attname, format_type(atttypid, atttypmod) from pg_attribute "
        "join pg_class on pg_class.oid = attrelid join pg_namespace on pg_namespace.oid = relnamespace "
        "where nspname = any(%s) and relname = any(%s) and attnum > 0 and not attisdropped order by attrelid, attnum",
        [[pipeline.target.store, pipeline.target.schema_], [summary.name for summary in pipeline.summaries]],
    )
    found: dict[tuple[str, str], Columns] = {}
    for schema, name, column, kind in rows:
        found.setdefault((schema, name), {})[column] = kind
    return found


def _live_keys(connection: Connection, pipeline: Pipeline) -> dict[str, tuple[tuple[str, ...], str]]:
    rows = connection.execute(
        "select of_table.relname, of_index.relname, array(select attname from unnest(indkey) with ordinality "
        "as part(attnum, place) join pg_attribute on attrelid = indrelid and pg_attribute.attnum = part.attnum "
        "order by place) from pg_index join pg_class of_table on of_table.oid = indrelid "
        "join pg_class of_index on of_index.oid = indexrelid "
        "join pg_namespace on pg_namespace.oid = of_table.relnamespace "
        "where indisunique and nspname = %s and of_table.relname = any(%s) order by indexrelid",
        [pipeline.target.store, [summary.name for summary in pipeline.summaries]],
    )
    return {table: (tuple(key), index) for table, index, key in rows}
