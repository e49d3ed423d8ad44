"""The small values of a spec: lookups, measures, summaries, the schedule, the target, what is plausible."""

from datetime import date
from decimal import Decimal
from typing import Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from daybook.spec.value import Name, Value, nearest

Engine = Literal["polars", "pandas", "duckdb"]


# Words that the steps and the warehouse use for themselves in every frame and table.
RESERVED = ("line", "run_id", "row_count")


class Lookup(Value):
    """A source that facts are matched to by key.

    `gives` names the columns that a match adds to a fact: {column of the lookup: name in the facts}. A fact without a
    match is refused, or kept (its given columns are then empty); `unknown_flag` names a boolean that says it has none.
    """

    source: str
    key: str
    gives: dict[str, Name] = {}
    when_unknown: Literal["refuse", "keep"]
    unknown_flag: Name | None = None


class Derived(Value):
    """A yes-or-no column made in `clean` from another: is it missing, over, or at most a value?

    Over and at most are nothing if the column is nothing. `value` is in the column's unit.
    """

    name: Name
    column: str
    test: Literal["is_missing", "is_over", "is_at_most"]
    value: int | Decimal | None = None


class Measure(Value):
    """A number per group that adds up: groups of groups have the same measure, taken over the groups.

    count of rows, of rows where a boolean is true (`where`), or of rows that have a value (`of`); sum, min, max `of` a
    column of integers or decimals. Means and shares are not measures but a `Ratio` of two.
    """

    name: Name
    how: Literal["count", "sum", "min", "max"]
    of: str | None = None
    where: str | None = None


class Ratio(Value):
    """A measure over another, `times` 1 or 100, to two decimals, rounded half away from zero; nothing over zero."""

    name: Name
    of: str
    over: str
    times: Literal[1, 100] = 1


class Summary(Value):
    """One published view and file: a row per day and `by`, with measures and ratios as `columns`."""

    name: Name
    by: tuple[str, ...] = ()
    columns: tuple[str, ...] = Field(min_length=1)


class Schedule(Value):
    """When the day's run is due (`cron`), whose days they are (`time_zone`, an IANA name), from when until when."""

    cron: str = "0 0 * * *"
    time_zone: str = "UTC"
    start: date
    end: date | None = None

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        # Every task builds the spec anew: all names are listed, which reads a thousand files, only to help.
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone of that name{nearest(name, available_timezones())}") from None
        return name

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end and self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self


class Target(Value):
    """Where summaries are published: the id of an Airflow connection, and the schema of the views."""

    connection: str = "warehouse"
    # With "_store" behind it, it is a name of at most 63 bytes too: a longer one PostgreSQL would cut.
    schema_: Name = Field(alias="schema", max_length=57)

    @property
    def store(self) -> str:
        """Return the schema that holds the rows of every run; only the views are for readers."""
        return f"{self.schema_}_store"


class Pools(Value):
    """The Airflow pools that the steps share with whatever else uses the same resource; config/pools.json has them."""

    source_db: str = "source_db"
    ftp: str = "ftp"
    compute: str = "compute"
    warehouse: str = "warehouse"


class Plausible(Value):
    """What a day has to look like to be published; one that does not is held until a person releases it.

    It has at least `min_rows` rows, and they, like each of `measures` (counts and sums), are within `within_pct` of the
    median of the `days` published days nearest to it. None compares with no other day.
    """

    min_rows: int = Field(default=1, ge=1)
    within_pct: int | None = Field(default=50, ge=1)
    measures: tuple[str, ...] = ()
    days: int = Field(default=7, ge=3)
