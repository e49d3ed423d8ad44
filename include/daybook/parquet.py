"""Tables as Parquet, written and read in one way: between the steps, for readers, and where a number is traced."""

from typing import BinaryIO

import pyarrow as pa
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
