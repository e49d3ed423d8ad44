"""The part of a spec about tables: which of their rows are a day's, which are read at all, and when they are there."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar, Self

from pydantic import Field, StrictBool, StrictInt, StrictStr, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.column import Column
from daybook.spec.format import table_format
from daybook.spec.source import Source
from daybook.spec.value import Value
from daybook.spec.writing import OF_LOCAL_TIMES, said
from daybook.spec.zones import known_zone
from daybook.text import nearest

One = StrictBool | StrictInt | StrictStr | Decimal | date
# A table's columns with the value that each must have, or one of several; None: it has none.
Where = dict[str, One | tuple[One, ...] | None]
RELATION = r"^[^.]+\.[^.]+$"


def _check_relation(relation: str) -> str:
    # PostgreSQL cuts a longer name without an error, and the cut one may be another table's (its manual, 4.1.1).
    if any(len(name.encode()) > 63 for name in relation.split(".")):
        raise ValueError("a name in PostgreSQL has at most 63 bytes")
    return relation


def _check_where(where: Any) -> Any:
    if not isinstance(where, dict):
        raise ValueError("it takes {column: value}, such as {'status': 'paid'}; for another condition, read a view")
    for column, wanted in where.items():
        values = wanted if isinstance(wanted, tuple | list | set) else (wanted,)
        if not values:
            raise ValueError(f"{column!r} has no value, and no row could have it")
        if isinstance(wanted, set) or any(not _is_value(value, wanted) for value in values):
            raise ValueError(
                f"{column!r} takes a text, integer, Decimal, date, True or False, a tuple of them, or None for a "
                "column without a value; for another condition, read a view"
            )
    return where


def _is_value(value: Any, wanted: Any) -> bool:
    if value is None:
        return wanted is None
    if isinstance(value, str):
        return "\0" not in value
    return isinstance(value, bool | int | Decimal | date) and not isinstance(value, datetime)


class TableReady(Value):
    """A row that says that a day's rows are in a table: a mark that whoever loads the table writes last.

    The day's rows are waited for until `cut_off`, a clock time of the day after, in the schedule's time zone, and
    looked for every `look_every_s` seconds. The mark and the rows are read in one snapshot.
    """

    relation: str = Field(pattern=RELATION)
    """The table or view of the marks, with its schema, in the same database."""
    day: str
    """The column there that holds a mark's day: a date, or an instant."""
    where: Where = {}
    """What else the mark must be, as in `Table`."""
    time_zone: str | None = None
    """The time zone of `day`, if it is a timestamp without time zone."""
    # Airflow 3.3 counts a task as lost if it is due again within seconds, before its worker has finished with it.
    look_every_s: int = Field(60, ge=10)
    cut_off: time = time(12)

    _relation_is_not_cut = field_validator("relation")(_check_relation)
    _where_is_checked = field_validator("where", mode="before")(_check_where)

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        return name and known_zone(name)


class Table(Source):
    """A table or view of a PostgreSQL database: `relation` is its name with its schema.

    It is read whole, or with `day` only the rows of the day: those whose date is the day, or whose instant lies in the
    local day of the schedule's time zone. A timestamp without time zone needs the column's `time_zone`. Rows without a
    value in that column belong to no day; they are counted in the plan and in the day's report. `where` leaves rows out
    for good: {column of the table: value, tuple of values, or None for no value}.
    The plan asks the table which of its days have changed: by the number and a hash of their rows; or with `changed_by`
    by their number and the latest value in that column, which the table then has to renew with every change of a row.
    Its values have types, so nothing is cut or rounded: times come to the microsecond, whatever the column's format.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"day", "where", "changed_by", "ready"})
    is_written: ClassVar[bool] = False

    relation: str = Field(pattern=RELATION)
    day: str | None = None
    """The column that holds a row's day: its name here."""
    where: Where = {}
    changed_by: str | None = None
    """A column of the table, such as "updated_at"."""
    ready: TableReady | None = None
    """The mark that says that the day's rows are there; without one they always are."""

    _relation_is_not_cut = field_validator("relation")(_check_relation)
    _where_is_checked = field_validator("where", mode="before")(_check_where)

    @field_validator("columns")
    @classmethod
    def _are_copied_whole(cls, columns: tuple[Column, ...], others: ValidationInfo) -> tuple[Column, ...]:
        return tuple(_copied_whole(column, others.data.get("name", "")) for column in columns)

    @model_validator(mode="after")
    def _has_no_spelling(self) -> Self:
        columns = {
            f", column {column.name!r}": said(column) | ({"date_column": date} if (date := column.date_column) else {})
            for column in self.columns
        }
        for where, words in {"": said(self), **columns}.items():
            # A text of fixed length, char(n), has blanks at its end, and a time of PostgreSQL may be 24:00.
            for word, value in words.items():
                if word in (*OF_LOCAL_TIMES, "is_trimmed", "hour_24"):
                    continue
                raise BadSpec(
                    f"Table {self.name!r}{where}, {word}: {value!r} is refused: a table's values have types, and no "
                    "spelling; leave it out"
                )
        return self

    @model_validator(mode="after")
    def _day_is_a_column_of_days(self) -> Self:
        if problem := self._problem():
            raise BadSpec(f"Table {self.name!r}, {problem}")
        return self

    @property
    def day_column(self) -> Column | None:
        """Return the column that holds a row's day, with the table's words; or None if the table is read whole."""
        column = self.column(self.day) if self.day else None
        return column and self.as_written(column)

    def _problem(self) -> str | None:
        if self.changed_by and not self.day:
            return f"changed_by: {self.changed_by!r} is refused: it is for a table that is read by day; give it a `day`"
        if self.day is None:
            return None
        column = self.day_column
        if column is None:
            return f"day: {self.day!r} is not one of its columns{nearest(self.day, [c.name for c in self.columns])}"
        if column.kind not in ("date", "timestamp"):
            return f"day: {self.day!r} is {column.kind}; it takes a date or a timestamp"
        return None


def _copied_whole(column: Column, table: str) -> Column:
    if column.is_clock:
        return column.model_copy(update={"format": "%H:%M:%S"})
    if column.format is None or column.kind not in ("date", "timestamp"):
        return column
    try:
        return column.model_copy(update={"format": table_format(column.format, column.kind)})
    except ValueError as error:
        where = f"Table {table!r}, column {column.name!r}, format"
        raise BadSpec(f"{where}: {column.format!r} is refused: {error}") from None
