"""Retires a pipeline, or one of its summaries: its views, tables, schemas and folders are gone, its ledger stays.

Not a step: `./daybook retire` calls it. The warehouse's part is one transaction; the folders follow. If it was ended
half way, doing it again does the rest.
"""

from functools import partial

from psycopg import sql

from daybook.errors import BadSpec
from daybook.ledger import pipeline_changes, runs
from daybook.ledger.turns import check_none_at_work
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.publish.belongings import Belongings, StoredTable, belongings, files_of
from daybook.publish.moves import drop_if_empty
from daybook.publish.short_waits import in_short_waits
from daybook.storage.data_folder import DataFolder
from daybook.text import counted


def check_is_free(found: Belongings) -> None:
    """Raise BadSpec if others have made something on the views or tables, which would go with them."""
    if found.dependents:
        raise BadSpec(
            f"{found.name}: {', '.join(found.dependents)} rest on what would go; nothing was removed; drop or change "
            "them first, then give the command again"
        )


def retire(connect: OpenPostgres, data: DataFolder, agreed: Belongings, who: str, why: str) -> list[str]:
    """Remove what a person agreed to lose; return what was done, a line each.

    Raises BadSpec if others rest on it, or there is more than was agreed to; SourceUnavailable if a step of the
    pipeline is at work, or readers have the views in use for long. Nothing was removed then.
    """
    done = at_once(connect, partial(_in_warehouse, data=data, agreed=agreed, who=who, why=why))
    if agreed.summary:
        return done + _without_files(data, agreed.pipeline, agreed.summary)
    return done + _without_folders(data, agreed.pipeline)


def _in_warehouse(connection: Connection, data: DataFolder, agreed: Belongings, who: str, why: str) -> list[str]:
    runs.prepare(connection)
    connection.execute("select pg_advisory_xact_lock(hashtext('daybook.prepare'))")
    check_none_at_work(connection, agreed.pipeline)
    found = belongings(connection, data, agreed.pipeline, agreed.summary)
    check_is_free(found)
    _check_is_agreed(agreed, found)
    what = f"{found.name}: its views are to go"
    in_short_waits(connection, what, found.places, lambda: _drop(connection, found))
    done = [f"dropped the view {view}" for view in found.views]
    done += [_told(table) for table in found.tables]
    schemas = sorted({schema for place in found.places for schema in (place.schema, place.store)})
    done += [f"dropped the schema {schema}, which was empty" for schema in schemas if drop_if_empty(connection, schema)]
    if not found.summary and (days := pipeline_changes.take_away(connection, found.pipeline)):
        done.append(f"readers see no day any more; they saw {days}; the ledger keeps every publication")
    if not found.is_nothing:
        pipeline_changes.note_retired(connection, found.pipeline, found.summary, who, why)
    return done


def _check_is_agreed(agreed: Belongings, found: Belongings) -> None:
    more = sorted(map(str, found.places - agreed.places)) + sorted(map(str, set(found.days) - set(agreed.days)))
    if more and not (found.summary and found.places <= agreed.places):
        raise BadSpec(
            f"{found.name}: {', '.join(more)} came since you were asked; nothing was removed; give the command again"
        )


def _drop(connection: Connection, found: Belongings) -> None:
    for view in found.views:
        connection.execute(sql.SQL("drop view {}").format(view.view))
    connection.execute(
        "delete from saved_summary using run where run.run_id = saved_summary.run_id "
        "and pipeline = %(pipeline)s and (%(summary)s::text is null or summary = %(summary)s)",
        {"pipeline": found.pipeline, "summary": found.summary},
    )
    connection.execute(
        "delete from finished_period where pipeline = %s and summary = %s", [found.pipeline, found.summary]
    )
    for table in found.tables:
        if not table.is_shared:
            connection.execute(sql.SQL("drop table {}").format(table.place.table))
            continue
        own = "delete from {} where run_id in (select run_id from run where pipeline = %s)"
        connection.execute(sql.SQL(own).format(table.place.table), [found.pipeline])


def _told(table: StoredTable) -> str:
    name = f"{table.place.store}.{table.place.name}"
    if table.is_shared:
        return f"removed {counted(table.rows, 'row')} from the table {name}; the rows of another pipeline stay in it"
    return f"dropped the table {name} with {counted(table.rows, 'row')}"


def _without_files(data: DataFolder, pipeline: str, summary: str) -> list[str]:
    folders = data.folders_with(pipeline, files_of(summary))
    for folder in folders:
        for name in files_of(summary):
            folder.remove_file(name)
    done = [f"removed the files of {summary} from {len(folders)} published runs"] if folders else []
    periods = data.published(pipeline) / summary
    if not periods.exists():
        return done
    periods.remove()
    return [*done, f"removed {periods.path}, the files of finished periods"]


def _without_folders(data: DataFolder, pipeline: str) -> list[str]:
    folders = data.folders_of(pipeline)
    for folder in folders:
        folder.remove()
        if folder.exists():
            raise BadSpec(
                f"{folder.path}: not all of it can be removed; the warehouse's part is done; give the command again as "
                "a user who may write there"
            )
    return [f"removed {folder.path}" for folder in folders]
