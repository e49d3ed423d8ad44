"""Which columns of a sample tell its rows apart, which one to group by, and which numbers add up."""

import re
from itertools import combinations

import pyarrow as pa

from commands.draft.columns import Proposed

# Numbers of a name that ends so tell things, places or times, and are no quantities.
OF_KEYS = re.compile(
    r"(?:.*_)?(?:id|key|no|nr|number|code|uuid)|(?:order|user|customer|client|product|item|store|shop|trip|account)id"
)
OF_OTHERS = re.compile(
    r"(?:.*_)?(?:num|zip|plz|postcode|sku|ean|isbn|phone|year|month|week|day|hour|minute|lat|lon|lng|latitude|longitude)"
    r"|day_of_.*"
)
# Numbers that are no quantities, and too often alike to be taken for a part of a key.
OF_NAMES = re.compile(r"(?:.*_)?(?:flight|train|bus|route|line|gate|room|page|version|rank|index)")
# Numbers that may be clock times, as 517 is 05:17, if the name says so too.
OF_TIMES, HHMM = re.compile(r"(?:.*_)?time"), re.compile(r"(?:(?:1?[0-9]|2[0-4])?[0-5])?[0-9]")
# So few rows may differ by chance.
FEW_ROWS = 100
FEW_ROWS_OF_PAIRS = 20
# How many columns are tried together, and how many groups a first summary may have.
MOST_COLUMNS = 10
MOST_GROUPS = 50


def is_of_thing(name: str) -> bool:
    """Return whether numbers of this name tell things, places or times apart, and are not added up."""
    return bool(OF_KEYS.fullmatch(name) or OF_OTHERS.fullmatch(name))


def is_quantity(one: Proposed) -> bool:
    """Return whether a column holds numbers that may be added up, by its kind, its name, and whether they are times."""
    is_time = bool(OF_TIMES.fullmatch(one.column.name)) and all(map(HHMM.fullmatch, one.texts.values))
    return not (_may_tell_apart(one) or one.column.is_clock or is_time or OF_NAMES.fullmatch(one.column.name))


def _may_tell_apart(one: Proposed) -> bool:
    """Return whether a column may be a part of a key: it holds no numbers, or numbers that tell things apart."""
    return one.column.kind not in ("integer", "decimal") or is_of_thing(one.column.name)


def key_of(columns: list[Proposed], table: pa.Table) -> tuple[str, ...]:
    """Return the names of the columns that tell all rows apart: one, or else two or three; or none.

    table: the fields as texts, by the headers of the columns. A column named as a key goes first. Quantities are none:
    that all differ may be chance.
    """
    rows, whole = table.num_rows, [one for one in columns if not one.texts.nothing and one.texts.values]
    single = [one for one in whole if _may_be_key(one) and len(one.texts.counts) == rows > 1]
    for one in sorted(single, key=lambda one: not OF_KEYS.fullmatch(one.column.name)):
        if OF_KEYS.fullmatch(one.column.name) or rows >= FEW_ROWS:
            return (one.column.name,)
    return _together(whole, table) if rows >= FEW_ROWS_OF_PAIRS and not single else ()


def _may_be_key(one: Proposed) -> bool:
    return one.column.kind in ("integer", "text") and (bool(OF_KEYS.fullmatch(one.column.name)) or _may_tell_apart(one))


def _together(whole: list[Proposed], table: pa.Table) -> tuple[str, ...]:
    tried = [one for one in whole if _may_tell_apart(one) and len(one.texts.counts) > 1][:MOST_COLUMNS]
    for size in (2, 3):
        for group in combinations(tried, size):
            possible = 1
            for one in group:
                possible *= len(one.texts.counts)
            headers = [one.texts.header for one in group]
            if possible >= table.num_rows and table.group_by(headers).aggregate([]).num_rows == table.num_rows:
                return tuple(one.column.name for one in group)
    return ()


def group_of(columns: list[Proposed], without: tuple[str, ...]) -> Proposed | None:
    """Return the column to group by: texts or booleans with few different values, the best filled and fewest first."""
    fit = [
        one
        for one in columns
        if one.column.kind in ("text", "boolean")
        and one.column.name not in without
        and 1 < len(one.texts.counts) <= min(MOST_GROUPS, max(one.texts.rows // 2, 2))
        and 2 * one.texts.nothing < one.texts.rows
    ]
    return min(
        fit, key=lambda one: (one.column.kind == "boolean", one.texts.nothing > 0, len(one.texts.counts)), default=None
    )
