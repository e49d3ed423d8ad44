"""A replica that cancels."""

from datetime import date

from daybook.spec import Measure, Pipeline, Schedule, Summary, Table, Target, day_date, integer

T = Table(name="t", connection="source_db", relation="supplier.answers", columns=(integer("answer"),))
DAYS = Table(name="days", connection="source_db", relation="supplier.days", columns=(day_date("day"),))

PIPELINE = Pipeline(
    name="case",
    description="A replica that cancels",
    tables=(DAYS, T),
    facts="days",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
