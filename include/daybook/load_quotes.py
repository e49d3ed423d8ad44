"""The quotes of a block: which line ends they hold within a record, and which lines do not have them in order.

Called by load_lines. It looks at the bytes on both sides of each quote, all of a block at once. Pure.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.load_layout import Bytes, Flags, Numbers

LF, CR, QUOTE = b'\n\r"'


def are_all_in_order(content: Bytes, quotes: Numbers, delimiter: bytes) -> bool:
    """Tell whether the quotes at these places are in order, the whole block seen as one line."""
    return bool(_are_well_quoted(content, quotes, np.array([len(content)]), delimiter).all())


def together(data: bytes, ends: Numbers, lone: Numbers, delimiter: bytes) -> tuple[Numbers, Flags]:
    """Give the records' last physical lines, and whether their quotes are in doubt.

    `ends` are where the physical lines end, `lone` where carriage returns are that end none. With all quotes in order,
    a line end is one of a record where the quotes before it are even in number. If any of the records so found is not
    in order, that says nothing, and each physical line stands for itself.
    """
    every = np.arange(len(ends))
    content = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(content == QUOTE) if b'"' in data else every[:0]
    are_well_alone = _are_well_quoted(content, quotes, ends, delimiter)
    if are_well_alone.all():
        return every, ~are_well_alone
    are_closed = _are_closed(ends, quotes)
    last = np.flatnonzero(are_closed)
    # No field without quotes holds a carriage return.
    are_well = _are_well_quoted(content, quotes, ends[last], delimiter)
    are_well[_lines_at(lone[_are_closed(lone, quotes)], ends[last])] = False
    rest = data[ends[last[-1]] if len(last) else 0 :]
    if not are_well[np.diff(last, prepend=-1) > 1].all() or not _is_well_opened(rest, delimiter.decode()):
        return every, ~are_well_alone
    return (last, ~are_well) if are_closed[-1] else (np.append(last, len(ends) - 1), np.append(~are_well, True))


def _are_closed(places: Numbers, quotes: Numbers) -> Flags:
    """Tell whether the quotes before these places are even in number."""
    are_closed: Flags = np.searchsorted(quotes, places) % 2 == 0
    return are_closed


def _lines_at(places: Numbers, ends: Numbers) -> Numbers:
    """Give the lines that hold these places, without the places behind the last end."""
    return np.searchsorted(ends, places[: np.searchsorted(places, ends[-1])] if len(ends) else places[:0], side="right")


def _are_well_quoted(content: Bytes, quotes: Numbers, ends: Numbers, delimiter: bytes) -> Flags:
    """Tell whether the quotes of lines are as RFC 4180 has them (section 2, 5 to 7).

    They open and close in turn: one opens at the start of a field, one closes at its end, and of two side by side the
    first one closes and the second opens again.
    """
    lines = _lines_at(quotes, ends)
    quotes = quotes[: len(lines)]
    are_opening = (np.arange(len(lines)) - np.searchsorted(lines, lines)) % 2 == 0
    are_marks = np.zeros(256, bool)
    are_marks[[LF, QUOTE, *delimiter]] = True
    # Past the end of the block stands its last byte: a line end, or of a line that is in doubt in any case.
    after, second = (content[np.minimum(quotes + ahead, len(content) - 1)] for ahead in (1, 2))
    begin_well = (quotes == 0) | are_marks[content[quotes - 1]]
    end_well = are_marks[after] | ((after == CR) & (second == LF))
    are_well: Flags = np.bincount(lines, minlength=len(ends)) % 2 == 0
    are_well[lines[~np.where(are_opening, begin_well, end_well)]] = False
    return are_well


def _is_well_opened(rest: bytes, delimiter: str) -> bool:
    """Tell whether the end of a block is the start of a record up to an open quote, or nothing."""
    mark = re.escape(delimiter)
    field = rf'(?:[^"\r\n{mark}]*|"(?:[^"]|"")*")'
    opened = rf'\A(?:{field}{mark})*"(?:[^"]|"")*\z'
    return not rest or pc.match_substring_regex(pa.array([rest], pa.binary()), opened)[0].as_py()
