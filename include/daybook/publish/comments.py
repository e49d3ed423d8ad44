"""What the spec says to readers of a view and its columns, as comments in the warehouse, which every tool shows.

They follow the spec with the next run that saves, also if nothing else has changed; no day is done again for them. A
description that the spec has lost is taken away. Comments are text of people: they go in as literals, on one line.
"""

from psycopg import sql

from daybook.postgres.session import Connection
from daybook.publish.live import Place
from daybook.spec import Pipeline, View, fact_columns, own_columns
from daybook.text import one_line

Comments = dict[str, str]
"""Comments by column; that of the view itself is under ""."""


def comment_changes(connection: Connection, pipeline: Pipeline, summary: View, place: Place) -> list[sql.Composed]:
    """Return the statements that bring the comments of a view, which is as the spec says, into line with the spec."""
    wanted, there = comments(pipeline, summary), _live(connection, place)
    return [
        _statement(place, column, wanted.get(column))
        for column in ("", *summary.names)
        if wanted.get(column) != there.get(column)
    ]


def comments(pipeline: Pipeline, summary: View) -> Comments:
    """Return the comments that a summary's view and columns should have; what has no words has none."""
    known = {name: _words(column.description, column.unit) for name, column in fact_columns(pipeline).items()}
    known |= {derived.name: _words(derived.description, derived.unit) for derived in pipeline.derived}
    known |= {measure.name: _words(measure.description, measure.unit) for measure in pipeline.measures}
    known |= {ratio.name: _words(ratio.description, ratio.unit) for ratio in pipeline.ratios}
    own = own_columns(summary, pipeline.schedule.time_zone)
    said = {"": one_line(summary.description), **{name: own.get(name) or known.get(name, "") for name in summary.names}}
    return {name: words for name, words in said.items() if words}


def _words(description: str, unit: str) -> str:
    return one_line("; ".join(filter(None, (description, f"in {unit}" if unit else ""))))


def _live(connection: Connection, place: Place) -> Comments:
    rows = connection.execute(
        "select coalesce(attname, ''), description from pg_description "
        "left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0 "
        "where classoid = 'pg_class'::regclass and objoid = to_regclass(%s)",
        [place.view.as_string(connection)],
    )
    return dict(rows.fetchall())


def _statement(place: Place, column: str, words: str | None) -> sql.Composed:
    # A statement about a definition takes no parameters; a literal is quoted by the driver.
    said = sql.SQL("null") if words is None else sql.Literal(words)
    if not column:
        return sql.SQL("comment on view {} is {}").format(place.view, said)
    named = sql.Identifier(place.schema, place.name, column)
    return sql.SQL("comment on column {} is {}").format(named, said)
