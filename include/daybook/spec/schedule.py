"""The part of a spec about days: which ones a pipeline has, and when they run."""

from datetime import date
from typing import Self

from pydantic import ValidationInfo, field_validator, model_validator

from daybook.spec import cron, holiday
from daybook.spec.value import Value
from daybook.spec.zones import known_zone

# The loader reads no earlier day either: 0026 is a typing error for 2026.
FIRST_YEAR = 1000


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
        return holiday.why_closed(day, self.holidays, self.closed)
