"""What there is of a pipeline, or of one of its summaries: in the warehouse and in the data folder. It only asks.

It needs no spec: the module may be gone. A view is the pipeline's if it shows its days; a table if it has rows of its
runs. So nothing of another pipeline is taken for this one's, whatever schema it lies in.
"""

from datetime import date
from typing import NamedTuple

from psycopg import sql

from daybook.environment import is_here
from daybook.ledger.pipeline_changes import PipelineChange, has_runs, last_change
from daybook.ledger.queries import is_begun
from daybook.postgres.session import Connection
from daybook.publish.live import Place, places_of, resting_on
from daybook.spec import STATE, STORE
from daybook.storage.data_folder import DataFolder


class StoredTable(NamedTuple):
    """A table with rows of the pipeline's runs. is_shared: it has rows of other runs too."""

    place: Place
    rows: int
    is_shared: bool


class Belongings(NamedTuple):
    """What there is of a pipeline, or of a summary. days: that readers see. dependents: what others have made on its
    views and tables, such as "view public.of_the_boss". folders: in the data folder. mended_days: how many days have
    rows that a person mended. last_change: it was renamed or retired before. is_known: the ledger or the data folder
    has heard of it."""

    pipeline: str
    summary: str | None
    views: tuple[Place, ...]
    tables: tuple[StoredTable, ...]
    dependents: tuple[str, ...]
    days: tuple[date, ...]
    folders: tuple[str, ...]
    mended_days: int
    last_change: PipelineChange | None
    is_known: bool

    @property
    def name(self) -> str:
        """Return what it is called on the command line."""
        return f"{self.pipeline}.{self.summary}" if self.summary else self.pipeline

    @property
    def places(self) -> set[Place]:
        """Return the places of its views and tables."""
        return {*self.views, *(table.place for table in self.tables)}

    @property
    def is_nothing(self) -> bool:
        """Return whether nothing is there that could be removed."""
        return not (self.views or self.tables or self.folders or (self.days and not self.summary))


def belongings(connection: Connection, data: DataFolder, pipeline: str, summary: str | None = None) -> Belongings:
    """Return what there is of a pipeline; with a summary's name, of that one only."""
    if not is_begun(connection):
        return _of_folders(data, pipeline, summary)
    views = tuple(place for place in places_of(connection, pipeline) if summary in (None, place.name))
    tables = tuple(table for table in _tables(connection, pipeline) if summary in (None, table.place.name))
    relations = [*(view.view for view in views), *(table.place.table for table in tables)]
    days = connection.execute("select day from published where pipeline = %s order by 1", [pipeline]).fetchall()
    changed = last_change(connection, pipeline, summary)
    folders = _of_folders(data, pipeline, summary)
    return folders._replace(
        views=views,
        tables=tables,
        dependents=tuple(resting_on(connection, *relations)),
        days=tuple(day for (day,) in days),
        last_change=changed,
        is_known=folders.is_known
        or bool(views or tables or changed)
        or (not summary and has_runs(connection, pipeline)),
    )


def _of_folders(data: DataFolder, pipeline: str, summary: str | None) -> Belongings:
    if summary:
        folders = [str(folder.path) for folder in data.folders_with(pipeline, files_of(summary))]
    else:
        folders = [str(folder.path) for folder in data.folders_of(pipeline)]
    mended = 0 if summary else len(data.days_with_mends(pipeline))
    return Belongings(pipeline, summary, (), (), (), (), tuple(folders), mended, None, bool(folders))


def files_of(summary: str) -> tuple[str, ...]:
    """Return the names of a summary's published files."""
    return f"{summary}.parquet", f"{summary}.csv"


def _tables(connection: Connection, pipeline: str) -> list[StoredTable]:
    """Return the tables that `save` made and that have rows of the pipeline's runs, or whose view shows its days."""
    shown = set(places_of(connection, pipeline))
    found = []
    for place in _made_by_save(connection):
        table = _counted(connection, pipeline, place)
        if table.rows or (place in shown and not table.is_shared):
            found.append(table)
    return found


def _made_by_save(connection: Connection) -> list[Place]:
    """Return the tables that look as `save` makes them: in a store, with a run and a day first, and told apart by
    these."""
    rows = connection.execute(
        "select distinct nspname, relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "join pg_index on indrelid = pg_class.oid where relkind = 'r' "
        "and right(nspname, length(%(store)s)) = %(store)s and pg_has_role(relowner, 'usage') "
        "and indisunique and indkey[0] = 1 and indkey[1] = 2 "
        "and exists (select from pg_attribute where attrelid = pg_class.oid and attnum = 1 and attname = 'run_id' "
        "and atttypid = 'int8'::regtype) "
        # Beside the store of a further target lies what it holds; the first target may be in the same database.
        "and to_regclass(quote_ident(left(nspname, -length(%(store)s)) || %(state)s) || '.published') is null "
        "and exists (select from pg_attribute where attrelid = pg_class.oid "
        "and attnum = 2 and attname = 'day' and atttypid = 'date'::regtype) order by 1, 2",
        {"store": STORE, "state": STATE},
    )
    return [Place(schema.removesuffix(STORE), name) for schema, name in rows if is_here(schema)]


def _counted(connection: Connection, pipeline: str, place: Place) -> StoredTable:
    query = sql.SQL(
        "select count(*) filter (where pipeline = %(pipeline)s), count(*) filter (where pipeline is distinct from "
        "%(pipeline)s) from {} stored left join run on run.run_id = stored.run_id and run.day = stored.day"
    ).format(place.table)
    own, others = connection.execute(query, {"pipeline": pipeline}).fetchone() or (0, 0)
    return StoredTable(place, own, bool(others))
