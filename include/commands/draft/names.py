"""Headers of any kind as names of a spec: short, in ASCII, each once, and none that means something else."""

import re
from collections.abc import Container, Iterable

from slugify import slugify

from daybook.spec import RESERVED

LONGEST = 50
# Words that no SQL statement takes for a column without quotes (PostgreSQL's manual, appendix C: reserved).
SQL_WORDS = (
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate "
    "collation column concurrently constraint create cross current_catalog current_date current_role "
    "current_schema current_time current_timestamp current_user default deferrable desc distinct do else end "
    "except false fetch for foreign freeze from full grant group having ilike in initially inner intersect into "
    "is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on "
    "only or order outer overlaps placing primary references returning right select session_user similar some "
    "symmetric system_user table tablesample then to trailing true union unique user using variadic verbose when "
    "where window with"
)
# Each summary has the column `day`.
TAKEN = frozenset({*RESERVED, *SQL_WORDS.split(), "day"})


def names_of(headers: Iterable[str]) -> list[str]:
    """Return a name for each header."""
    names: dict[str, None] = {}
    for place, header in enumerate(headers, 1):
        names[free(_name(header, place), names)] = None
    return list(names)


def free(name: str, taken: Container[str]) -> str:
    """Return the name, or the first of name_2, name_3 … that is not taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def _name(header: str, place: int) -> str:
    # A capital after a small letter begins a word: depDelay is dep_delay.
    plain = slugify(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", header), separator="_")[:LONGEST].strip("_")
    if not plain:
        return f"column_{place}"
    name = plain if re.match("[a-z_]", plain) else f"column_{plain}"
    return f"{name}_of_file" if name in TAKEN else name
