"""Local times of a table."""

from datetime import date

from daybook.spec import Measure, Pipeline, Schedule, Summary, Table, Target, day_date, integer, timestamp

T = Table(
    name="t",
    connection="source_db",
    relation="supplier.times",
    time_zone="America/New_York",
    repeated_hour="second",
    columns=(day_date("day"), timestamp("at"), integer("v")),
)

PIPELINE = Pipeline(
    name="case",
    description="Local times of a table",
    tables=(T,),
    facts="t",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)), Summary(name="by_instant", by=("at",), columns=("n",))),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
