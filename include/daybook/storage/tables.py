"""Tables as Parquet, written and read in one way, and as CSV for people.

Parquet passes data between the steps, and is published beside the warehouse. People open the CSV files in spreadsheets:
a text that a spreadsheet would run as a formula stays a text there, and no sign turns a line around or rules a
terminal. Parquet and the warehouse keep the exact text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from daybook.text import FORMULA, ODD, escape

# How much is read at once, at least: enough that an engine's start does not count, and no more.
BATCH_BYTES = 2**25
# A text takes four bytes and itself, and its number in a dictionary less: of texts that take less than this, many are
# equal, and numbers are read in a fifth of the time.
CODED_BYTES = 4
# Decimals of so many digits fit 64 bits.
LONGEST_INTEGER = 18


def keys_file(lookup: str) -> str:
    """Return the name of the file in which `index` keeps the keys of the facts for a lookup."""
    return f"keys.{lookup}.parquet"


def measures_file(summary: str) -> str:
    """Return the name of the file in which `aggregate` keeps the measures of a summary that do not add up."""
    return f"measures.{summary}.parquet"


def rows_file(view: str) -> str:
    """Return the name of the file in which `aggregate` keeps the clean rows of a view."""
    return f"rows.{view}.parquet"


def part_file(name: str, number: int) -> str:
    """Return the name of the file of a part of a table, which has several if several machines write it."""
    return f"{name.removesuffix('.parquet')}.{number:05}.parquet"


def files_of(name: str, names: Iterable[str]) -> list[str]:
    """Return the files of a table, in the order of its rows, among these names: one of its name, or its parts."""
    stem = re.escape(name.removesuffix(".parquet"))
    return sorted(one for one in names if re.fullmatch(rf"{stem}(\.\d{{5,}})?\.parquet", one))


def read_parquet(file: BinaryIO, columns: list[str] | None = None) -> pa.Table:
    """Read a table from Parquet: all its columns, or only those named."""
    # Not read_table: that builds a dataset first, which takes longer than a day's rows. And no thread but ours may hold
    # what the file returns: Arrow's threads can drop it after us, and one that frees an object of Python's while the
    # process ends aborts it (seen in 4 of 150 on a busy machine). Threads gain nothing: measured up to 3,000,000 rows.
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        return parquet.read(columns, use_threads=False)


def parquet_batches(
    file: BinaryIO, columns: list[str] | None = None, least_rows: int = 0, groups: Sequence[int] | None = None
) -> Iterator[pa.Table]:
    """Yield the rows of a Parquet file in their order, some row groups at a time; without rows, one empty table.

    columns: only those. least_rows: how many at a time, even if they take more than BATCH_BYTES. groups: only these row
    groups. Which rows come together depends on nothing but these and the file. Texts that come again and again are
    codes of a dictionary, one for all rows of a table.
    """
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        coded = _repeated_texts(parquet.metadata)
    with pq.ParquetFile(file, pre_buffer=False, read_dictionary=coded) as parquet:
        waiting: list[pa.Table] = []
        for group in range(parquet.num_row_groups) if groups is None else groups:
            waiting.append(parquet.read_row_group(group, columns, use_threads=False))
            is_enough = sum(one.nbytes for one in waiting) >= BATCH_BYTES
            if is_enough and sum(one.num_rows for one in waiting) >= least_rows:
                yield pa.concat_tables(waiting).unify_dictionaries()
                waiting = []
        if waiting or not parquet.num_row_groups:
            rest = pa.concat_tables(waiting) if waiting else parquet.read(columns, use_threads=False)
            yield rest.unify_dictionaries()


def _repeated_texts(metadata: pq.FileMetaData) -> list[str]:
    """Return the columns of texts that take so little space that there can be few different ones."""
    texts = [place for place in range(metadata.num_columns) if _is_text(metadata.schema.column(place))]
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    sizes = {place: sum(group.column(place).total_uncompressed_size for group in groups) for place in texts}
    few = [place for place, size in sizes.items() if size < CODED_BYTES * metadata.num_rows]
    return [metadata.schema.column(place).path for place in few]


def _is_text(column: pq.ColumnSchema) -> bool:
    return bool(column.logical_type.type == "STRING")


def row_group_bytes(file: BinaryIO) -> list[int]:
    """Return how many bytes each row group of a Parquet file takes, not compressed."""
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        return [parquet.metadata.row_group(number).total_byte_size for number in range(parquet.num_row_groups)]


def row_count(file: BinaryIO) -> int:
    """Return how many rows a Parquet file has, and stand at its beginning again."""
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        rows: int = parquet.metadata.num_rows
    file.seek(0)
    return rows


def write_parquet(table: pa.Table, file: BinaryIO) -> None:
    """Write a table as Parquet that readers outside get; equal tables give equal bytes."""
    with parquet_writer(file, table.schema) as parquet:
        parquet.write_table(table)


def parquet_writer(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a writer of Parquet that readers outside get, one table at a time; the caller closes it."""
    return pq.ParquetWriter(file, schema, compression="snappy")


@contextmanager
def hand_over(file: BinaryIO, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Write Parquet that a later step reads whole, one table at a time, by the function of the block.

    schema: of the tables, in which texts may be codes of a dictionary instead; either way they are read as texts.
    """
    writer: pq.ParquetWriter | None = None

    def write(rows: pa.Table) -> None:
        nonlocal writer
        writer = writer or _hand_over_writer(file, _with_codes_of(rows, schema))
        writer.write_table(_of_types(rows, writer.schema))

    try:
        yield write
        writer = writer or _hand_over_writer(file, schema)
    finally:
        if writer:
            writer.close()


def _hand_over_writer(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    # Whole numbers by their differences, lz4, and no statistics, which nobody asks: of 2,000,000 flights half the
    # processor time of snappy with dictionaries to write, three quarters of it to read, and 60 % of the bytes.
    deltas = {field.name: "DELTA_BINARY_PACKED" for field in schema if _is_integer(field.type)}
    return pq.ParquetWriter(
        file,
        schema,
        compression="lz4",
        use_dictionary=[field.name for field in schema if field.name not in deltas],
        column_encoding=deltas,
        store_decimal_as_integer=True,
        # Arrow's own schema would say whether texts were codes.
        store_schema=False,
        write_statistics=False,
    )


def _with_codes_of(rows: pa.Table, schema: pa.Schema) -> pa.Schema:
    """Return a schema with codes for those texts that are codes in some rows."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            schema = schema.set(place, field)
    return schema


def _of_types(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with codes for those texts that are codes in a schema, and with the other texts themselves."""
    for place, (own, wanted) in enumerate(zip(rows.schema, schema, strict=True)):
        if pa.types.is_dictionary(own.type) and not pa.types.is_dictionary(wanted.type):
            rows = rows.set_column(place, own.name, rows[place].cast(wanted.type))
        elif pa.types.is_dictionary(wanted.type) and not pa.types.is_dictionary(own.type):
            rows = rows.set_column(place, own.name, pc.dictionary_encode(rows[place]))
    return rows


def _is_integer(kind: pa.DataType) -> bool:
    """Return whether Parquet keeps a type as 32-bit or 64-bit integers."""
    if pa.types.is_decimal(kind):
        return bool(kind.precision <= LONGEST_INTEGER)
    return any(is_one(kind) for is_one in (pa.types.is_integer, pa.types.is_date, pa.types.is_timestamp))


def csv_bytes(rows: pa.Table) -> bytes:
    """Return a table as CSV with a header: texts quoted, missing values empty, harmless for who opens it."""
    sink = BytesIO()
    pyarrow.csv.write_csv(harmless(rows), sink)
    return sink.getvalue()


def harmless(rows: pa.Table) -> pa.Table:
    """Return the table with an apostrophe before each text and column name that begins like a formula, and escapes for
    control characters and direction marks in them. Numbers are not texts and stay as they are."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            rows = rows.set_column(place, field.name, _harmless(rows[place]))
    return rows.rename_columns(_harmless(pa.array(rows.column_names, pa.string())).to_pylist())


def _harmless(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    texts = pc.replace_substring_regex(texts, f"^({FORMULA})", r"'\1")
    for sign in _odd_signs(texts):
        texts = pc.replace_substring(texts, sign, escape(sign))
    return texts


def _odd_signs(texts: pa.Array | pa.ChunkedArray) -> list[str]:
    if not pc.any(pc.match_substring_regex(texts, f"[{ODD}]")).as_py():
        return []
    return [sign for sign in ODD if pc.any(pc.match_substring(texts, sign)).as_py()]
