"""The part of a spec about days: which ones a pipeline has, and when they run."""

import re
from datetime import date, time
from typing import ClassVar, Self

from pydantic import ValidationInfo, field_validator, model_validator

from daybook.spec import cron, holiday
from daybook.spec.value import Value
from daybook.spec.zones import known_zone

# The loader reads no earlier day either: 0026 is a typing error for 2026.
FIRST_YEAR = 1000
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Schedule(Value):
    """The days of a pipeline: local days of `time_zone` (an IANA name) from `start` to `end`, both included.

    `cron`: five fields that mean one time of day, such as "30 6 * * *". The run of a day begins at that time of the
    next day that the cron means; "30 6 * * 1-5" means the days from Monday to Friday only. The days of `closed`, and
    the public holidays of `holidays`, are no days of the pipeline: their runs skip every task.
    """

    # It is only told of.
    for_readers: ClassVar[frozenset[str]] = frozenset({"due"})

    # Before the cron: whether a time of day is there each day depends on it.
    time_zone: str = "UTC"
    cron: str = "0 0 * * *"
    due: time | None = None
    """A time of day, such as "07:00", by which a day has to be published; it is of the day on which the day's run
    begins. `./daybook watch` tells of a day that is late."""
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

    @field_validator("due", mode="before")
    @classmethod
    def _is_a_time(cls, due: object) -> object:
        # Pydantic would take a number for seconds.
        if (isinstance(due, str) and not CLOCK.fullmatch(due)) or not isinstance(due, str | time | None):
            raise ValueError('it takes a time of day of the schedule\'s time_zone, such as "07:00"')
        return due

    @field_validator("due")
    @classmethod
    def _is_after_the_run(cls, due: time | None, info: ValidationInfo) -> time | None:
        if due is None or not {"cron", "time_zone"} <= info.data.keys():
            return due
        if due <= (begin := cron.time_of_day(info.data["cron"])):
            raise ValueError(f"a day's run begins at {begin:%H:%M}, so no day would be in time; take a later time")
        if why := cron.skipped(due, info.data["time_zone"]):
            raise ValueError(why)
        return due

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
