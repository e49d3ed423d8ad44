"""Lines cut into columns by Arrow: texts, and whole numbers at once where no value can be read otherwise. Pure.

Called by fast.py. A column of plain integers needs no texts: Arrow reads it in the same pass, with the tokens for a
missing value. It reads one spelling more than values.py, hexadecimal numbers; a block that may hold such is cut into
texts. So is, from then on, a column in which a value is no number: columns.py says which, and what becomes of it.
"""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from daybook.loader.fields import BOM
from daybook.loader.fixed_width import texts_at_places
from daybook.loader.layout import INNER_DELIMITER, Layout
from daybook.loader.texts import content_of
from daybook.loader.values import PARSERS, Unfit
from daybook.spec.column import Column
from daybook.spec.writing import said

# The name of the field after a trailing delimiter; no column has it.
TRAILING = "\0"
# How Arrow begins its message about a value; the first column is 0.
UNFIT_VALUE = re.compile(r"In CSV column #(\d+)")


class Cut(NamedTuple):
    """Columns by header: texts, null if a field is empty without quotes, or integers; and the ragged rows."""

    columns: dict[str, pa.Array]
    ragged: list[int]


class _Fields(NamedTuple):
    """How a block's fields are read: their headers by name, and which become integers at once, with their tokens."""

    headers: dict[str, str]
    integers: set[str]
    tokens: tuple[str, ...]


def cut(data: bytes, layout: Layout) -> Cut:
    """Cut lines that are records into columns."""
    if places := layout.syntax.places:
        texts, odd = texts_at_places(data, places)
        return Cut({column.header: text for column, text in zip(layout.columns, texts, strict=True) if column}, odd)
    headers = {str(place): column.header for place, column in enumerate(layout.columns) if column}
    if layout.has_trailing_delimiter:
        headers[str(len(layout.columns) - 1)] = TRAILING
    while True:
        fields = _fields(data, layout, headers)
        try:
            return _read(data, layout, fields)
        except pa.ArrowInvalid as error:
            if not fields.integers:
                raise
            layout.not_all_integers.update(_unfit(error, fields))


def _fields(data: bytes, layout: Layout, headers: dict[str, str]) -> _Fields:
    if layout.syntax.has_marks(data) or _may_be_hexadecimal(data):
        return _Fields(headers, set(), ())
    # The first field also tells a header that is repeated.
    tokens = {name: layout.contract[headers[name]][1] for name in list(headers)[1:] if _is_plain(headers[name], layout)}
    common = Counter(tokens.values()).most_common(1)[0][0] if tokens else ()
    return _Fields(headers, {name for name, own in tokens.items() if own == common}, common)


def _may_be_hexadecimal(data: bytes) -> bool:
    # Most files have no such letter, and looking for one byte takes a tenth of looking for two.
    return any(letter in data and b"0" + letter in data for letter in (b"x", b"X"))


def _is_plain(header: str, layout: Layout) -> bool:
    """Return whether a column holds integers that are spelled as Arrow reads them, and no token looks like one."""
    if header not in layout.contract or header in layout.not_all_integers:
        return False
    column, tokens = layout.contract[header]
    is_plain = column.kind == "integer" and not (column.is_clock or said(column) or column.extra_zeros == "ignore")
    return is_plain and not any(token.strip(" \t") != token or _is_integer(token, column) for token in tokens)


def _is_integer(token: str, column: Column) -> bool:
    try:
        PARSERS[column.kind](column)(token)
    except Unfit:
        return False
    return True


def _unfit(error: pa.ArrowInvalid, fields: _Fields) -> set[str]:
    """Return the headers of the columns that an error is about."""
    found = UNFIT_VALUE.search(str(error))
    names = fields.integers.intersection(found.groups()) if found else set()
    return {fields.headers[name] for name in names or fields.integers}


def _read(data: bytes, layout: Layout, fields: _Fields) -> Cut:
    ragged: list[int] = []
    # Arrow strips a byte order mark at the start; one that belongs to the data is doubled, so that one remains.
    content = in_arrows_memory(BOM, data) if data.startswith(BOM) else in_arrows_memory(data)

    def set_aside(row: pa_csv.InvalidRow) -> str:
        ragged.append(row.number - 1)
        return "skip"

    names, syntax = [str(place) for place in range(len(layout.columns))], layout.syntax
    has_quotes = bool(syntax.quote) and syntax.quote in data
    table = pa_csv.read_csv(
        pa.BufferReader(content),
        # One thread and one block: otherwise Arrow does not number the ragged rows.
        pa_csv.ReadOptions(use_threads=False, block_size=content.size + 1, column_names=names),
        pa_csv.ParseOptions(
            delimiter=layout.inner.delimiter.decode(),
            quote_char=syntax.quote.decode() if has_quotes else False,
            escape_char=syntax.escape.decode() if syntax.escape and syntax.escape in data else False,
            newlines_in_values=has_quotes,
            invalid_row_handler=set_aside,
        ),
        pa_csv.ConvertOptions(
            check_utf8=False,
            column_types={name: pa.int64() if name in fields.integers else pa.string() for name in names},
            null_values=["", *fields.tokens] if fields.integers else [""],
            # A token may be a text, so if there are tokens, texts get their nulls below.
            strings_can_be_null=not fields.integers,
            quoted_strings_can_be_null=False,
            include_columns=list(fields.headers),
        ),
    )
    columns = {fields.headers[name]: _whole(table[name]) for name in table.column_names}
    if has_quotes:
        return Cut({name: _as_delivered(column, layout) for name, column in columns.items()}, ragged)
    return Cut({name: _with_nulls(column) if fields.integers else column for name, column in columns.items()}, ragged)


def in_arrows_memory(*contents: bytes | bytearray) -> pa.Buffer:
    """Return a copy of bytes that Arrow owns, one after the other.

    Arrow reads CSV ahead on a thread of its own, which can drop the bytes after us. A thread that frees an object of
    Python's while the process ends aborts it.
    """
    copy = pa.BufferOutputStream()
    for content in contents:
        copy.write(content)
    return copy.getvalue()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    # combine_chunks would copy a single chunk.
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _with_nulls(column: pa.Array) -> pa.Array:
    """Return a column whose texts are null if they are empty."""
    if not pa.types.is_string(column.type):
        return column
    are_empty = np.diff(content_of(column)[1]) == 0
    return pc.if_else(pa.array(are_empty), None, column) if are_empty.any() else column


def _as_delivered(column: pa.StringArray, layout: Layout) -> pa.StringArray:
    """Return texts with the delimiter of several bytes that stood in their quotes."""
    if len(layout.delimiter) == 1 or not (content_of(column)[0] == INNER_DELIMITER[0]).any():
        return column
    return pc.replace_substring(column, INNER_DELIMITER.decode(), layout.delimiter.decode())
