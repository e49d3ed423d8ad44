"""The rows of a lookup that hold on a day: between the days that the columns `valid_from` and `valid_to` name."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.spec import Lookup
from daybook.text import counted, verb

SHOWN_LINES = 3


def valid_rows(rows: pa.Table, lookup: Lookup, day: date) -> pa.Table:
    """Return the rows that hold on a day, at most one for each key.

    rows: `line` and the lookup's columns. Without `valid_from` in the spec, all rows hold.
    Raises BadData with their lines if two rows of one key hold.
    """
    if lookup.valid_from is None:
        return rows
    begun = rows.filter(pc.less_equal(rows[lookup.valid_from], pa.scalar(day)))
    if lookup.valid_to is None:
        return _latest(begun, lookup, lookup.valid_from)
    return _one_for_each_key(begun.filter(_has_not_ended(begun, lookup, lookup.valid_to, day)), lookup, day)


def _has_not_ended(rows: pa.Table, lookup: Lookup, valid_to: str, day: date) -> pa.ChunkedArray:
    still = pc.greater_equal if lookup.is_valid_to_included else pc.greater
    return pc.fill_null(still(rows[valid_to], pa.scalar(day)), fill_value=True)


def _latest(rows: pa.Table, lookup: Lookup, valid_from: str) -> pa.Table:
    by_begin = rows.take(pc.sort_indices(rows, sort_keys=[(valid_from, "ascending")]))
    lines = by_begin.group_by(list(lookup.keys), use_threads=False).aggregate([("line", "last")])["line_last"]
    return rows.filter(pc.is_in(rows["line"], lines.combine_chunks()))


def _one_for_each_key(rows: pa.Table, lookup: Lookup, day: date) -> pa.Table:
    lines = rows.group_by(list(lookup.keys)).aggregate([("line", "min"), ("line", "max"), ("line", "count")])
    several = lines.filter(pc.greater(lines["line_count"], 1)).sort_by("line_min")
    if several.num_rows:
        raise BadData(_overlap(several, lookup, day))
    return rows


def _overlap(several: pa.Table, lookup: Lookup, day: date) -> str:
    pairs = zip(several["line_min"].to_pylist(), several["line_max"].to_pylist(), strict=True)
    shown = [f"lines {first} and {last}" for first, last in list(pairs)[:SHOWN_LINES]]
    more = ", …" if several.num_rows > SHOWN_LINES else ""
    keys = f"{counted(several.num_rows, 'key')} {verb(several.num_rows, 'has', 'have')}"
    touching = " or, if a row no longer holds on that day, say is_valid_to_included=False;"
    return (
        f"{lookup.label}: {keys} more than one row that holds on {day} ({', '.join(shown)}{more}); no fact was matched;"
        f" mend {lookup.valid_from} and {lookup.valid_to} there,{touching if lookup.is_valid_to_included else ''}"
        " then run the day again"
    )
