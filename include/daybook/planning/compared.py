"""The measures of published days, side by side: what the page of a day's report draws. Reads only.

A measure that adds up has a total of the day in the ledger. Any other is read from a summary without groups, which has
one row a day: the values of groups give none of the whole day.
"""

from datetime import date
from decimal import Context, Decimal
from fractions import Fraction

from psycopg import sql

from daybook.postgres.session import Connection
from daybook.rules.exact import quotient
from daybook.spec import Pipeline, Ratio, Summary

ROWS = "row_count"
# More digits than a ratio has: at most 18 before its point, and 20 after it.
EXACT = Context(prec=60)

ByDay = dict[date, Decimal]
"""The value of a measure on each day that has one."""


def compared(connection: Connection, pipeline: Pipeline, days: list[date]) -> dict[str, ByDay]:
    """Return the rows (`row_count`) and each measure and ratio of the summaries, by name, on those of the days that
    readers see.

    Left out are those that only have values of groups. Of days before a measure was in the spec it has none.
    """
    totals = _totals(connection, pipeline.name, days)
    single = [summary for summary in pipeline.summaries if not summary.by and not summary.every]
    rows = {summary.name: _rows(connection, pipeline, summary, days) for summary in single}
    of_totals = {name: _of_total(pipeline, name, totals) for name in [ROWS, *_published(pipeline)]}
    of_rows = {name: found for of_summary in rows.values() for name, found in of_summary.items()}
    found = {name: of_totals[name] or of_rows.get(name, {}) for name in of_totals}
    return {name: by_day for name, by_day in found.items() if by_day}


def not_compared(pipeline: Pipeline, found: dict[str, ByDay]) -> list[str]:
    """Return the measures and ratios of the summaries that have no value of the whole day. found: of `compared`."""
    return [name for name in _published(pipeline) if name not in found]


def _published(pipeline: Pipeline) -> list[str]:
    of_days = [summary for summary in pipeline.summaries if not summary.every]
    return list(dict.fromkeys(name for summary in of_days for name in summary.columns))


def _totals(connection: Connection, pipeline: str, days: list[date]) -> dict[date, dict[str, Decimal]]:
    rows = connection.execute(
        "select published.day, totals from published join ledger using (run_id) "
        "where published.pipeline = %s and published.day = any(%s) order by published.day",
        [pipeline, days],
    )
    return {day: {name: Decimal(total) for name, total in totals.items()} for day, totals in rows}


def _of_total(pipeline: Pipeline, name: str, totals: dict[date, dict[str, Decimal]]) -> ByDay:
    """Return a measure by day, by its name of then; or a ratio of two."""
    if ratio := next((ratio for ratio in pipeline.ratios if ratio.name == name), None):
        of, over = (_of_total(pipeline, part, totals) for part in (ratio.of, ratio.over))
        return {day: _divided(of[day], over[day], ratio) for day in of if over.get(day)}
    was = next((measure.renamed_from for measure in pipeline.measures if measure.name == name), None)
    names = [one for one in (name, was) if one]
    return {day: found[one] for day, found in totals.items() for one in names if one in found}


def _divided(of: Decimal, over: Decimal, ratio: Ratio) -> Decimal:
    exact = Fraction(of) * ratio.times / Fraction(over) * 10**ratio.scale
    return Decimal(quotient(exact.numerator, exact.denominator)).scaleb(-ratio.scale, EXACT)


def _rows(connection: Connection, pipeline: Pipeline, summary: Summary, days: list[date]) -> dict[str, ByDay]:
    """Return the columns of numbers of a summary that has one row a day, as far as its view has them by now."""
    view = sql.Identifier(pipeline.target.schema_, summary.name)
    there = connection.execute(
        "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [view.as_string(connection)],
    )
    known = {name for (name,) in there}
    names = [name for name in summary.columns if name in known]
    if not names:
        return {}
    columns = sql.SQL(", ").join(map(sql.Identifier, ["day", *names]))
    asked = sql.SQL("select {} from {} where day = any(%s) order by day").format(columns, view)
    found: dict[str, ByDay] = {name: {} for name in names}
    for day, *values in connection.execute(asked, [days]):
        for name, value in zip(names, values, strict=True):
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                found[name][day] = Decimal(value)
    return found
