"""A pipeline that the spec calls otherwise (`renamed_from`): ledger, views and folders go on under the new name.

Before its first run under the new name, everything is still found by the old one: `known_as` says which. `rename` takes
it over: ledger and views in one transaction, then the folders. If that is ended half way, the next run or verb does the
rest. Receipts keep the name that the pipeline had then.
"""

from functools import partial

from daybook.errors import BadSpec
from daybook.ledger import pipeline_changes, runs
from daybook.ledger.queries import is_begun
from daybook.ledger.turns import check_none_at_work
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.publish.live import Place, places_of, shown_as
from daybook.publish.short_waits import in_short_waits
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.text import counted


def known_as(connection: Connection, pipeline: Pipeline) -> Pipeline:
    """Return the pipeline under the name by which the ledger, the views and the folders know it now.

    Raises BadSpec if the ledger knows days of both names.
    """
    if not _is_to_do(connection, pipeline):
        return pipeline
    return pipeline.model_copy(update={"name": pipeline.renamed_from})


def meanings(connection: Connection, pipeline: Pipeline, data: DataFolder) -> list[str]:
    """Return what the rename will change for readers, a sentence each; none if it is done, or there is none."""
    was = pipeline.renamed_from
    if was is None or not _is_to_do(connection, pipeline):
        return []
    (days,) = connection.execute("select count(*) from published where pipeline = %s", [was]).fetchone() or (0,)
    folder = data.published(pipeline.name).path
    return [
        f"{was}: becomes {pipeline.name}; {counted(days, 'published day')}, the views and the ledger go on under the "
        "new name, and no day is done again for it",
        f"the folder of published files: becomes {folder}; nothing is left at {data.published(was).path}",
        f"the DAG and the asset in Airflow: {pipeline.name}; DAGs that wait for the asset {was} have to name the new "
        f"one; the old DAG keeps its runs until `./daybook retire {was}`",
    ]


def rename(connect: OpenPostgres, pipeline: Pipeline, data: DataFolder, who: str) -> bool:
    """Take over what is there under the pipeline's old name, if it is there; return whether something was.

    who: who or what began the run. Raises BadSpec if the ledger knows days of both names; SourceUnavailable if a step
    of the old name is at work, or readers have the views in use for long. Nothing was changed then.
    """
    was = pipeline.renamed_from
    if was is None:
        return False
    is_in_warehouse = at_once(connect, partial(_is_to_do, pipeline=pipeline))
    if is_in_warehouse:
        at_once(connect, partial(_in_warehouse, pipeline=pipeline, was=was, who=who))
    has_folders = bool(data.folders_of(was))
    if has_folders:
        at_once(connect, partial(_folders, data=data, was=was, name=pipeline.name))
    return is_in_warehouse or has_folders


def _is_to_do(connection: Connection, pipeline: Pipeline) -> bool:
    was = pipeline.renamed_from
    if was is None or not is_begun(connection) or not pipeline_changes.has_rows(connection, was):
        return False
    if pipeline_changes.has_rows(connection, pipeline.name):
        raise BadSpec(
            f"{pipeline.name}: renamed_from={was!r}, and the ledger knows days of both names; nothing was changed; "
            f"take that word out of the spec, or retire one of them: `./daybook retire {was}`"
        )
    return True


def _in_warehouse(connection: Connection, pipeline: Pipeline, was: str, who: str) -> None:
    runs.prepare(connection)
    _be_alone(connection)
    if not _is_to_do(connection, pipeline):
        return
    check_none_at_work(connection, was)
    places = places_of(connection, was)
    what = f"{pipeline.name}: the spec renames {was}"
    in_short_waits(connection, what, places, partial(_show, connection, places, was, pipeline.name))
    pipeline_changes.rename(connection, was, pipeline.name, who, "renamed_from in the spec")


def _folders(connection: Connection, data: DataFolder, was: str, name: str) -> None:
    # Files in an object store take a while; no reader waits for them, and no other task begins before.
    connection.execute("set local idle_in_transaction_session_timeout = 0")
    _be_alone(connection)
    check_none_at_work(connection, was)
    data.rename(was, name)


def _be_alone(connection: Connection) -> None:
    # Of two tasks that begin at once, the second finds the work done.
    connection.execute("select pg_advisory_xact_lock(hashtext('daybook.prepare'))")


def _show(connection: Connection, places: list[Place], was: str, name: str) -> None:
    for place in places:
        connection.execute(shown_as(connection, place, was, name))
