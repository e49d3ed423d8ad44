"""A whole column of texts parsed into values at once, exactly as values.py parses them one by one.

Called by fast.py. It parses all that is safe to parse by column; number_columns.py and moment_columns.py know their
spellings. Every odd value (a token for a missing value, an exponent that Arrow would take, an overflow) goes to
values.py, once per spelling. Pure.
"""

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.loader.moment_columns import moments
from daybook.loader.moments import CLOCK_DAY, CLOCK_DAY_FORMAT, FIRST_YEAR
from daybook.loader.number_columns import is_plain, plain_numbers
from daybook.loader.texts import Flags, Numbers, content_of, flagged, flags, holders
from daybook.loader.values import PARSERS, TRIMMED, Unfit, is_empty_a_value, reader
from daybook.spec.column import Column, arrow_type

# The formulas of values.py without a quote in their text.
FORMULA = r'\A="([^"]*)"\z'
# If a cast fails, it is tried again in chunks of so many texts, and the failing chunks in smaller ones.
HUNT_SIZES = (1024, 32)
MICROS = pa.scalar(1_000_000, pa.int64())
# From this day on, Arrow reads ISO dates as strictly as values.py.
FIRST_DAY = pa.scalar(date(FIRST_YEAR, 1, 1))


class ParsedColumn(NamedTuple):
    """A column of values, null if missing, and which rows hold a text that is not of its kind."""

    values: pa.Array
    are_unfit: Flags


def parsed_column(texts: pa.StringArray, column: Column, tokens: tuple[str, ...]) -> ParsedColumn:
    """Parse a column's texts into values; a null text is an empty field without quotes."""
    if column.is_trimmed:
        return _parsed_trimmed(texts, column, tokens)
    if column.formulas == "read":
        return _parsed_formulas(texts, column, tokens)
    if column.kind == "text":
        return ParsedColumn(texts, np.zeros(len(texts), bool))
    if column.kind in ("integer", "decimal"):
        texts = _trimmed(texts)
    if is_empty_a_value(column):
        texts = pc.fill_null(texts, "")
    values, are_odd = _vouched_for(texts, column, _empty_texts(texts) | _tokens_that_are_values(texts, column, tokens))
    return _settled(texts, values, are_odd, column, tokens) if are_odd.any() else ParsedColumn(values, are_odd)


def _parsed_trimmed(texts: pa.StringArray, column: Column, tokens: tuple[str, ...]) -> ParsedColumn:
    """Parse texts without the blanks around them; those of blanks alone are values.py's, which knows of quotes."""
    trimmed = pc.utf8_trim(texts, TRIMMED)
    are_emptied = (np.diff(content_of(trimmed)[1]) == 0) & (np.diff(content_of(texts)[1]) > 0)
    parsed = parsed_column(trimmed, column.model_copy(update={"is_trimmed": None}), tokens)
    return parsed._replace(are_unfit=parsed.are_unfit | are_emptied)


def _parsed_formulas(texts: pa.StringArray, column: Column, tokens: tuple[str, ...]) -> ParsedColumn:
    """Parse texts without the signs of formulas round them; those with quotes in them are left to values.py."""
    plain = column.model_copy(update={"formulas": None})
    if not (content_of(texts)[0] == ord("=")).any():
        return parsed_column(texts, plain, tokens)
    texts = pc.replace_substring_regex(texts, FORMULA, r"\1")
    are_left = flags(pc.fill_null(pc.starts_with(texts, '="'), False))
    parsed = parsed_column(texts, plain, tokens)
    return parsed._replace(are_unfit=parsed.are_unfit | are_left)


def _trimmed(texts: pa.StringArray) -> pa.StringArray:
    content, _ = content_of(texts)
    return pc.ascii_trim(texts, " \t") if (content <= 32).any() else texts


def _empty_texts(texts: pa.StringArray) -> Flags:
    # Empty but not null: it was in quotes, or only blanks.
    _, offsets = content_of(texts)
    are_empty: Flags = np.diff(offsets) == 0
    if np.count_nonzero(are_empty) == texts.null_count:
        return np.zeros(len(texts), bool)
    return are_empty & flags(texts.is_valid())


def _tokens_that_are_values(texts: pa.StringArray, column: Column, tokens: tuple[str, ...]) -> Flags:
    # A token such as -999 would be read as a number.
    taken = [token for token in tokens if _is_value(column, token)]
    return flags(pc.is_in(texts, pa.array(taken, pa.string()))) if taken else np.zeros(len(texts), bool)


def _is_value(column: Column, token: str) -> bool:
    try:
        PARSERS[column.kind](column)(token)
    except Unfit:
        return False
    return True


def _vouched_for(texts: pa.StringArray, column: Column, are_odd: Flags) -> tuple[pa.Array, Flags]:
    """Return the values, null where they are odd, and which are odd."""
    match column.kind:
        case "integer" if column.is_clock:
            return _from_clock_times(texts, column, are_odd)
        case "integer" | "decimal" if not is_plain(texts, column):
            return _from_other_spelling(texts, column, are_odd)
        case "integer":
            return _cast(texts, arrow_type(column), are_odd | _with_other_bytes(texts, NOT_INTEGER))
        case "decimal":
            are_odd = are_odd | _with_other_bytes(texts, NOT_DECIMAL) | _with_odd_points(texts, column.scale)
            are_odd = are_odd | (np.diff(content_of(texts)[1]) > LONGEST_DECIMAL)
            return _cast(texts, arrow_type(column), are_odd)
        case "date" if column.format == "%Y-%m-%d":
            values, are_odd = _cast(texts, arrow_type(column), are_odd)
            return values, are_odd | flags(pc.fill_null(pc.less(values, FIRST_DAY), False))
        case "date" | "timestamp":
            values, are_read = moments(*content_of(texts), column)
            are_odd = are_odd | ~are_read & flags(texts.is_valid())
            return pc.if_else(pa.array(~are_odd & are_read), values, None), are_odd
    return pa.nulls(len(texts), arrow_type(column)), flags(texts.is_valid())


def _from_clock_times(texts: pa.StringArray, column: Column, are_odd: Flags) -> tuple[pa.Array, Flags]:
    of_day = column.model_copy(update={"kind": "timestamp", "format": f"{CLOCK_DAY_FORMAT}{column.format}"})
    read, are_read = moments(*content_of(pc.binary_join_element_wise(CLOCK_DAY, texts, "")), of_day)
    micros = read.cast(pa.int64())
    seconds = pc.divide(micros, MICROS)
    are_whole = flags(pc.equal(pc.multiply(seconds, MICROS), micros))
    are_odd = are_odd | ~(are_read & are_whole) & flags(texts.is_valid())
    return pc.if_else(pa.array(~are_odd & are_read), seconds, None), are_odd


def _from_other_spelling(texts: pa.StringArray, column: Column, are_odd: Flags) -> tuple[pa.Array, Flags]:
    plain = plain_numbers(texts, column)
    are_odd = are_odd | plain.are_odd | (np.diff(content_of(plain.texts)[1]) > LONGEST_DECIMAL)
    kind = arrow_type(column)
    is_divided = column.percent == "divide"
    values, are_odd = _cast(plain.texts, pa.decimal128(kind.precision, kind.scale - 2) if is_divided else kind, are_odd)
    if is_divided:
        # A hundredth is the same number in units of a last digit two places further on.
        values = pa.Array.from_buffers(kind, len(values), values.buffers(), offset=values.offset)
    return pc.if_else(pa.array(plain.are_negative), pc.negate(values), values), are_odd


def _other_bytes(allowed: bytes) -> Flags:
    are_other = np.ones(256, bool)
    are_other[list(allowed)] = False
    return are_other


# Without the x of hexadecimal numbers and the e of exponents, which Arrow reads. A plus is read by values.py.
NOT_INTEGER = _other_bytes(b"0123456789-")
NOT_DECIMAL = _other_bytes(b"0123456789-.")
# Arrow reads a text of 126 digits as another number, without an error; up to 38 digits fit its 128 bits.
LONGEST_DECIMAL = 38


def _with_other_bytes(texts: pa.StringArray, are_other: Flags) -> Flags:
    content, offsets = content_of(texts)
    # Bytes wrap around below zero, so this is one comparison for all bytes that are not digits.
    places = np.flatnonzero(content - np.uint8(48) > 9)
    return flagged(holders(places[are_other[content[places]]], offsets), len(texts))


def _with_odd_points(texts: pa.StringArray, scale: int) -> Flags:
    # Arrow accepts ".5" and "5.", and fails a whole column for one decimal too many.
    content, offsets = content_of(texts)
    points = np.flatnonzero(content == ord("."))
    held_by = holders(points, offsets)
    before, after = points - offsets[held_by], offsets[held_by + 1] - points - 1
    are_odd = (before == 0) | (content[points - 1] == ord("-")) | (after == 0) | (after > scale)
    return flagged(held_by[are_odd], len(texts))


def _cast(texts: pa.StringArray, kind: pa.DataType, are_odd: Flags) -> tuple[pa.Array, Flags]:
    plain = _without(texts, are_odd)
    try:
        return plain.cast(kind), are_odd
    except pa.ArrowInvalid:
        are_odd = are_odd | flagged(_misfits(plain, kind), len(texts))
        return _without(texts, are_odd).cast(kind), are_odd


def _without(texts: pa.StringArray, are_odd: Flags) -> pa.StringArray:
    return pc.if_else(pa.array(~are_odd), texts, None) if are_odd.any() else texts


def _misfits(texts: pa.StringArray, kind: pa.DataType) -> Numbers:
    """Return the places of all texts that do not cast, and of a few of their neighbours."""
    spans = [(0, len(texts))]
    for size in HUNT_SIZES:
        parts = [(at, min(at + size, end)) for start, end in spans for at in range(start, end, size)]
        spans = [(start, end) for start, end in parts if not _casts(texts.slice(start, end - start), kind)]
    return np.array([place for start, end in spans for place in range(start, end) if texts[place].is_valid], np.int64)


def _casts(texts: pa.StringArray, kind: pa.DataType) -> bool:
    try:
        texts.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _settled(
    texts: pa.StringArray, values: pa.Array, are_odd: Flags, column: Column, tokens: tuple[str, ...]
) -> ParsedColumn:
    odd = texts.filter(pa.array(are_odd)).dictionary_encode()
    read = reader(column, tokens)
    found = [_read(read, text) for text in odd.dictionary.to_pylist()]
    settled = pa.array([value for value, _ in found], values.type).take(odd.indices)
    are_unfit = np.zeros(len(texts), bool)
    are_unfit[are_odd] = np.array([is_unfit for _, is_unfit in found], bool)[odd.indices.to_numpy()]
    return ParsedColumn(pc.replace_with_mask(values, pa.array(are_odd), settled), are_unfit)


def _read(read: Any, text: str) -> tuple[Any, bool]:
    try:
        return read(text, True), False
    except Unfit:
        return None, True
