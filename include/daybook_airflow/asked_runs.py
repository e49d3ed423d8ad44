"""Runs that `./daybook backfill` and `airflow dags backfill --batch` ask of Airflow: days, name, conf, place in time.

Pure; `./daybook cancel` recognizes these runs by their names.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from daybook.days import bounds_of
from daybook.ledger.first_load import BACKFILL
from daybook.text import spell

PREFIX = BACKFILL


# A local day and UTC's day of the same date have so much in common at least, on all sides of the date line.
_IN_COMMON = timedelta(hours=9)


class AskedRun(NamedTuple):
    """A run to ask of Airflow: its id, its local days, its conf; and where Airflow shows it.

    logical_date: an instant in its first day, by which Airflow's calendar and grid place a run. interval: from the
    begin of its earliest day to the end of its latest. note: its days in words, for the list of runs.
    """

    run_id: str
    days: tuple[date, ...]
    conf: dict[str, Any]
    logical_date: datetime
    interval: tuple[datetime, datetime]
    note: str


def in_batches(days: Sequence[date], size: int) -> list[tuple[date, ...]]:
    """Return the days in groups of a size, in their order; the last group may be smaller."""
    return [tuple(days[start : start + size]) for start in range(0, len(days), size)]


def asked_runs(
    batches: Sequence[tuple[date, ...]], moment: datetime, conf: dict[str, Any], time_zone: str
) -> list[AskedRun]:
    """Return a run for each batch.

    moment: a part of the ids and of the logical dates, different for each command. conf: shared by all runs. time_zone:
    of the days.
    """
    begin = f"{PREFIX}{moment:%Y-%m-%dT%H-%M-%S.%f}__"
    return [
        AskedRun(
            f"{begin}{batch[0]}",
            batch,
            conf | _days(batch),
            _logical_date(batch[0], moment, time_zone),
            bounds_of(min(batch), max(batch), time_zone),
            spell(tuple(sorted(batch))),
        )
        for batch in batches
    ]


def _logical_date(day: date, moment: datetime, time_zone: str) -> datetime:
    """Return an instant in a day that no other run has: Airflow refuses a second run of a logical date."""
    # Airflow's calendar counts the days of UTC, so the instant lies in UTC's day too.
    begin = max(bounds_of(day, day, time_zone)[0], datetime.combine(day, time.min, UTC))
    return begin + (moment - datetime.fromtimestamp(0, UTC)) % _IN_COMMON


def _days(batch: tuple[date, ...]) -> dict[str, Any]:
    return {"day": str(batch[0])} if len(batch) == 1 else {"days": [str(day) for day in batch]}
