"""Columns of texts as codes: each different text once, and for each row its number, as a hand-over file has them.

What a file gives as codes stays codes while rows are only counted, joined, grouped or handed on, since a number takes a
fraction of the time that a text takes. What looks into the texts asks for `plain`.
"""

from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc


class Codes(NamedTuple):
    """The code of each row, null if it has no text, and the text of each code."""

    numbers: pa.Array
    texts: pa.Array

    def column(self) -> pa.ChunkedArray:
        """Return the texts of the rows, as codes."""
        return pa.chunked_array([pa.DictionaryArray.from_arrays(self.numbers, self.texts)])


def is_coded(column: pa.ChunkedArray) -> bool:
    """Return whether a column is texts as codes."""
    return bool(pa.types.is_dictionary(column.type))


def codes_of(column: pa.ChunkedArray) -> Codes:
    """Return a column of texts, plain or coded, as codes."""
    found = column.unify_dictionaries() if is_coded(column) else pc.dictionary_encode(column)
    coded = found.combine_chunks()
    return Codes(coded.indices, coded.dictionary)


def plain(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return a column with its texts instead of codes."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def plain_table(rows: pa.Table) -> pa.Table:
    """Return rows with texts instead of codes."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            rows = rows.set_column(place, field.name, plain(rows[place]))
    return rows


def of_each_value(function: Callable[[pa.Array], pa.Array], column: pa.ChunkedArray) -> pa.Array:
    """Return what a function gives for each row of a column; it is asked for each different text once if it is coded.

    function: gives nothing for nothing.
    """
    if not is_coded(column):
        return function(column.combine_chunks())
    codes = codes_of(column)
    return function(codes.texts).take(codes.numbers)


def without_texts(column: pa.ChunkedArray, texts: pa.Array) -> pa.ChunkedArray:
    """Return a column of texts with nothing instead of some texts."""
    if not is_coded(column):
        return pc.if_else(pc.is_in(column, texts), pa.scalar(None, pa.string()), column)
    codes = codes_of(column)
    is_one = pc.is_in(codes.texts, texts).take(codes.numbers)
    return codes._replace(numbers=pc.if_else(is_one, pa.scalar(None, codes.numbers.type), codes.numbers)).column()
