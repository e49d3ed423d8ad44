"""What the warehouse has of a pipeline now: its tables and views, their rights, and who uses them. It only asks."""

from collections.abc import Iterable
from typing import NamedTuple

from psycopg import sql

from daybook.postgres.session import Connection
from daybook.spec import STORE, Pipeline, View

Columns = dict[str, str]
"""Types of columns, as PostgreSQL writes them, by name and in order."""


# The pipeline's name in a view's definition, as PostgreSQL writes it.
SHOWN_PIPELINE = r"published\.pipeline = '([^']*)'"


class Place(NamedTuple):
    """The schema and the name of a summary's view; its table has the same name in the store."""

    schema: str
    name: str

    @property
    def store(self) -> str:
        """Return the schema of the table."""
        return f"{self.schema}{STORE}"

    @property
    def view(self) -> sql.Identifier:
        """Return the view, as a statement names it."""
        return sql.Identifier(self.schema, self.name)

    @property
    def table(self) -> sql.Identifier:
        """Return the table, as a statement names it."""
        return sql.Identifier(self.store, self.name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class Live(NamedTuple):
    """What the warehouse has of a summary: its place, the columns of its table and its view, the columns that tell its
    rows apart, the name of the constraint or index that says so, and the digest of a roll-up's view, or ""."""

    place: Place
    table: Columns
    view: Columns
    key: tuple[str, ...]
    key_name: str
    definition: str


def live(connection: Connection, pipeline: Pipeline) -> dict[str, Live]:
    """Return what the warehouse has of each summary, by its name.

    It is where the spec says; or, if there is none yet, where it was before the spec gave it another place.
    """
    others = [place for place in places_of(connection, pipeline.name) if place.schema != pipeline.target.schema_]
    before = [Place(pipeline.target.schema_, s.renamed_from) for s in pipeline.views if s.renamed_from]
    wanted = [target_of(pipeline, summary) for summary in pipeline.views]
    places = {*others, *before, *wanted}
    columns, keys = _live_columns(connection, places), _live_keys(connection, places)
    definitions = _definitions(connection, places)
    found = {}
    for summary in pipeline.views:
        place = next((one for one in _places(pipeline, summary, others) if (one.store, one.name) in columns), None)
        place = place or target_of(pipeline, summary)
        table, view = (columns.get((schema, place.name), {}) for schema in (place.store, place.schema))
        key = keys.get((place.store, place.name), ((), ""))
        found[summary.name] = Live(place, table, view, *key, definitions.get(place, ""))
    return found


def target_of(pipeline: Pipeline, summary: View) -> Place:
    """Return the place that the spec gives a summary."""
    return Place(pipeline.target.schema_, summary.name)


def _places(pipeline: Pipeline, summary: View, others: list[Place]) -> list[Place]:
    names = [name for name in (summary.name, summary.renamed_from) if name]
    here = [Place(pipeline.target.schema_, name) for name in names]
    return [*here, *(place for name in names for place in others if place.name == name)]


def places_of(connection: Connection, pipeline: str) -> list[Place]:
    """Return the places of the views that show a pipeline's days, in whatever schema, and of summaries of any age."""
    rows = connection.execute(
        "select distinct of_view.nspname, shown.relname from pg_class shown "
        "join pg_namespace of_view on of_view.oid = shown.relnamespace "
        "join pg_rewrite on ev_class = shown.oid join pg_depend on classid = 'pg_rewrite'::regclass "
        "and objid = pg_rewrite.oid and refclassid = 'pg_class'::regclass join pg_class kept on kept.oid = refobjid "
        "join pg_namespace of_table on of_table.oid = kept.relnamespace "
        "where shown.relkind = 'v' and kept.relname = shown.relname and of_table.nspname = of_view.nspname || %s "
        "and substring(pg_get_viewdef(shown.oid) from %s) = %s "
        # The same database may have views of other environments, which rest on another ledger.
        "and exists (select from pg_depend pointer where pointer.classid = 'pg_rewrite'::regclass "
        "and pointer.objid = pg_rewrite.oid and pointer.refobjid = 'published'::regclass) order by 1, 2",
        [STORE, SHOWN_PIPELINE, pipeline],
    )
    return [Place(*row) for row in rows]


def stored(pipeline: Pipeline, summary: View) -> sql.Identifier:
    """Return the name of the table that holds a summary's rows of every run."""
    return target_of(pipeline, summary).table


def shown_pipelines(connection: Connection, pipeline: Pipeline) -> dict[str, str]:
    """Return of which pipeline each view shows the days, by the summary's name."""
    rows = connection.execute(
        "select relname, substring(pg_get_viewdef(pg_class.oid) from %s) "
        "from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "where relkind = 'v' and nspname = %s and relname = any(%s) order by 1",
        [SHOWN_PIPELINE, pipeline.target.schema_, [summary.name for summary in pipeline.views]],
    )
    return {view: shown for view, shown in rows if shown is not None}


def resting_on(connection: Connection, *relations: sql.Identifier) -> list[str]:
    """Return what else rests on views and tables, such as "view public.of_the_boss"; what is no one of them."""
    rows = connection.execute(
        "with asked as (select to_regclass(name)::oid as oid from unnest(%s::text[]) name) "
        "select distinct case when classid = 'pg_rewrite'::regclass "
        "then (select format('view %%I.%%I', nspname, relname) from pg_rewrite join pg_class on pg_class.oid = ev_class"
        " join pg_namespace on pg_namespace.oid = relnamespace where pg_rewrite.oid = objid) "
        "else pg_describe_object(classid, objid, objsubid) end from pg_depend "
        "where refclassid = 'pg_class'::regclass and refobjid in (select oid from asked) and deptype = 'n' "
        "and not (classid = 'pg_rewrite'::regclass and exists (select from pg_rewrite "
        "where pg_rewrite.oid = objid and ev_class in (select oid from asked))) order by 1",
        [[relation.as_string(connection) for relation in relations]],
    )
    return [row[0] for row in rows]


def rights_to(connection: Connection, view: sql.Identifier, now: sql.Identifier) -> list[sql.Composed]:
    """Return the statements that give again the rights to a view that its owner has given. now: its name by then."""
    rows = connection.execute(
        "select rolname, privilege_type, is_grantable from pg_class, aclexplode(relacl) "
        "left join pg_roles on pg_roles.oid = grantee where pg_class.oid = to_regclass(%s) and grantee <> relowner "
        "order by 1, 2",
        [view.as_string(connection)],
    )
    return [_grant(right, now, role, may_give) for role, right, may_give in rows]


def rights_to_schema(connection: Connection, schema: str, like: str) -> list[sql.Composed]:
    """Return the statements that give the rights to a schema that the owner of another one has given to that."""
    rows = connection.execute(
        "select rolname, privilege_type, is_grantable from pg_namespace, aclexplode(nspacl) "
        "left join pg_roles on pg_roles.oid = grantee where nspname = %s and grantee <> nspowner order by 1, 2",
        [like],
    )
    to = sql.SQL("schema {}").format(sql.Identifier(schema))
    return [_grant(right, to, role, may_give) for role, right, may_give in rows]


def _grant(right: str, to: sql.Composable, role: str | None, may_give: bool) -> sql.Composed:
    return sql.SQL("grant {} on {} to {}{}").format(
        sql.SQL(right),
        to,
        sql.SQL("public") if role is None else sql.Identifier(role),
        sql.SQL(" with grant option" if may_give else ""),
    )


def sessions_with(connection: Connection, places: Iterable[Place]) -> str:
    """Return which other sessions have the tables or views of some places in use, for a message."""
    row = connection.execute(
        "select string_agg(distinct pid::text, ', ' order by pid::text) from pg_locks join pg_class on oid = relation "
        "join pg_namespace on pg_namespace.oid = relnamespace where nspname = any(%s) and pid <> pg_backend_pid()",
        [_schemas(places)],
    ).fetchone()
    return f"process {row[0]} of the server has it" if row and row[0] else "it was"


def shown_as(connection: Connection, place: Place, was: str, name: str) -> sql.Composed:
    """Return the statement that lets a view show the days of a pipeline's new name, and else be as it is."""
    row = connection.execute("select pg_get_viewdef(%s::regclass)", [place.view.as_string(connection)]).fetchone()
    query = str(row[0]) if row else ""
    # As PostgreSQL writes it; no other text in a view of ours stands beside a column `pipeline`.
    shown = query.replace(f".pipeline = '{was}'", f".pipeline = '{name}'")
    return sql.SQL("create or replace view {} as {}").format(place.view, sql.SQL(shown))


def _schemas(places: Iterable[Place]) -> list[str]:
    return sorted({schema for place in places for schema in (place.schema, place.store)})


def _live_columns(connection: Connection, places: set[Place]) -> dict[tuple[str, str], Columns]:
    rows = connection.execute(
        "select nspname, relname, attname, format_type(atttypid, atttypmod) from pg_attribute "
        "join pg_class on pg_class.oid = attrelid join pg_namespace on pg_namespace.oid = relnamespace "
        "where nspname = any(%s) and relname = any(%s) and attnum > 0 and not attisdropped order by attrelid, attnum",
        [_schemas(places), sorted({place.name for place in places})],
    )
    found: dict[tuple[str, str], Columns] = {}
    for schema, name, column, kind in rows:
        found.setdefault((schema, name), {})[column] = kind
    return found


def _live_keys(connection: Connection, places: set[Place]) -> dict[tuple[str, str], tuple[tuple[str, ...], str]]:
    rows = connection.execute(
        "select nspname, of_table.relname, of_index.relname, array(select attname from unnest(indkey) with ordinality "
        "as part(attnum, place) join pg_attribute on attrelid = indrelid and pg_attribute.attnum = part.attnum "
        "order by place) from pg_index join pg_class of_table on of_table.oid = indrelid "
        "join pg_class of_index on of_index.oid = indexrelid "
        "join pg_namespace on pg_namespace.oid = of_table.relnamespace "
        "where indisunique and nspname = any(%s) and of_table.relname = any(%s) order by indexrelid",
        [_schemas(places), sorted({place.name for place in places})],
    )
    return {(store, table): (tuple(key), index) for store, table, index, key in rows}


def _definitions(connection: Connection, places: set[Place]) -> dict[Place, str]:
    """Return what `defined` has noted of the roll-ups' views."""
    rows = connection.execute(
        "select nspname, relname, obj_description(pg_rewrite.oid, 'pg_rewrite') from pg_rewrite "
        "join pg_class on pg_class.oid = ev_class join pg_namespace on pg_namespace.oid = relnamespace "
        "where rulename = '_RETURN' and nspname = any(%s) and relname = any(%s)",
        [_schemas(places), sorted({place.name for place in places})],
    )
    return {Place(schema, name): noted for schema, name, noted in rows if noted}


def defined(place: Place, digest: str) -> sql.Composed:
    """Return the statement that notes how a roll-up's view is made: PostgreSQL writes a view in words of its own."""
    return sql.SQL('comment on rule "_RETURN" on {} is {}').format(place.view, sql.Literal(digest))
