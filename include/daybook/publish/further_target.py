"""Further targets: a day's rows go to another PostgreSQL database, whose readers see the views of the first target.

The debt is in the ledger, as that of an export is (publish/exports.py). Here it is paid: in one transaction of the
further database the rows of a day are replaced by those of the run that readers of the first target see, or removed if
they see none. What is held is noted beside them, so the same content is not sent twice, and an answer that the ledger
gave earlier never replaces one that it gave later.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from psycopg import sql

from daybook.errors import BadSpec, SourceUnavailable
from daybook.ledger.exports import Files, seen_run
from daybook.ledger.migrate import migrate
from daybook.postgres.session import Connection, OpenPostgres, at_once, translated_errors
from daybook.publish import definitions, further_state
from daybook.publish.further_state import State
from daybook.publish.live import Live, Place, live, places_of, resting_on, stored
from daybook.publish.moves import drop_if_empty
from daybook.publish.short_waits import in_short_waits
from daybook.rules import summarize
from daybook.spec import Pipeline, Target, View
from daybook.text import counted

# A step waits for it, and what is owed is sent later.
LIMIT_S = 300.0


class Followed(NamedTuple):
    """What a day of a further target became, a sentence; the run that it holds, None if the day is not there; and how
    many rows of each view, None if it was not looked at."""

    told: str
    run_id: int | None
    rows: Files | None


class _Day(NamedTuple):
    """A day as the ledger says it is: which ledger, the run, its content, when it said so, and what the run saved."""

    ledger_id: UUID
    day: date
    run_id: int | None
    content_sha256: str
    as_of: datetime
    saved: dict[str, list[str]]

    @property
    def state(self) -> State:
        return State(self.run_id, self.content_sha256, self.as_of)


def follow(
    ledger: Connection, connect: OpenPostgres, pipeline: Pipeline, target: Target, day: date, *, is_asked: bool
) -> Followed:
    """Let a further target show of a day what readers of the first one see.

    ledger: a connection to the first target, whose turn at the day is ours. connect: opens one to the further database.
    is_asked: send the rows, whatever is there. Raises BadSpec or SourceUnavailable, and changes nothing there.
    """
    with translated_errors("the warehouse"):
        wanted = _wanted(ledger, pipeline, day)
        there = _as_the_spec_says(ledger, pipeline) if wanted.run_id else {}
    do = partial(_replaced, ledger=ledger, pipeline=pipeline, target=target, wanted=wanted, there=there, again=is_asked)
    settings = further_state.settings(target.state)
    return at_once(connect, do, settings=settings, where=f"the target {target}", limit_s=LIMIT_S)


def _wanted(ledger: Connection, pipeline: Pipeline, day: date) -> _Day:
    ledger_id, as_of, run_id, content = ledger.execute(
        "select ledger_id, clock_timestamp(), published.run_id, coalesce(content_sha256, '') from identity "
        "left join published on (published.pipeline, published.day) = (%s, %s) left join ledger using (run_id)",
        [pipeline.name, day],
    ).fetchall()[0]
    query = "select summary, columns from saved_summary where run_id = %s order by 1"
    saved = dict(ledger.execute(query, [run_id]).fetchall())
    of_all = hashlib.sha256(f"{content} {saved}".encode()).hexdigest() if run_id else ""
    return _Day(ledger_id, day, run_id, of_all, as_of, saved)


def _as_the_spec_says(ledger: Connection, pipeline: Pipeline) -> dict[str, Live]:
    if definitions.changes(ledger, pipeline):
        raise BadSpec(
            f"{pipeline.name}: the views of {pipeline.target} are not as the spec says; nothing was sent; the next run "
            "of any day makes them so"
        )
    return live(ledger, pipeline)


def _replaced(
    further: Connection,
    ledger: Connection,
    pipeline: Pipeline,
    target: Target,
    wanted: _Day,
    there: dict[str, Live],
    again: bool,
) -> Followed:
    here = further_state.as_target(pipeline, target)
    further_state.prepare(further, here, wanted.ledger_id)
    definitions.prepare(further, here)
    further_state.lock_day(further, here, wanted.day)
    held = further_state.state_of(further, here.name, wanted.day)
    if held and held.as_of > wanted.as_of:
        return Followed(f"{target} holds what the ledger said later, at {held.as_of:%Y-%m-%d %H:%M:%S %Z}", None, None)
    if (
        held
        and (held.run_id is None, held.content_sha256) == (wanted.run_id is None, wanted.content_sha256)
        and not again
    ):
        # The run keeps its number there: it may have another one by now, and the same rows.
        further_state.show(further, here, wanted.day, held._replace(as_of=wanted.as_of))
        told = f"{target} holds the same rows already" if held.run_id else f"{target} has no such day"
        return Followed(told, held.run_id, _held_rows(further, here, held))
    _remove(further, here, held)
    copied = _copied(further, ledger, here, wanted, there)
    further_state.show(further, here, wanted.day, wanted.state)
    _check_is_still_seen(ledger, pipeline, wanted)
    rows = _held_rows(further, here, wanted.state)
    if wanted.run_id is None:
        return Followed(f"{target} shows the day no more", None, rows)
    return Followed(f"{counted(copied, 'row')} of run {wanted.run_id} sent to {target}", wanted.run_id, rows)


def _held_rows(further: Connection, here: Pipeline, held: State) -> Files:
    found: Files = {}
    for view in here.views if held.run_id else ():
        query = sql.SQL("select count(*) from {} where run_id = %s").format(stored(here, view))
        ((rows,),) = further.execute(query, [held.run_id]).fetchall()
        found[f"{here.target.schema_}.{view.name}"] = {"rows": rows}
    return found


def _remove(further: Connection, here: Pipeline, held: State | None) -> None:
    if held is None or held.run_id is None:
        return
    for view in here.views:
        statement = sql.SQL("delete from {} where run_id = %s").format(stored(here, view))
        further.execute(statement, [held.run_id])
    further.execute("delete from saved_summary where run_id = %s", [held.run_id])


def _copied(further: Connection, ledger: Connection, here: Pipeline, wanted: _Day, there: dict[str, Live]) -> int:
    """Copy the rows of the run from one database to the other; return how many."""
    if wanted.run_id is None:
        return 0
    found = 0
    for view in here.views:
        found += _copied_view(further, ledger, here, view, wanted.run_id, there[view.name].place)
        if columns := wanted.saved.get(view.name):
            insert = "insert into saved_summary (run_id, summary, columns) values (%s, %s, %s)"
            further.execute(insert, [wanted.run_id, view.name, columns])
    return found


def _copied_view(further: Connection, ledger: Connection, here: Pipeline, view: View, run_id: int, place: Place) -> int:
    names = sql.SQL(", ").join(map(sql.Identifier, ("run_id", *summarize.schema(here, view).names)))
    into = sql.SQL("copy {} ({}) from stdin").format(stored(here, view), names)
    rows = sql.SQL("copy (select {} from {} where run_id = {}) to stdout").format(
        names, place.table, sql.Literal(run_id)
    )
    with further.cursor() as cursor:
        with cursor.copy(into) as copy:
            for block in _blocks(ledger, rows):
                copy.write(block)
        return cursor.rowcount


def _blocks(ledger: Connection, rows: sql.Composed) -> Iterator[bytes | bytearray | memoryview]:
    with translated_errors("the warehouse"), ledger.cursor() as cursor, cursor.copy(rows) as copy:
        yield from copy


def _check_is_still_seen(ledger: Connection, pipeline: Pipeline, wanted: _Day) -> None:
    """Raise SourceUnavailable if the pointer has moved since: cleanup may have removed rows that were to be copied."""
    with translated_errors("the warehouse"):
        if seen_run(ledger, pipeline.name, wanted.day) != wanted.run_id:
            raise SourceUnavailable(
                f"{pipeline.name} {wanted.day}: readers see another run by now; nothing was changed; it is sent next"
            )


def retire(further: Connection, pipeline: str, summary: str | None, state: str) -> list[str]:
    """Remove a pipeline, or one of its summaries, from a further database; return what was done, a line each.

    state: the schema that says what is held. Raises BadSpec, and removes nothing, if others rest on its views,
    or a newer Daybook made its tables.
    """
    if further.execute("select to_regclass('published')").fetchone() == (None,):
        return []
    migrate(further, "further", state)
    places = [one for one in places_of(further, pipeline) if summary in (None, one.name)]
    if others := resting_on(further, *(place.view for place in places), *(place.table for place in places)):
        raise BadSpec(
            f"{pipeline}: {', '.join(others)} rest on {', '.join(map(str, places))}; nothing was removed there"
        )
    what = f"{pipeline}: its views are to go"
    in_short_waits(further, what, places, partial(_drop, further, places, pipeline, summary))
    for schema in sorted({schema for place in places for schema in (place.schema, place.store)}):
        drop_if_empty(further, schema)
    further_state.drop_if_unused(further, state)
    return [f"dropped the view {place} and the table {place.store}.{place.name}" for place in places]


def _drop(further: Connection, places: list[Place], pipeline: str, summary: str | None) -> None:
    for place in places:
        further.execute(sql.SQL("drop view {}").format(place.view))
        further.execute(sql.SQL("drop table {}").format(place.table))
    further.execute(
        "delete from saved_summary using run where run.run_id = saved_summary.run_id "
        "and pipeline = %(pipeline)s and (%(summary)s::text is null or summary = %(summary)s)",
        {"pipeline": pipeline, "summary": summary},
    )
    for table in () if summary else ("published", "due_range", "due_day"):
        further.execute(sql.SQL("delete from {} where pipeline = %s").format(sql.Identifier(table)), [pipeline])
