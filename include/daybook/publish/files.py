"""The published files of a run: written by `save`, and once more from the warehouse's rows if they were lost."""

from datetime import date

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from daybook.errors import BadSpec
from daybook.ledger.receipt import Output
from daybook.postgres.session import Connection
from daybook.publish.live import stored
from daybook.rules import summarize
from daybook.spec import Pipeline, View
from daybook.storage.folder import Folder
from daybook.storage.tables import csv_bytes, write_parquet


def write_files(folder: Folder, name: str, summary: pa.Table) -> dict[str, Output]:
    """Write a summary as Parquet and as CSV; return the files by name."""
    with folder.new_file(f"{name}.parquet") as file:
        write_parquet(summary, file)
    with folder.new_file(f"{name}.csv") as file:
        file.write(csv_bytes(summary))
    return {
        file: Output(rows=summary.num_rows, **folder.written(file)._asdict())
        for file in (f"{name}.parquet", f"{name}.csv")
    }


def saved_rows(connection: Connection, pipeline: Pipeline, day: date, run_id: int) -> dict[str, pa.Table]:
    """Return the rows that a run saved in the warehouse, by summary, as they were published.

    Raises BadSpec if the warehouse has other columns than the spec, or no row of the run.
    """
    try:
        found = {summary.name: _rows(connection, pipeline, summary, run_id) for summary in pipeline.views}
    except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        reason = str(error).splitlines()[0]
        raise BadSpec(f"{pipeline.name} {day}: the rows of run {run_id} do not fit the spec of now: {reason}") from None
    if not any(rows.num_rows for rows in found.values()):
        raise BadSpec(f"{pipeline.name} {day}: the warehouse has no rows of run {run_id}")
    return found


def _rows(connection: Connection, pipeline: Pipeline, summary: View, run_id: int) -> pa.Table:
    schema = summarize.schema(pipeline, summary)
    query = sql.SQL("select {} from {} where run_id = %s").format(
        sql.SQL(", ").join(map(sql.Identifier, schema.names)), stored(pipeline, summary)
    )
    rows = connection.execute(query, [run_id]).fetchall()
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    table = pa.table([list(column) for column in columns], schema=schema)
    if not summary.by:
        return table
    return table.take(pc.sort_indices(table, sort_keys=[(name, "ascending") for name in summary.by]))
