"""The small values of a spec: measures, summaries, the schedule, the target, what is plausible."""

from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.spec import cron, holiday
from daybook.spec.value import Name, Value
from daybook.spec.zones import known_zone

Engine = Literal["polars", "pandas", "duckdb"]
# The loader reads no earlier day either: 0026 is a typing error for 2026.
FIRST_YEAR = 1000


# Names that the steps and the warehouse use themselves in every frame and table.
RESERVED = ("line", "run_id", "row_count")


class Derived(Value):
    """A yes-or-no column made in `clean` from another: is it missing, over, or at most a value?

    "Over" and "at most" are empty if the column is empty. `value` is in the column's unit.
    """

    name: Name
    """Its name in the facts."""
    column: str
    test: Literal["is_missing", "is_over", "is_at_most"]
    """What is asked of the column."""
    value: int | Decimal | None = None


class Measure(Value):
    """A number per group that rolls up: the measure of a larger group follows from those of its groups.

    count: of all rows, of rows where a boolean is true (`where`), or of rows that have a value (`of`). sum, min, max:
    `of` a column of integers or decimals. A mean or a share is not a measure but a `Ratio` of two.
    """

    name: Name
    """Its name in the summaries."""
    how: Literal["count", "sum", "min", "max"]
    """How it is made."""
    of: str | None = None
    where: str | None = None
    renamed_from: Name | None = None
    """The name that it had before; published columns get the new one and keep their values."""


class Ratio(Value):
    """One measure divided by another, `times` 1 or 100, to two decimals, half away from zero; empty if over zero."""

    name: Name
    """Its name in the summaries."""
    of: str
    """The measure that is divided."""
    over: str
    """The measure that it is divided by."""
    times: Literal[1, 100] = 1
    renamed_from: Name | None = None
    """The name that it had before; published columns get the new one and keep their values."""


class Summary(Value):
    """One published view and file: one row per day and value of `by`, with measures and ratios as `columns`."""

    name: Name
    """The name of the view, in the schema of the target, and of the files."""
    by: tuple[str, ...] = ()
    columns: tuple[str, ...] = Field(min_length=1)
    renamed_from: Name | None = None
    """The name that it had before; its table and view get the new one and keep their days."""


class Schedule(Value):
    """The days of a pipeline: local days of `time_zone` (an IANA name) from `start` to `end`, both included.

    `cron`: five fields that mean one time of day, such as "30 6 * * *". The run of a day begins at that time of the
    next day that the cron means; "30 6 * * 1-5" means the days from Monday to Friday only. The days of `closed`, and
    the public holidays of `holidays`, are no days of the pipeline: their runs skip every task.
    """

    # Before the cron: whether a time of day is there each day depends on it.
    time_zone: str = "UTC"
    cron: str = "0 0 * * *"
    start: date
    end: date | None = None
    holidays: str | None = None
    """A country, or a part of one, such as "ES" or "ES-MD", by the codes of ISO 3166."""
    closed: tuple[date, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        return known_zone(name)

    @field_validator("cron")
    @classmethod
    def _is_once_a_day(cls, written: str, info: ValidationInfo) -> str:
        # A wrong time zone is not in the data: it is an error of its own.
        if why := cron.problem(written, info.data.get("time_zone", "UTC")):
            raise ValueError(why)
        return written

    @field_validator("holidays")
    @classmethod
    def _has_a_calendar(cls, where: str | None) -> str | None:
        if where is not None and (why := holiday.problem(where)):
            raise ValueError(why)
        return where

    @field_validator("start")
    @classmethod
    def _has_four_digits(cls, day: date) -> date:
        if day.year < FIRST_YEAR:
            raise ValueError(f"it is before the year {FIRST_YEAR}")
        return day

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end and self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self

    def means(self, day: date) -> bool:
        """Return whether a day is one of the schedule's; `start` and `end` are another question."""
        return cron.runs_on(self.cron, day) and self.why_closed(day) is None

    def why_closed(self, day: date) -> str | None:
        """Return why a day is none of the schedule's although its cron may mean it, or None."""
        if day in self.closed:
            return "it is one of the days in `closed`"
        if self.holidays and (name := holiday.holiday_on(day, self.holidays)):
            return f"it is a public holiday in {self.holidays} ({name})"
        return None


class Target(Value):
    """Where summaries are published: the id of an Airflow connection, and the schema of the views."""

    connection: str = "warehouse"
    # With "_store" appended it still has at most 63 bytes; PostgreSQL would cut a longer name.
    schema_: Name = Field(alias="schema", max_length=57)

    @property
    def store(self) -> str:
        """Return the schema that holds the rows of every run; only the views are for readers."""
        return f"{self.schema_}_store"


class Pools(Value):
    """The Airflow pools that the steps share with other users of the same resource; see config/pools.json."""

    source_db: str = "source_db"
    """Of tasks that read a source database."""
    ftp: str = "ftp"
    """Of tasks that fetch files."""
    compute: str = "compute"
    """Of tasks that compute."""
    warehouse: str = "warehouse"
    """Of tasks that write to the target."""


class Plausible(Value):
    """What a day must look like to be published; any other is held until a person releases it.

    It has at least `min_rows` rows; with 0 a day may have none, as of a shop that is closed. Their number, and each of
    `measures` (counts and sums), is within `within_pct` of the median of the `days` published days before it, or of the
    same weekday in the four weeks before; or, if they have grown or shrunk without a break, of the last of them. None
    skips this comparison. In the first backfill of a pipeline, the days before it that the backfill has loaded count,
    published or held.
    """

    min_rows: int = Field(default=1, ge=0)
    within_pct: int | None = Field(default=50, ge=1)
    measures: tuple[str, ...] = ()
    days: int = Field(default=7, ge=3)
