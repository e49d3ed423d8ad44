"""Are mended rows fit to be kept? Each is read by the loader that would load it; one that is not fit refuses them all.

Called by replay. Pure. What it raises names rows, columns and reasons, never a value.
"""

from collections.abc import Mapping
from typing import NamedTuple

from daybook.errors import BadData
from daybook.loader.layout import Layout, Refusal
from daybook.loader.mended import mended_records
from daybook.raw_files import part_of
from daybook.refused_file import Filled, record_of
from daybook.spec import nearest

SHOWN_PROBLEMS = 10
# Of these reasons the detail is two counts of fields; that of others may hold a value.
WIDTH = ("too_many_fields", "too_few_fields")

Place = tuple[str, int]
"""A source and a line of it."""
Part = tuple[str, int]
"""A source and the number of a part of it; 0 where it is one file."""


class Against(NamedTuple):
    """What mended rows are held against: the raw bytes of the rows that were refused or mended before, by place; and
    the hash of each source's raw bytes, and how the records of each of its files lie."""

    raw: Mapping[Place, bytes]
    file_sha256: Mapping[str, str]
    layouts: Mapping[Part, Layout]


def checked(filled: list[Filled], against: Against, name: str) -> dict[Place, str]:
    """Give the mended records by place. name: their file's. Raises BadData with all that is wrong with them."""
    if not filled:
        raise BadData(f"{name}: no row is mended; nothing was kept; fill the column `mended` with the whole record")
    problems = {one: problem for one in filled if (problem := _problem(one, against))}
    places: dict[Place, Filled] = {}
    for one in filled:
        if one not in problems and places.setdefault(_place(one), one).mended != one.mended:
            problems[one] = f"it is mended in another way in row {places[_place(one)].row}"
    if problems:
        raise BadData(_told(problems, len(filled), name))
    return {place: _record(one, against).decode() for place, one in places.items()}


def _problem(one: Filled, against: Against) -> str | None:
    if one.source not in against.file_sha256:
        there_are = ", ".join(against.file_sha256)
        return f"there is no such source{nearest(one.source, against.file_sha256)}; there are {there_are}"
    if one.file_sha256 != against.file_sha256[one.source]:
        return "it is of another file than the day was loaded from last; have the refused rows written anew"
    if _place(one) not in against.raw:
        return "no row that was refused is on that line"
    line = _place(one)[1]
    (made,) = mended_records({line: _record(one, against)}, against.layouts[one.source, part_of(line)])
    return _why(made.refusal) if made.refusal else None


def _place(one: Filled) -> Place:
    return one.source, int(one.line) if one.line.isdecimal() else 0


def _record(one: Filled, against: Against) -> bytes:
    return record_of(one.mended, against.raw[_place(one)])


def _why(refusal: Refusal) -> str:
    where = f"column {refusal.column!r}: " if refusal.column is not None else ""
    counts = f" ({refusal.detail})" if refusal.reason in WIDTH else ""
    return f"the loader would refuse it again: {where}{refusal.reason}{counts}"


def _told(problems: Mapping[Filled, str], count: int, name: str) -> str:
    shown = [f"row {one.row} ({one.source}, line {one.line}): {problem}" for one, problem in problems.items()]
    more = f"; and {len(shown) - SHOWN_PROBLEMS} more" if len(shown) > SHOWN_PROBLEMS else ""
    return (
        f"{name}: {len(shown)} of {count} mended rows cannot be kept, so none was; "
        f"{'; '.join(shown[:SHOWN_PROBLEMS])}{more}"
    )
