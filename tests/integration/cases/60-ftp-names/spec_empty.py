"""Odd names on the server."""

from datetime import date

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, text

F = File(
    name="f",
    connection="ftp",
    path="zero.csv",
    is_written_whole=True,
    columns=(day_date("day"), text("store"), decimal("amount", digits=12, scale=2)),
)
PIPELINE = Pipeline(
    name="case",
    description="Odd names on the server",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
