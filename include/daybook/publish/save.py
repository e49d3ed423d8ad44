"""The step `save`: the summaries into the warehouse under the run's own number, durable but not yet visible to readers.

Rows of all runs are in `<schema>_store`; readers have rights only on the views of `<schema>`, which show the run that
`daybook.published` points to. Identifiers come from the spec and are quoted by psycopg.sql.
"""

from datetime import date, datetime
from io import BytesIO
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from daybook.ledger import runs
from daybook.postgres.session import Connection
from daybook.publish.live import stored
from daybook.spec import Pipeline

# Clean rows may be many.
ROWS_AT_ONCE = 50_000


class Run(NamedTuple):
    """The scheduler's name for a run, and when it read its facts."""

    started_by: str
    read_at: datetime


class Saved(NamedTuple):
    """The run's number, and the number of its rows in the warehouse, by summary."""

    run_id: int
    rows: dict[str, int]


def save(
    connection: Connection, pipeline: Pipeline, day: date, run: Run, summaries: dict[str, pa.Table], above: int = 0
) -> Saved:
    """Save the summaries of a day under a new run number, in one transaction. The warehouse is prepared for them.

    summaries: published columns only, by name. above: the largest number of which the published folder has files of the
    day; if the warehouse was restored alone, it does not know them. Unpublished rows of an earlier try stay: nobody
    sees them, and publish/cleanup.py removes them.
    """
    with connection.transaction():
        runs.number_above(connection, above)
        run_id = runs.begin_run(connection, pipeline.name, day, run.started_by, run.read_at)
        for summary in pipeline.views:
            _copy_in(connection, stored(pipeline, summary), run_id, summaries[summary.name])
            runs.note_saved(connection, run_id, summary.name, summaries[summary.name].column_names)
        return Saved(run_id, {s.name: _count(connection, stored(pipeline, s), run_id) for s in pipeline.views})


def _copy_in(connection: Connection, table: sql.Identifier, run_id: int, rows: pa.Table) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, ("run_id", *rows.column_names)))
    numbered = rows.add_column(0, "run_id", pa.array([run_id] * rows.num_rows, pa.int64()))
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} ({}) from stdin (format csv)").format(table, columns)) as copy,
    ):
        for batch in numbered.to_batches(ROWS_AT_ONCE):
            copy.write(_csv_bytes(pa.Table.from_batches([batch])))


def _csv_bytes(rows: pa.Table) -> bytes:
    # Texts are quoted and nulls are not, so an empty text and a null stay apart.
    sink = BytesIO()
    pyarrow.csv.write_csv(rows, sink, pyarrow.csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _count(connection: Connection, table: sql.Identifier, run_id: int) -> int:
    statement = sql.SQL("select count(*) from {} where run_id = %s").format(table)
    row = connection.execute(statement, [run_id]).fetchone()
    return int(row[0]) if row else 0
