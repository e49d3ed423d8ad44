"""One object of JSON on one line as a row of cells: a line of a file, or a mended row of any file that is no CSV.

Called by json_lines.py and mended.py. Strict: no name stands twice, a number keeps the text that it is written in, and
nothing is read through floating point. Pure.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from daybook.loader.cells import TOO_COARSE, Cell, Cells, Sort, cells_of, is_too_coarse
from daybook.loader.layout import Layout, Refusal
from daybook.loader.values import Unfit
from daybook.spec.column import Column

SHOWN_SIGNS = 60
# Values of types that JSON does not have, as cells.as_json writes them.
TAGGED = {sort.value: sort for sort in (Sort.LOCAL, Sort.INSTANT, Sort.WRONG)}


class Number(str):
    """A number as it is written; NaN and Infinity too, which are none, so that they are refused by their column."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """The names and values of an object."""


_DECODER = json.JSONDecoder(object_pairs_hook=Pairs, parse_float=Number, parse_int=Number, parse_constant=Number)


def row_of(line: bytes, has_line_end: bool = True) -> dict[str, Any]:
    """Return the values of an object by name. line: without line end. Raises Unfit if it is not one object."""
    try:
        found = _DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        detail = f"byte 0x{line[error.start]:02X} at offset {error.start} is not utf-8"
        raise Unfit("wrong_encoding", detail) from None
    except (json.JSONDecodeError, RecursionError) as error:
        why = f"{error.msg} at sign {error.pos + 1:,}" if isinstance(error, json.JSONDecodeError) else "nested too deep"
        if not has_line_end:
            raise Unfit("no_line_end", f"it ends within its object ({why}): it may be cut") from None
        raise Unfit("not_json", f"it is not JSON: {why}") from None
    if not isinstance(found, Pairs):
        raise Unfit("not_an_object", f"a line is an object of JSON, as {{…}}, and this is {_kind(found)}")
    row = dict(found)
    if len(row) < len(found):
        raise Unfit("repeated_key", "a key stands twice in the object", _twice(found))
    if b"\\u" in line:
        _check_pairs_of_surrogates(row)
    return row


def cell_of(value: Any, column: Column) -> Cell | None:
    """Return the cell of a value; None if it is null."""
    match value:
        case None:
            return None
        case bool():
            return Cell(Sort.BOOLEAN, "true" if value else "false")
        case Number():
            return _number(value, column)
        case str():
            return Cell(Sort.WRITTEN, value)
    return Cell(Sort.WRONG, f"it is {_kind(value)}, and no single value")


def column_of(values: Sequence[Any], column: Column) -> Cells:
    """Return the cells of a column of values."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {str}:
        return {Sort.WRITTEN: pa.array(values, pa.string())}
    if kinds == {Number} and not any(_is_float(text, column) for text in values if text):
        return {Sort.NUMBER: pa.array(values, pa.string())}
    return cells_of([cell_of(value, column) for value in values])


def refusal_of(row: Mapping[str, Any], layout: Layout, known: frozenset[str]) -> Refusal | None:
    """Return why a row is refused for its keys. known: the names that a file of the layout may have."""
    if not layout.are_others_ignored and not row.keys() <= known:
        key = next(key for key in row if key not in known)
        return Refusal(key[:SHOWN_SIGNS], "unknown_column", "the contract has no column of this name")
    for header, (column, _) in layout.contract.items():
        if column.aliases and len(both := [name for name in (header, *column.aliases) if name in row]) > 1:
            return Refusal(header, "repeated_key", f"the column is there under {len(both)} names")
    return None


def known_names(layout: Layout) -> frozenset[str]:
    """Return the names that the keys of a row may have: those of the contract, and of all columns of its file."""
    names = {name for header, (column, _) in layout.contract.items() for name in (header, *column.aliases)}
    return frozenset(names | {layout.name_of(place) for place in range(len(layout.columns))})


def value_in(row: Mapping[str, Any], column: Column) -> Any:
    """Return the value of a column in a row, under any of its names; None if it is missing."""
    if column.header in row or not column.aliases:
        return row.get(column.header)
    return next((row[name] for name in column.aliases if name in row), None)


def tagged(value: Any, layout: Layout) -> Cell | None:
    """Return the cell of a value of a type that JSON does not have, as cells.as_json writes it; None if it is none."""
    if layout.format == "json_lines" or not isinstance(value, Pairs) or len(value) != 1:
        return None
    (sort, text) = value[0]
    return Cell(TAGGED[sort], text) if sort in TAGGED and isinstance(text, str) else None


def _number(text: str, column: Column) -> Cell:
    if _is_float(text, column) and text[-1].isdigit() and is_too_coarse(text, column):
        return Cell(Sort.WRONG, TOO_COARSE.format(text, column.scale))
    return Cell(Sort.NUMBER, text)


def _is_float(text: str, column: Column) -> bool:
    # Only a program that has numbers of floating point writes an exponent, or a point in a whole number.
    return "e" in text or "E" in text or (column.kind == "integer" and "." in text)


def _kind(value: Any) -> str:
    match value:
        case Pairs():
            return "an object"
        case list():
            return "an array"
        case None:
            return "null"
        case bool():
            return "true or false"
        case Number():
            return "a number"
    return "a text"


def _twice(pairs: Pairs) -> str:
    seen = set[str]()
    return next(name for name, _ in pairs if name in seen or seen.add(name))[:SHOWN_SIGNS]  # type: ignore[func-returns-value]


def _check_pairs_of_surrogates(row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        try:
            name.encode()
            value.encode() if isinstance(value, str) else None
        except UnicodeEncodeError:
            raise Unfit("wrong_encoding", "half of a surrogate pair (\\ud800 to \\udfff)", None) from None
