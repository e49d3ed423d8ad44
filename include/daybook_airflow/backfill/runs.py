"""Runs that `./daybook backfill` and `airflow dags backfill --batch` ask of Airflow: the days, name and conf of each.

Pure; `./daybook cancel` recognizes these runs by their names.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from daybook.ledger.first_load import BACKFILL

PREFIX = BACKFILL


class AskedRun(NamedTuple):
    """A run to ask of Airflow: its id, its local days, and its conf."""

    run_id: str
    days: tuple[date, ...]
    conf: dict[str, Any]


def in_batches(days: Sequence[date], size: int) -> list[tuple[date, ...]]:
    """Return the days in groups of a size, in their order; the last group may be smaller."""
    return [tuple(days[start : start + size]) for start in range(0, len(days), size)]


def asked_runs(batches: Sequence[tuple[date, ...]], moment: datetime, conf: dict[str, Any]) -> list[AskedRun]:
    """Return a run for each batch. moment: a part of the ids, different for each command. conf: shared by all runs."""
    begin = f"{PREFIX}{moment:%Y-%m-%dT%H-%M-%S.%f}__"
    return [AskedRun(f"{begin}{batch[0]}", batch, conf | _days(batch)) for batch in batches]


def _days(batch: tuple[date, ...]) -> dict[str, Any]:
    return {"day": str(batch[0])} if len(batch) == 1 else {"days": [str(day) for day in batch]}
