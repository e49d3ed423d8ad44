"""Odd values of a table."""

from datetime import date

from daybook.spec import Measure, Pipeline, Schedule, Summary, Table, Target, day_date, decimal, text, timestamp

T = Table(
    name="t",
    connection="source_db",
    relation="supplier.odd",
    columns=(decimal("n", digits=12, scale=2), timestamp("t"), day_date("d"), text("s")),
)
DAYS = Table(name="days", connection="source_db", relation="supplier.days", columns=(day_date("day"),))

PIPELINE = Pipeline(
    name="case",
    description="Odd values of a table",
    tables=(DAYS, T),
    facts="days",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
