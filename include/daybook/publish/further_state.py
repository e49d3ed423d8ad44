"""What a further target holds: the run of each day, as of when the ledger was asked. In the schema `<schema>_state`.

Every function works in a transaction of the further database, with `settings`. Views and tables of the summaries are
made there by publish/definitions.py, which finds these tables in place of the ledger's.
"""

from datetime import date, datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from psycopg import sql

from daybook.errors import BadSpec
from daybook.ledger import runs
from daybook.ledger.migrate import migrate
from daybook.postgres.session import LIMITS, Connection
from daybook.publish import due_days
from daybook.publish.live import Place, places_of, shown_as, target_of
from daybook.publish.moves import drop_if_empty
from daybook.publish.short_waits import in_short_waits
from daybook.spec import Pipeline, Target


class State(NamedTuple):
    """The run of a day: None if the day was taken back; a hash of all that its rows are made from; and when the ledger
    said so."""

    run_id: int | None
    content_sha256: str
    as_of: datetime


def settings(state: str) -> str:
    """Return the settings of a transaction in a further target. state: the schema of its tables."""
    return f"{LIMITS}; set local search_path = pg_catalog, {state}, pg_temp"


def as_target(pipeline: Pipeline, target: Target) -> Pipeline:
    """Return a pipeline as it is published in a further target."""
    return pipeline.model_copy(update={"target": target, "also": (), "exports": ()})


def prepare(connection: Connection, pipeline: Pipeline, ledger_id: UUID) -> None:
    """Make the tables that say what is held. pipeline: as of the further target. ledger_id: of the ledger it follows.

    Raises BadSpec if they follow another ledger or a newer Daybook made them, or views or tables with the names of its
    summaries are something else.
    """
    migrate(connection, "further", pipeline.target.state)
    _check_follows(connection, pipeline, ledger_id)
    _take_over(connection, pipeline)
    _check_is_own(connection, pipeline)


def lock_day(connection: Connection, pipeline: Pipeline, day: date) -> None:
    """Be the only one who writes a day, until the transaction ends."""
    key = [f"{pipeline.target.state} {pipeline.name}", day.toordinal()]
    connection.execute("select pg_advisory_xact_lock(hashtext(%s), %s)", key)


def state_of(connection: Connection, pipeline: str, day: date) -> State | None:
    """Return what is held of a day; None if it was never shown."""
    query = "select run_id, content_sha256, as_of from published where (pipeline, day) = (%s, %s)"
    row = connection.execute(query, [pipeline, day]).fetchone()
    return State(*row) if row else None


def show(connection: Connection, pipeline: Pipeline, day: date, state: State) -> None:
    """Show readers what a day holds now, from the commit on, and notify listeners."""
    if state.run_id is not None:
        due_days.keep(connection, pipeline, day)
    connection.execute(
        "insert into published (pipeline, day, run_id, content_sha256, as_of) values (%s, %s, %s, %s, %s) "
        "on conflict (pipeline, day) do update set run_id = excluded.run_id, as_of = excluded.as_of, "
        "content_sha256 = excluded.content_sha256, shown_at = excluded.shown_at",
        [pipeline.name, day, *state],
    )
    runs.notify(connection, pipeline.name, day, state.run_id)


def drop_if_unused(connection: Connection, state: str) -> None:
    """Drop the schema of these tables if they hold nothing any more."""
    if connection.execute("select exists (select from published)").fetchone() == (True,):
        return
    for kind, names in (
        ("view", ("run",)),
        ("table", ("published", "saved_summary", "due_range", "due_day", "followed", "migration")),
    ):
        for name in names:
            connection.execute(sql.SQL(f"drop {kind} {{}}").format(sql.Identifier(state, name)))
    drop_if_empty(connection, state)


def _check_follows(connection: Connection, pipeline: Pipeline, ledger_id: UUID) -> None:
    """Check that no other Daybook writes here: each would take the other's days for its own."""
    connection.execute("insert into followed (ledger_id) values (%s) on conflict do nothing", [ledger_id])
    followed = connection.execute("select ledger_id from followed").fetchone()
    if followed != (ledger_id,):
        raise BadSpec(
            f"{pipeline.name}: {pipeline.target} shows the days of another Daybook's ledger; nothing was changed; give "
            "this target of `also` a schema of its own, or, if that Daybook is gone, empty the table "
            f"{pipeline.target.state}.followed"
        )


def _check_is_own(connection: Connection, pipeline: Pipeline) -> None:
    """Check that no table and view of these names is there, but those that show the pipeline's days from here."""
    own, target = set(places_of(connection, pipeline.name)), pipeline.target
    # Of a pipeline that is known, a table whose view somebody has dropped is its own: the view is made again.
    kinds = ("view",) if _has_days(connection, pipeline.name) else ("view", "table")
    for place in (target_of(pipeline, view) for view in pipeline.views):
        for kind in kinds:
            relation = place.view if kind == "view" else place.table
            query = "select to_regclass(%s) is not null"
            row = connection.execute(query, [relation.as_string(connection)]).fetchone()
            if row and row[0] and place not in own:
                raise BadSpec(
                    f"{pipeline.name}: {target} has a {kind} {_named(place, kind)} already, which does not show its "
                    "days from here; nothing was changed; give this target of `also` a schema of its own"
                )


def _named(place: Place, kind: str) -> str:
    return str(place) if kind == "view" else f"{place.store}.{place.name}"


def _take_over(connection: Connection, pipeline: Pipeline) -> None:
    """Let days of the pipeline's old name go on under the new one."""
    was, name = pipeline.renamed_from, pipeline.name
    if was is None or not _has_days(connection, was) or _has_days(connection, name):
        return
    places = places_of(connection, was)
    in_short_waits(
        connection, f"{name}: the spec renames {was}", places, partial(_rename, connection, places, was, name)
    )


def _has_days(connection: Connection, pipeline: str) -> bool:
    row = connection.execute("select exists (select from published where pipeline = %s)", [pipeline]).fetchone()
    return bool(row and row[0])


def _rename(connection: Connection, places: list[Place], was: str, name: str) -> None:
    for place in places:
        connection.execute(shown_as(connection, place, was, name))
    for table in ("published", "due_range", "due_day"):
        statement = sql.SQL("update {} set pipeline = %s where pipeline = %s").format(sql.Identifier(table))
        connection.execute(statement, [name, was])
