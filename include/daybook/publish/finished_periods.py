"""The files of finished weeks, months, quarters and years: Parquet and CSV in the published folder, beside the days.

A period is finished if all its due days are published with all that the roll-up is made from. Then
`<summary>/<first day>` links to its files, as a day's link does. If a day of it is published again, the link moves to
new files; if one is taken back, the link goes. `finished_period` says what the folder shows. If a crash came
between, the next deployment or rollback of any day of the pipeline does the rest.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from daybook.ledger.exports import owe_no_period, owe_period
from daybook.postgres.session import Connection
from daybook.publish.files import write_files
from daybook.publish.live import live, target_of
from daybook.publish.published_folder import MENDED_AT_ONCE, lock_links
from daybook.publish.roll_up import roll_up
from daybook.rules import summarize
from daybook.spec import Pipeline, Summary, stored_numbers
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder

FILES = ".finished"
# Without the days that lack a part, their period is not finished: its file would have empty columns.
FINISHED = """
    with seen as (
        select date_trunc(%(every)s, day::timestamp)::date as period, day, run_id
        from published join saved_summary saved using (run_id)
        where pipeline = %(pipeline)s and summary = %(summary)s and saved.columns @> %(parts)s::text[]
    ), due as (
        select date_trunc(%(every)s, day::timestamp)::date as period, day
        from due_day where pipeline = %(pipeline)s
    ), complete as (
        select period, count(*) as days from due left join seen using (period, day)
        group by period having count(*) = count(run_id)
    )
    select period, days || ' ' || string_agg(day || ' ' || run_id, ' ' order by day)
    from seen join complete using (period) group by period, days order by period desc
"""


class Noted(NamedTuple):
    """The files of a finished period that the folder shows: a hash of all that they are made from, and of each."""

    state: str
    files: dict[str, str]


Period = tuple[str, date]
"""A roll-up's name, and the first day of a period."""


def follow_periods(connection: Connection, data: DataFolder, pipeline: Pipeline) -> bool:
    """Let the folder show the files of all finished periods, and no others; return whether any was left for next time.

    connection: used in one transaction. Call it after the days' links follow.
    """
    roll_ups = [summary for summary in pipeline.summaries if summary.every]
    if not roll_ups and not noted(connection, pipeline.name).get(pipeline.name):
        return False
    with connection.transaction():
        # Files in an object store take a while; readers of the warehouse wait for none of it.
        connection.execute("set local idle_in_transaction_session_timeout = 0")
        lock_links(connection, pipeline.name)
        shown = noted(connection, pipeline.name).get(pipeline.name, {})
        states = {s.name: found for s in roll_ups if (found := _states(connection, pipeline, s)) is not None}
        known = {s.name for s in roll_ups} - states.keys()
        wanted = {(name, period): state for name, found in states.items() for period, state in found.items()}
        gone = [one for one in shown if one not in wanted and one[0] not in known]
        take_away(connection, data, pipeline.name, gone)
        new = [one for one, state in wanted.items() if one not in shown or shown[one].state != state]
        for name, period in new[:MENDED_AT_ONCE]:
            summary = next(summary for summary in roll_ups if summary.name == name)
            _show(connection, data, pipeline, summary, period, wanted[name, period])
    return len(new) > MENDED_AT_ONCE


def noted(connection: Connection, pipeline: str | None = None) -> dict[str, dict[Period, Noted]]:
    """Return the finished periods that the folder shows, by pipeline: of all, or of one."""
    if connection.execute("select to_regclass('finished_period')").fetchone() == (None,):
        return {}
    found: dict[str, dict[Period, Noted]] = {}
    rows = connection.execute(
        "select pipeline, summary, period, state, files from finished_period "
        "where pipeline = coalesce(%s, pipeline) order by 1, 2, 3",
        [pipeline],
    )
    for name, summary, period, state, files in rows:
        found.setdefault(name, {})[summary, period] = Noted(state, files)
    return found


def finished_of(connection: Connection, pipeline: Pipeline) -> dict[str, list[date]]:
    """Return the first days of the finished periods that the folder shows, by roll-up, in order."""
    shown = noted(connection, pipeline.name).get(pipeline.name, {})
    return {s.name: [day for name, day in shown if name == s.name] for s in pipeline.summaries if s.every}


def with_days(connection: Connection, pipeline: Pipeline, days: list[date]) -> list[Period]:
    """Return the finished periods that some days are in."""
    every = {summary.name: summary.every for summary in pipeline.summaries if summary.every}
    query = "select distinct date_trunc(%s, day::timestamp)::date from unnest(%s::date[]) day"
    firsts = {name: {first for (first,) in connection.execute(query, [every[name], days])} for name in every}
    return [one for one in noted(connection).get(pipeline.name, {}) if one[1] in firsts.get(one[0], ())]


def take_away(connection: Connection, data: DataFolder, pipeline: str, periods: Iterable[Period]) -> None:
    """Let the folder show no files of some periods any more."""
    for summary, period in periods:
        folder = data.published(pipeline) / summary
        folder.remove_pointer(str(period))
        (folder / FILES / str(period)).remove()
        owe_no_period(connection, pipeline, summary, period)
        connection.execute(
            "delete from finished_period where (pipeline, summary, period) = (%s, %s, %s)",
            [pipeline, summary, period],
        )


def place_of(period: date, state: str) -> str:
    """Return where the files of a period lie, relative to the folder of its roll-up."""
    return f"{FILES}/{period}/{state[:16]}"


def _states(connection: Connection, pipeline: Pipeline, summary: Summary) -> dict[date, str] | None:
    """Return a hash of all that the files of each finished period are made from; None if the view is not as the spec
    says: the next run that saves makes it so."""
    there = live(connection, pipeline)[summary.name]
    if set(there.view) != set(summary.names) or there.place != target_of(pipeline, summary):
        return None
    if there.definition != roll_up(pipeline, summary, there.place, list(there.view)).digest:
        return None
    parts = list(stored_numbers(summary, pipeline.ratios))
    asked = {"every": summary.every, "pipeline": pipeline.name, "summary": summary.name, "parts": parts}
    words = f"{summarize.published_schema(pipeline, summary)} {there.definition}"
    rows = connection.execute(FINISHED, asked).fetchall()
    return {period: hashlib.sha256(f"{words} {days}".encode()).hexdigest() for period, days in rows}


def _show(
    connection: Connection, data: DataFolder, pipeline: Pipeline, summary: Summary, period: date, state: str
) -> None:
    rows = _rows(connection, pipeline, summary, period)
    # A day that was published since waits for our lock, and shows the period then.
    if (_states(connection, pipeline, summary) or {}).get(period) != state:
        return
    folder, place = data.published(pipeline.name) / summary.name, place_of(period, state)
    before = folder.pointed_to(str(period))
    files = {name: output.sha256 for name, output in write_files(folder / place, summary.name, rows).items()}
    folder.point(str(period), place)
    connection.execute(
        "insert into finished_period (pipeline, summary, period, state, files) values (%s, %s, %s, %s, %s) "
        "on conflict (pipeline, summary, period) do update set state = excluded.state, files = excluded.files",
        [pipeline.name, summary.name, period, state, json.dumps(files)],
    )
    owe_period(connection, pipeline, summary.name, period)
    _remove_older(folder / FILES / str(period), {place.rpartition("/")[2], before.rpartition("/")[2]})


def _remove_older(folder: Folder, kept: set[str]) -> None:
    # Who has just followed the link still finds the files of before.
    for name in set(folder.names()) - kept:
        (folder / name).remove()


def _rows(connection: Connection, pipeline: Pipeline, summary: Summary, period: date) -> pa.Table:
    fields = summarize.published_schema(pipeline, summary)
    query = sql.SQL("select {} from {} where {} = %s").format(
        sql.SQL(", ").join(map(sql.Identifier, fields.names)),
        target_of(pipeline, summary).view,
        sql.Identifier(str(summary.every)),
    )
    rows = connection.execute(query, [period]).fetchall()
    columns = zip(*rows, strict=True) if rows else ([] for _ in fields)
    table = pa.table([list(column) for column in columns], schema=fields)
    if not summary.by:
        return table
    return table.take(pc.sort_indices(table, sort_keys=[(name, "ascending") for name in summary.by]))
