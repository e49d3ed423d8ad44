"""Which rows of the facts are of another day, and which of these may stand in their file: those of the days before it,
if rows may come late.

Called by clean.py, with the rows as Arrow has them. Pure.
"""

from datetime import date, timedelta
from functools import reduce
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.days import start_of
from daybook.spec import Pipeline, day_is_of_instant


class LateFiles(NamedTuple):
    """The files of a day and of those after it. late_by: of each row, how many days of the schedule its file is later.

    days: as many days before the wanted one as after it, with itself, in order.
    """

    days: list[date]
    late_by: pa.ChunkedArray


def is_of_days_before(rows: pa.Table, late: LateFiles, pipeline: Pipeline) -> pa.ChunkedArray:
    """Return which rows are of another day that may have rows in their file: its own, or one of those before it."""
    most = len(late.days) // 2
    place = pa.nulls(rows.num_rows, pa.int64())
    for number, day in enumerate(late.days, -most):
        place = pc.if_else(pc.fill_null(_is_of(rows, pipeline, day), False), number, place)
    earliest = pc.subtract(late.late_by, most)
    conditions = pc.not_equal(place, 0), pc.less_equal(place, late.late_by), pc.greater_equal(place, earliest)
    return pc.fill_null(reduce(pc.and_, conditions), False)


def is_other_day(instants: pa.ChunkedArray, pipeline: Pipeline, day: date) -> pa.ChunkedArray:
    """Return which instants are not of a local day of the schedule's zone; null if there is none."""
    zone = pipeline.schedule.time_zone
    start, end = (pa.scalar(start_of(each, zone), instants.type) for each in (day, day + timedelta(days=1)))
    return pc.or_(pc.less(instants, start), pc.greater_equal(instants, end))


def _is_of(rows: pa.Table, pipeline: Pipeline, day: date) -> pa.ChunkedArray:
    names = pipeline.day_columns
    if day_is_of_instant(pipeline):
        return pc.invert(is_other_day(rows[names[0]], pipeline, day))
    wanted: list[date | int] = [day] if len(names) == 1 else [day.year, day.month, day.day]
    return reduce(pc.and_, (pc.equal(rows[name], value) for name, value in zip(names, wanted, strict=True)))
