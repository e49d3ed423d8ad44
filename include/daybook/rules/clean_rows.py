"""The accepted facts as they are published, if the spec asks for them. Part of the step `aggregate`."""

from datetime import date

import pyarrow as pa

from daybook.rules.coded import plain_table
from daybook.rules.frames import ordered
from daybook.rules.summarize import schema
from daybook.spec import CleanRows, Pipeline


def clean_rows(facts: pa.Table, rows: CleanRows, pipeline: Pipeline, day: date) -> pa.Table:
    """Return the rows of a day in the order of their lines: `day`, `line` and the columns of the spec.

    facts: indexed facts. rows: with all its columns, as `Pipeline.views` has it.
    """
    wanted = [*rows.by, *rows.columns]
    in_order = plain_table(ordered(facts, ["line"]).select(wanted))
    days = pa.array([day] * facts.num_rows, pa.date32())
    columns = [in_order[name] for name in wanted]
    return pa.table([days, *columns], schema=schema(pipeline, rows))
