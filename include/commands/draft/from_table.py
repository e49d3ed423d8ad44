"""The pipeline of a table: the kinds of its columns by their types, its day and key, and the first numbers."""

from datetime import date
from typing import Any, NamedTuple

from commands.draft.answers import SAY_ZONE, Answers, Draft, ask, refuse
from commands.draft.keys import MOST_GROUPS, is_of_thing
from commands.draft.literals import quoted
from commands.draft.live import FLOATS, LiveTable
from commands.draft.names import names_of
from commands.draft.numbers_published import of_columns
from daybook.postgres.typed_columns import LOCAL, TYPES, LiveColumn, fits
from daybook.spec import Column, Pipeline, Schedule, Table, Target
from daybook.text import counted, nearest, one_line, verb

MOST_DIGITS = 18
# Names of a column that says when a row was changed.
OF_CHANGES = ("updated_at", "modified_at", "changed_at", "last_modified", "updated_on", "last_updated")


class Asked(NamedTuple):
    """A table as it was asked for: the pipeline's name, the table's, the connection's id, and the answers."""

    name: str
    relation: str
    connection: str
    answers: Answers


def draft_of_table(asked: Asked, live: LiveTable, day: Column, start: date | None) -> Draft:
    """Return a first pipeline whose facts are a table's rows. day: the column of their day. start: the first one."""
    columns, left_out = columns_of(live)
    columns = [_in_zone(column, live, asked.answers.time_zone) for column in columns]
    keys = {column.header: column.name for column in columns}
    key = tuple(keys[header] for header in live.key) if live.key and set(live.key) <= keys.keys() else ()
    added = [one for one in columns if _is_quantity(one) and one.name not in key]
    table = Table(
        name=asked.name,
        connection=asked.connection,
        relation=asked.relation,
        columns=tuple(columns),
        key=key,
        day=day.name,
    )
    group = _group(columns, live, key)
    first = f"the first {counted(live.rows, 'row')}"
    note = f"{counted(live.seen[group.header].different, 'different value')} in {first}" if group else ""
    numbers = of_columns(added, group, note)
    pipeline = Pipeline(
        name=asked.name,
        description=f"{asked.name.replace('_', ' ').capitalize()} by day",
        tables=(table,),
        facts=asked.name,
        day_columns=(day.name,),
        measures=numbers.measures,
        summaries=numbers.summaries,
        target=Target(schema=asked.name),
        schedule=Schedule(time_zone=asked.answers.time_zone or "UTC", start=start or date(2000, 1, 1)),
    )
    return Draft(pipeline, _notes(asked, live, columns, left_out, day, start) | numbers.notes)


def columns_of(live: LiveTable) -> tuple[list[Column], list[str]]:
    """Return a column for each one of the table, and the names of those whose types no kind is read from."""
    found, left_out = list[Column](), list[str]()
    for (header, column), name in zip(live.columns.items(), names_of(live.columns), strict=True):
        made = _column(header, name, column, live)
        if made is None:
            left_out.append(f"{header} ({column.type})")
        else:
            found.append(made)
    return found, left_out


def _column(header: str, name: str, live: LiveColumn, table: LiveTable) -> Column | None:
    kind = next((kind for kind, types in TYPES.items() if live.plain_type in types), "text")
    kind = "integer" if kind == "decimal" and live.plain_type == "numeric" and live.scale == 0 else kind
    words: dict[str, Any] = {"header": header, "name": name, "kind": kind}
    if kind == "decimal":
        scale = _scale(live, table.seen[header].scale)
        words |= {"digits": MOST_DIGITS, "scale": min(max(scale, 0), MOST_DIGITS)}
    elif kind in ("date", "timestamp"):
        words["format"] = "%Y-%m-%d" if kind == "date" else "%Y-%m-%d %H:%M:%S"
    column = Column(**words, is_required=header in table.key)
    return column if fits(column, live) else None


def _scale(live: LiveColumn, seen: int | None) -> int:
    if live.plain_type == "money" or (live.scale is None and live.plain_type not in FLOATS and seen is None):
        return 2
    return live.scale if live.scale is not None else seen or 0


def day_of_table(asked: Asked, live: LiveTable) -> Column:
    """Return the column of a row's day. Raises WrongWords if the table does not say which, or in which zone."""
    columns, answers = columns_of(live)[0], asked.answers
    dates = [column for column in columns if column.kind in ("date", "timestamp")]
    if answers.day_column is not None:
        known = [name for column in columns for name in (column.header, column.name)]
        if answers.day_column not in known:
            refuse(f"--day-column {one_line(answers.day_column)}: no such column{nearest(answers.day_column, known)}")
        dates = [column for column in dates if answers.day_column in (column.header, column.name)]
    if not dates:
        what = f"the column {answers.day_column} is no date" if answers.day_column else "it has no column of dates"
        refuse(f"{asked.relation}: {what}, and the day of each row has to stand in one")
    if len(dates) > 1:
        options = " or ".join(f"--day-column {quoted(column.header)}" for column in dates)
        ask([f"{asked.relation} has several dates, and does not say which one is the day of a row; say {options}"])
    timed = {dates[0].header} if dates[0].kind == "timestamp" else set()
    timed |= {header for header, column in live.columns.items() if column.plain_type == LOCAL}
    if timed and answers.time_zone is None:
        told = ", ".join(f"{one_line(repr(header))} ({live.columns[header].type})" for header in sorted(timed))
        ask([f"{asked.relation}: nothing says where a day ends, or whose clock it is: {told}; {SAY_ZONE}"])
    return dates[0]


def _in_zone(column: Column, live: LiveTable, zone: str | None) -> Column:
    is_local = live.columns[column.header].plain_type == LOCAL and zone is not None
    return Column(**(column.model_dump() | {"time_zone": zone})) if is_local else column


def _is_quantity(column: Column) -> bool:
    return column.kind in ("integer", "decimal") and not is_of_thing(column.name)


def _group(columns: list[Column], live: LiveTable, key: tuple[str, ...]) -> Column | None:
    fit = [
        column
        for column in columns
        if column.kind in ("text", "boolean")
        and column.name not in key
        and 1 < live.seen[column.header].different <= min(MOST_GROUPS, max(live.rows // 2, 2))
        and 2 * live.seen[column.header].values > live.rows
    ]
    return min(fit, key=lambda one: (one.kind == "boolean", live.seen[one.header].different), default=None)


def _notes(
    asked: Asked, live: LiveTable, columns: list[Column], left_out: list[str], day: Column, start: date | None
) -> dict[str, str]:
    notes = {f"columns.{column.name}": _of_column(column, live) for column in columns}
    notes["columns"] = f"left out, since no kind is read from its type: {', '.join(left_out)}" if left_out else ""
    index = "an index begins with it" if day.header in live.indexed else "no index begins with it, so it reads all rows"
    explain = f"explain select count(*) from {asked.relation} where {day.header} >= …"  # noqa: S608 - a comment's text
    notes["day"] = f"a run reads the rows of its day alone; {index}; see what a day costs: {explain}"
    changed = next((name for name in live.columns if name in OF_CHANGES), None)
    if changed:
        notes["key"] = f"the primary key; decide: changed_by={changed!r}, if every change of a row renews it"
    elif live.key:
        notes["key"] = "the primary key"
    since = "it begins on the first day in the table" if start else "decide: the first day, which was not looked up"
    zone = "in the time zone that --time-zone said" if asked.answers.time_zone else "in UTC; decide: where?"
    notes["schedule"] = f"{since}; a day ends {zone}"
    return {path: note for path, note in notes.items() if note}


def _of_column(column: Column, live: LiveTable) -> str:
    seen, type = live.seen[column.header], live.columns[column.header].type
    missing = live.rows - seen.values
    empty = f"; {missing:,} of the first {counted(live.rows, 'row')} {verb(missing)} null" if missing else ""
    return f"{type}{empty}"
