"""A Parquet file as blocks of cells, batch by batch: never more than some batches are in memory.

Called by other_formats.py. Each type becomes the plain text of its values, exactly; a type that no column can hold
refuses the file if the contract has that column. Reads from the caller's stream.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from daybook.errors import BadData
from daybook.loader.cell_blocks import Block
from daybook.loader.cells import TOO_COARSE, Cell, Cells, Sort, as_json, cell_at, cells_of
from daybook.loader.header import layout_by_names
from daybook.loader.layout import Refusal
from daybook.spec.column import Column
from daybook.spec.source import Source

BUFFER_BYTES = 2**20
ENDS = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


class ParquetFile:
    """A file whose schema was read: the names of its columns and their types. Raises BadData if it is not whole."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        with self.errors():
            self._file = _opened(stream)
            self.schema = self._file.schema_arrow
        self.names = list(self.schema.names)

    def batches(self, rows: int, names: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Return the rows of some columns, or of all."""
        # No thread but ours may hold what the stream returns: see storage/tables.py.
        yield from self._file.iter_batches(rows, columns=names, use_threads=False)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise BadData for what Arrow says of a file."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                # The disk's, and not Arrow's.
                raise
            raise BadData(f"{self.name}: {_why(str(error))}; nothing is loaded; have it delivered again") from None


class ParquetRows:
    """The rows of a file. Raises BadData if it is not the one that was agreed."""

    def __init__(self, file: ParquetFile, source: Source, name: str, block_rows: int) -> None:
        self._file, self._name, self._block_rows = file, name, block_rows
        self.layout = layout_by_names(file.names, source, name)
        self._places = {column.header: place for place, column in enumerate(self.layout.columns) if column}
        self._check_types()

    def blocks(self) -> Iterator[Block]:
        """Return the rows, block by block; the first row is row 1."""
        wanted = [self._file.names[place] for place in self._places.values()]
        rest = _Whole(self._file, self._block_rows)
        first = 1
        with self._file.errors():
            for number, batch in enumerate(self._file.batches(self._block_rows, wanted)):
                yield Block(
                    numbers=np.arange(first, first + batch.num_rows),
                    cells=partial(self._cells, batch),
                    raw=partial(rest.raw, number),
                )
                first += batch.num_rows

    def _cells(self, batch: pa.RecordBatch) -> tuple[Mapping[str, Cells], Mapping[int, Refusal]]:
        contract = self.layout.contract
        return {
            header: array_cells(
                batch.column(batch.schema.get_field_index(self._file.names[place])), contract[header][0]
            )
            for header, place in self._places.items()
        }, {}

    def _check_types(self) -> None:
        for header, place in self._places.items():
            if not is_readable(kind := self._file.schema.field(place).type):
                raise BadData(
                    f"{self._name}: column {header!r} is of type {kind}, and no column holds that; nothing is loaded; "
                    "have it delivered as single values, or leave the column out of the contract"
                )


class _Whole:
    """The rows of a file with all their columns, read only as far as one is asked for."""

    def __init__(self, file: ParquetFile, block_rows: int) -> None:
        self._file, self._batches, self._at = file, file.batches(block_rows), -1
        self._batch: pa.RecordBatch | None = None

    def raw(self, number: int, places: Sequence[int]) -> list[bytes]:
        """Return rows of a batch as JSON. number: that of the batch; no smaller one is asked for later."""
        with self._file.errors():
            while self._at < number or self._batch is None:
                self._batch, self._at = next(self._batches), self._at + 1
        columns = [_any_cells(column, places) for column in self._batch.columns]
        return [as_json(self._file.names, [column[n] for column in columns]) for n in range(len(places))]


def _opened(stream: BinaryIO) -> pq.ParquetFile:
    # Spark's old timestamps have days that nanoseconds cannot tell; a checksum is checked if there is one.
    return pq.ParquetFile(
        stream,
        pre_buffer=False,
        buffer_size=BUFFER_BYTES,
        coerce_int96_timestamp_unit="us",
        page_checksum_verification=True,
    )


def _why(error: str) -> str:
    if "encrypted" in error.lower() or "decrypt" in error.lower():
        return "it is encrypted, and no key was agreed"
    return "it is not a whole Parquet file: the upload may be cut, or its bytes are damaged"


def _any_cells(column: pa.Array, places: Sequence[int]) -> list[Cell | None]:
    """Return the cells of some rows of a column of any type."""
    some = column.take(pa.array(places, pa.int64()))
    if not is_readable(some.type):
        return [Cell(Sort.WRITTEN, str(value)) if value is not None else None for value in some.to_pylist()]
    cells = array_cells(some, None)
    return [cell_at(cells, n) for n in range(len(places))]


def is_readable(kind: pa.DataType) -> bool:
    """Return whether a type is one of single values."""
    kind = _plain_type(kind)
    return not (pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(kind.storage_type)
    return _plain_type(kind.value_type) if pa.types.is_dictionary(kind) else kind


def array_cells(array: pa.Array, column: Column | None) -> Cells:
    """Return an array as a column of cells. column: that of the contract; None if there is none."""
    array = array.storage if isinstance(array, pa.ExtensionArray) else array
    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    kind = array.type
    if pa.types.is_floating(kind):
        return _floats(array.cast(pa.float32()) if pa.types.is_float16(kind) else array, column)
    if pa.types.is_decimal(kind):
        return {Sort.NUMBER: (array.cast(pa.decimal256(76, kind.scale))).cast(pa.string())}
    if pa.types.is_integer(kind):
        return {Sort.NUMBER: array.cast(pa.string())}
    if pa.types.is_boolean(kind):
        return {Sort.BOOLEAN: array.cast(pa.string())}
    if pa.types.is_timestamp(kind):
        return _instants(array)
    if pa.types.is_date(kind):
        return {Sort.LOCAL: array.cast(pa.string())}
    if pa.types.is_time(kind):
        return {Sort.LOCAL: _without_zero_nanoseconds(array.cast(pa.string()), kind)}
    return {} if pa.types.is_null(kind) else _texts(array)


def _floats(array: pa.Array, column: Column | None) -> Cells:
    """Return numbers of floating point as the shortest decimals that give them; those that may be others are wrong."""
    texts = array.cast(pa.string())
    for spelled, end in ENDS.items():
        texts = pc.if_else(pc.equal(texts, end), spelled, texts)
    if column is None or column.kind not in ("integer", "decimal", "text"):
        return {Sort.NUMBER: texts}
    numbers = np.abs(np.nan_to_num(array.to_numpy(zero_copy_only=False)))
    are_coarse = pa.array(np.spacing(numbers).astype(float) * 10.0**column.scale > 1)
    wrong = pc.if_else(are_coarse, texts, None)
    if wrong.null_count == len(wrong):
        return {Sort.NUMBER: texts}
    told = [text and TOO_COARSE.format(text, column.scale) for text in wrong.to_pylist()]
    return {Sort.NUMBER: pc.if_else(are_coarse, None, texts), Sort.WRONG: pa.array(told, pa.string())}


def _instants(array: pa.Array) -> Cells:
    kind = array.type
    plain = array.cast(pa.int64()).cast(pa.timestamp(kind.unit))
    texts = plain.cast(pa.string())
    texts = pc.replace_substring(_without_zero_nanoseconds(texts, kind), " ", "T")
    if kind.tz is None:
        return {Sort.LOCAL: texts}
    has_fraction = kind.unit != "s"
    return {Sort.INSTANT: pc.binary_join_element_wise(texts, "Z" if has_fraction else ".0Z", "")}


def _without_zero_nanoseconds(texts: pa.StringArray, kind: pa.DataType) -> pa.StringArray:
    # Nanoseconds that are zeros are microseconds, exactly.
    return pc.replace_substring_regex(texts, r"000$", "") if kind.unit == "ns" else texts


def _texts(array: pa.Array) -> Cells:
    """Return texts; bytes that are not UTF-8 are wrong."""
    try:
        texts = array.cast(pa.string())
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return _decoded(array.cast(pa.binary()).to_pylist())
    return {Sort.WRITTEN: texts}


def _decoded(values: list[bytes | None]) -> Cells:
    return cells_of([value if value is None else _text(value) for value in values])


def _text(value: bytes) -> Cell:
    try:
        return Cell(Sort.WRITTEN, value.decode())
    except UnicodeDecodeError as error:
        return Cell(Sort.WRONG, f"byte 0x{value[error.start]:02X} at offset {error.start} is not utf-8")
