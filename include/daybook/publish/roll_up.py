"""The view of a roll-up: a row per period and group, over the rows of the days that readers see.

It is a plain view, so one query sees one state of all days, and a month is always the sum of its published days. How a
column is made: counts and sums of the days are added up, minima and maxima compared, and ratios made from these as
rules/summarize.py makes them: rounded half away from zero, by whole division. Numbers that are added up are numeric in
SQL, so that they cannot overflow.

A day is in it if its run saved the summary; a column is empty in a period until all days of it have what it is made
from, as after the spec got a new measure.
"""

import hashlib
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
from psycopg import sql

from daybook.postgres.sql_types import sql_type
from daybook.publish.live import Place
from daybook.rules import summarize
from daybook.spec import DAYS_DUE, DAYS_PUBLISHED, Measure, Pipeline, Ratio, Summary, stored_numbers


class RollUp(NamedTuple):
    """The view of a roll-up: the statement that makes it, or replaces it, and the digest of what it computes."""

    statement: sql.Composed
    digest: str


def roll_up(pipeline: Pipeline, summary: Summary, place: Place, names: list[str]) -> RollUp:
    """Return a roll-up's view at a place, with the columns of these names in their order."""
    made = _columns(pipeline, summary)
    shown = [sql.SQL("{} as {}").format(made[name], sql.Identifier(name)) for name in names]
    query = sql.SQL(
        "select {shown} from published "
        "join saved_summary saved on saved.run_id = published.run_id and saved.summary = {summary} "
        "join {table} stored on stored.run_id = published.run_id and stored.day = published.day "
        "join ({days}) days on days.period = {period} left join ({due}) due on due.period = days.period "
        "where published.pipeline = {pipeline} group by {groups}"
    ).format(
        shown=sql.SQL(", ").join(shown),
        summary=sql.Literal(summary.name),
        table=place.table,
        days=_days(pipeline, summary),
        period=_period(summary, "published"),
        due=_due(pipeline, summary),
        pipeline=sql.Literal(pipeline.name),
        groups=sql.SQL(", ").join([*map(_stored, summary.by), *_of_period(pipeline, summary)]),
    )
    words = [summary.name, summary.every, *summary.by, *stored_numbers(summary, pipeline.ratios)]
    digest = hashlib.sha256(f"{words} {sql.SQL(', ').join(shown).as_string()}".encode()).hexdigest()
    return RollUp(sql.SQL("create or replace view {} as {}").format(place.view, query), digest)


def _columns(pipeline: Pipeline, summary: Summary) -> dict[str, sql.Composable]:
    """Return how each column of the view is made, by name."""
    schema = summarize.published_schema(pipeline, summary)
    numbers = {name: _number(pipeline, summary, schema.field(name)) for name in summary.columns}
    days = {DAYS_PUBLISHED: sql.SQL("days.published"), DAYS_DUE: sql.SQL("coalesce(due.days, 0)")}
    period, groups = {str(summary.every): sql.SQL("days.period")}, {name: _stored(name) for name in summary.by}
    return {**period, **groups, **numbers, **days}


def _number(pipeline: Pipeline, summary: Summary, field: pa.Field) -> sql.Composed:
    measures = {measure.name: measure for measure in pipeline.measures}
    ratio = next((ratio for ratio in pipeline.ratios if ratio.name == field.name), None)
    made = _ratio(ratio, field.type.scale, measures) if ratio else _measure(measures[field.name], field.type)
    parts = [ratio.of, ratio.over] if ratio else [field.name]
    has = sql.SQL(" and ").join(_flags(pipeline, summary)[part] for part in parts)
    return sql.SQL("(case when {} then {} end)::{}").format(has, made, sql.SQL(sql_type(field.type)))


def _measure(measure: Measure, type: pa.DataType) -> sql.Composed:
    how = "sum" if measure.how == "count" else measure.how
    # Texts are compared by code point, as the engines do, whatever the collation of the database is.
    by_code_point = sql.SQL(' collate "C"' if pa.types.is_string(type) else "")
    return sql.SQL("{}({}{})").format(sql.SQL(how), _stored(measure.name), by_code_point)


def _ratio(ratio: Ratio, scale: int, measures: dict[str, Measure]) -> sql.Composed:
    # round(n / d * times, 2) half away from zero = sign(n) * floor((2 * |n| * times * 100 + d) / (2 * d)) hundredths.
    # div() is exact (PostgreSQL's manual, 9.3); a quotient of two numerics is rounded, and would be rounded once more.
    of, over = (_measure(measures[name], pa.int64()) for name in (ratio.of, ratio.over))
    top, bottom = (sql.SQL("{}::numeric").format(part) for part in (of, over))
    return sql.SQL(
        "sign({top}) * sign({bottom}) * {last} * "
        "div(abs({top}) * {twice} + abs({bottom}), nullif(abs({bottom}) * 2, 0))"
    ).format(
        top=top,
        bottom=bottom,
        twice=sql.Literal(2 * ratio.times * 10**scale),
        last=sql.Literal(Decimal(1).scaleb(-scale)),
    )


def _flags(pipeline: Pipeline, summary: Summary) -> dict[str, sql.SQL]:
    """Return what says whether all days of a period have a measure, by its name."""
    return {name: sql.SQL(f"days.has_{n}") for n, name in enumerate(stored_numbers(summary, pipeline.ratios))}


def _days(pipeline: Pipeline, summary: Summary) -> sql.Composed:
    """Return the query that tells of each period how many days are in it, and which measures all of them have."""
    has = sql.SQL("bool_and(saved.columns @> array[{}])")
    flags = [
        has.format(sql.Literal(name)) + sql.SQL(f" as has_{n}") for n, name in enumerate(_flags(pipeline, summary))
    ]
    return sql.SQL(
        "select {period} as period, count(*) as published, {flags} from published "
        "join saved_summary saved on saved.run_id = published.run_id and saved.summary = {summary} "
        "where published.pipeline = {pipeline} group by 1"
    ).format(
        period=_period(summary, "published"),
        flags=sql.SQL(", ").join(flags),
        summary=sql.Literal(summary.name),
        pipeline=sql.Literal(pipeline.name),
    )


def _due(pipeline: Pipeline, summary: Summary) -> sql.Composed:
    return sql.SQL("select {} as period, count(*) as days from due_day where due_day.pipeline = {} group by 1").format(
        _period(summary, "due_day"), sql.Literal(pipeline.name)
    )


def _of_period(pipeline: Pipeline, summary: Summary) -> list[sql.SQL]:
    """Return what is the same in all rows of a period, and so may be selected beside sums."""
    return [*map(sql.SQL, ("days.period", "days.published", "due.days")), *_flags(pipeline, summary).values()]


def _period(summary: Summary, table: str) -> sql.Composed:
    # Of a timestamp without a zone: of a date, date_trunc makes an instant of the session's zone.
    return sql.SQL("date_trunc({}, {}.day::timestamp)::date").format(sql.Literal(summary.every), sql.Identifier(table))


def _stored(name: str) -> sql.Composed:
    return sql.SQL("stored.{}").format(sql.Identifier(name))
