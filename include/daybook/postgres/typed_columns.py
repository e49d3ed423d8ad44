"""A table's columns as PostgreSQL types them: which kinds each may be read as, and how its values are written.

Nothing is cut or rounded on the way: a value that the contract cannot hold is written as it is, and `load` refuses it.
"""

import re
from typing import NamedTuple

from psycopg import sql

from daybook.postgres.session import Connection
from daybook.spec import Column

# The types that each kind may be read from (format_type without its modifier); text: see `_is_textual`.
TYPES: dict[str, tuple[str, ...]] = {
    "integer": ("smallint", "integer", "bigint", "oid"),
    "decimal": ("numeric", "smallint", "integer", "bigint", "real", "double precision", "money"),
    "date": ("date",),
    "timestamp": ("timestamp without time zone", "timestamp with time zone"),
    "boolean": ("boolean",),
}
# Numbers, booleans, and dates and times (typcategory: PostgreSQL's manual, table 52.65): as text they would lose what
# their type says, so a text column that became one of these is a broken contract.
NOT_TEXT = ("N", "B", "D")
LOCAL = "timestamp without time zone"
CLOCK = "time without time zone"
TIMES_OF_DAY = (CLOCK, "time with time zone")

# A domain counts as the type below it.
LIVE_COLUMNS = """
    with recursive typed as (
        select attnum, attname, atttypid as type, atttypmod as modifier from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
        union all
        select attnum, attname, typbasetype, typtypmod from typed join pg_type on oid = type where typtype = 'd'
    )
    select attname, format_type(type, modifier), typcategory from typed join pg_type on oid = type
    where typtype <> 'd' order by attnum
"""


class LiveColumn(NamedTuple):
    """A column's type with its modifier, as in numeric(12,2), and the category of the type."""

    type: str
    category: str

    @property
    def plain_type(self) -> str:
        """Return the type without its modifier, which may be in the middle: "timestamp(3) without time zone"."""
        return re.sub(r"\(.*?\)", "", self.type)

    @property
    def scale(self) -> int | None:
        """Return how many digits after the point a numeric holds; None if any number of them."""
        modifier = re.search(r"\(\d+(?:,(-?\d+))?\)", self.type)
        return int(modifier[1] or 0) if modifier else None


def live_columns(connection: Connection, relation: sql.Identifier) -> dict[str, LiveColumn]:
    """Return the columns of a table or view by name; none if it is not there."""
    rows = connection.execute(LIVE_COLUMNS.encode(), [relation.as_string(connection)])
    return {name: LiveColumn(*words) for name, *words in rows}


def fits(column: Column, live: LiveColumn) -> bool:
    """Return whether all values of a live column could be of the contract's kind."""
    if column.kind == "text":
        return _is_textual(live)
    if column.is_clock:
        return live.plain_type == CLOCK
    # A numeric without a modifier can hold anything, and a float too: `load` checks each of its rows.
    if column.kind == "integer" and live.plain_type == "numeric":
        return (live.scale or 0) <= 0
    return live.plain_type in TYPES[column.kind] and (column.kind != "decimal" or (live.scale or 0) <= column.scale)


def agreed(column: Column) -> str:
    """Return the type that the contract names."""
    kind = "time" if column.is_clock else column.kind
    return f"numeric({column.digits},{column.scale})" if kind == "decimal" else kind


def nearest_word(column: Column, live: LiveColumn) -> str:
    """Return the word that fits a live column, as the end of a message about one that does not; "" if none is known."""
    named = f"{column.header!r}"
    match live.plain_type:
        case "smallint" | "integer" | "bigint" | "oid":
            word = f"integer({named})"
        case "numeric" | "money" | "real" | "double precision":
            digits, scale = _digits(live)
            word = f"integer({named})" if live.scale == 0 else f"decimal({named}, digits={digits}, scale={scale})"
        case "date":
            word = f"day_date({named})"
        case "boolean":
            word = f"boolean({named})"
        case "timestamp without time zone":
            word = f"timestamp({named}, time_zone='…')"
        case "timestamp with time zone":
            word = f"timestamp({named})"
        case "time without time zone":
            word = f"clock_time({named})"
        case _:
            word = f"text({named})" if _is_textual(live) else ""
    return f" (write {word})" if word else ""


def _digits(live: LiveColumn) -> tuple[str, str]:
    found = re.search(r"\((\d+),(\d+)\)", live.type)
    return (found[1], found[2]) if found and int(found[1]) <= 18 else ("…", found[2] if found else "…")


def written(column: Column, live: LiveColumn) -> sql.Composed:
    """Return the expression that writes a column's values as the loader reads them, under the column's own name."""
    return sql.SQL("{} as {}").format(value(column, live), sql.Identifier(column.header))


def value(column: Column, live: LiveColumn) -> sql.Composed:
    """Return the expression that writes a column's values as the loader reads them."""
    return _expression(column, live, sql.Identifier(column.header))


def _is_textual(live: LiveColumn) -> bool:
    return live.category not in NOT_TEXT or live.plain_type in TIMES_OF_DAY


def _expression(column: Column, live: LiveColumn, name: sql.Identifier) -> sql.Composed:
    if live.plain_type in ("character", "bpchar"):
        # Blanks at the end of a char(n) do not count when PostgreSQL compares (its manual, 8.3), and text has none.
        return sql.SQL("{}::text").format(name)
    if column.kind == "decimal" or (column.kind == "integer" and live.plain_type == "numeric"):
        return _number(column, live, name)
    if column.is_clock:
        return _clock_time(column.format or "", name)
    if column.format is not None:
        return _moment(column, column.format, name)
    return sql.Composed([name])


def _number(column: Column, live: LiveColumn, name: sql.Identifier) -> sql.Composed:
    # A float's text has the fewest digits that tell it from its neighbours; a cast to numeric would round it to 15.
    if live.plain_type in ("real", "double precision"):
        finite = _without_extra_zeros(sql.SQL("{}::text::numeric").format(name), column.scale)
        return sql.SQL("case when {0} - {0} = 0 then ({1})::text else {0}::text end").format(name, finite)
    if live.plain_type == "money":
        return _without_extra_zeros(sql.SQL("{}::numeric").format(name), column.scale)
    is_free = live.plain_type == "numeric" and live.scale is None
    return _without_extra_zeros(sql.Composed([name]), column.scale) if is_free else sql.Composed([name])


def _without_extra_zeros(number: sql.Composed, scale: int) -> sql.Composed:
    # In a table the point is known, so 2.000 is two; in a file the loader would refuse its zeros.
    return sql.SQL("case when scale({0}) > {1} and {0} = round({0}, {1}) then round({0}, {1}) else {0} end").format(
        number, sql.Literal(scale)
    )


def _moment(column: Column, format: str, name: sql.Identifier) -> sql.Composed:
    # to_char returns nothing for infinity, and drops the BC of a year; a format may drop a fraction. Those are written
    # as text, which the loader refuses.
    is_whole = sql.SQL("{0} >= '0001-01-01' and {0} < '10000-01-01'").format(name)
    if column.kind == "timestamp" and "%f" not in format:
        is_whole = sql.SQL("{} and {} = date_trunc('second', {})").format(is_whole, name, name)
    return sql.SQL("case when {0} then to_char({1}, {2}) else {1}::text end").format(
        is_whole, name, sql.Literal(to_char(format))
    )


def _clock_time(format: str, name: sql.Identifier) -> sql.Composed:
    # As above; to_char takes a time as an interval, and keeps 24:00.
    written = "case when {0} = date_trunc('second', {0}) then to_char({0}::interval, {1}) else {0}::text end"
    return sql.SQL(written).format(name, sql.Literal(to_char(format)))


# strptime's directives in to_char's terms (PostgreSQL's manual, table 9.31). Its names of months are English.
PATTERNS = {
    "%Y": "YYYY",
    "%y": "YY",
    "%m": "MM",
    "%b": "Mon",
    "%B": "FMMonth",
    "%d": "DD",
    "%j": "DDD",
    "%H": "HH24",
    "%I": "HH12",
    "%p": "AM",
    "%M": "MI",
    "%S": "SS",
    "%f": "US",
    "%z": "TZH:TZM",
}


def to_char(format: str) -> str:
    """Return strptime's format in to_char's terms."""
    return "".join(PATTERNS.get(part) or _quoted(part) for part in re.findall(r"%.|[^%]+", format, re.DOTALL))


def _quoted(literal: str) -> str:
    # Quoted, so that to_char takes no letter of it for a pattern.
    escaped = literal.replace("%%", "%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
