"""Tables as Parquet, written and read in one way, and as CSV for people.

Parquet lies between the steps, beside the warehouse, and under a traced number. CSV files are opened in spreadsheets: a
text that a spreadsheet would run as a formula stays a text there. Parquet and the warehouse keep the exact text.
"""

from io import BytesIO
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

# Fewer are read as fast without threads, and 900 faster. Seen up to 337,000: in between nobody looked.
ROWS_WORTH_THREADS = 1_000_000


def read_parquet(file: BinaryIO, columns: list[str] | None = None) -> pa.Table:
    """Read a table from Parquet: all its columns, or those named."""
    # As one file: read_table would first make a dataset of it, which takes longer than a day's rows, and whose threads
    # live on for a moment: a process that ends meanwhile is aborted (seen in 9 of 160 on a busy machine).
    with pq.ParquetFile(file) as parquet:
        return parquet.read(columns, use_threads=parquet.metadata.num_rows >= ROWS_WORTH_THREADS)


def write_parquet(table: pa.Table, file: BinaryIO) -> None:
    """Write a table as Parquet; equal tables give equal bytes."""
    with parquet_writer(file, table.schema) as parquet:
        parquet.write_table(table)


def parquet_writer(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    """Write Parquet a table at a time; the caller closes it."""
    # zstd makes a day's file a quarter smaller, and takes a third longer to write and read.
    return pq.ParquetWriter(file, schema, compression="snappy")


# OWASP, "CSV Injection": what a cell of a formula begins with. Numbers are no texts and stay as they are.
FORMULA = r"^[=+\-@\t\r\n]"


def csv_bytes(rows: pa.Table) -> bytes:
    """Return a table as CSV with a header: texts quoted, nothing as nothing, and an apostrophe before each formula."""
    sink = BytesIO()
    pyarrow.csv.write_csv(without_formulas(rows), sink)
    return sink.getvalue()


def without_formulas(rows: pa.Table) -> pa.Table:
    """Return the table with an apostrophe before each text, and each name of a column, that begins like a formula."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            rows = rows.set_column(place, field.name, _without_formulas(rows[place]))
    return rows.rename_columns(_without_formulas(pa.array(rows.column_names, pa.string())).to_pylist())


def _without_formulas(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.replace_substring_regex(texts, f"({FORMULA})", r"'\1")
