"""Aggregates rolled up: of several groups, or of several batches of rows, into fewer groups."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa

from daybook.rules.frames import close_frame, open_frame
from daybook.rules.integers import as_integers
from daybook.rules.measure_types import additive
from daybook.spec import Pipeline


def rolled_up(aggregates: pa.Table, by: Sequence[str], pipeline: Pipeline) -> pa.Table:
    """Return the groups by some columns: these, `row_count`, and every measure that rolls up; ordered by the columns.

    aggregates: as `aggregate` returns them; a group may come several times. Without columns there is one row.
    """
    measures = additive(pipeline)
    integers = {measure.name: as_integers(aggregates[measure.name]) for measure in measures}
    table = aggregates.select([*by, "row_count"])
    for name, column in integers.items():
        table = table.append_column(name, column.numbers)
    found = close_frame(rolled_up_frame(open_frame(table, pipeline.engine), by, pipeline), table.schema, by)
    for name, column in integers.items():
        found = found.set_column(found.column_names.index(name), name, column.values(found[name]))
    return found


def rolled_up_frame(frame: nw.LazyFrame[Any], by: Sequence[str], pipeline: Pipeline) -> nw.LazyFrame[Any]:
    """Return a frame of the groups by some columns, as `rolled_up` does, but in no order.

    frame: aggregates, with integers instead of decimals.
    """
    totals = [nw.col("row_count").sum(), *(_total(one.how, one.name) for one in additive(pipeline))]
    return frame.group_by(*by).agg(*totals) if by else frame.select(*totals)


def _total(how: str, name: str) -> nw.Expr:
    column = nw.col(name)
    return getattr(column, "sum" if how == "count" else how)()  # type: ignore[no-any-return]
